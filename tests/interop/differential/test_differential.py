"""The same requests to the real Tomcat and to ours; status, header fields and bodies must be the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.interop.differential.cases import CASES, Case
from tests.interop.differential.raw_client import Answer, ask
from tests.interop.differential.servers import java_tomcat, our_node
from tests.support.needs import need_java_tomcat

pytestmark = pytest.mark.interop

COMPARED = (
    "accept-ranges", "allow", "content-encoding", "content-language", "content-range", "content-type", "etag",
    "dav", "last-modified", "location", "ms-author-via", "retry-after", "set-cookie", "vary", "x-filter",
)  # fmt: skip
#: What differs by design: the server's name, and the Java stack trace.
SERVER_NAME = re.compile(rb"<h3>(Apache Tomcat|Catalina for Python)/[^<]*</h3>")
#: When a file was made, and the name and the seconds of a lock, are each server's own.
MADE = re.compile(rb"<D:creationdate>[^<]*</D:creationdate>")
LEFT = re.compile(rb"Second-[0-9]+")
TOKEN = re.compile(rb"opaquelocktoken:[0-9A-Za-z-]+|urn:uuid:[0-9A-Za-z-]+")
TRACES = re.compile(rb"<p><b>(?:Exception|Root Cause)</b></p><pre>.*?</pre>", re.DOTALL)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    jars = need_java_tomcat()
    with (
        java_tomcat(tmp_path_factory.mktemp("java") / "base", jars) as java,
        our_node(tmp_path_factory.mktemp("ours") / "base") as ours,
    ):
        yield java, ours


def shape(answer: Answer) -> dict[str, object]:
    """What must be equal."""
    fields: dict[str, object] = {}
    for name in COMPARED:
        values = answer.all(name)
        if values:
            fields[name] = sorted(", ".join(values).split(", ")) if name in ("allow", "x-filter") else values
    if answer.status == 400 and b"400" in answer.body and b"own" not in answer.body:
        # The connector's refusals: what is wrong with the request each says in its own words.
        return {"status": 400}
    body = SERVER_NAME.sub(b"<h3>server</h3>", TRACES.sub(b"", answer.body))
    body = MADE.sub(
        b"<D:creationdate>then</D:creationdate>", TOKEN.sub(b"opaquelocktoken:some", LEFT.sub(b"Second-n", body))
    )
    return {"status": answer.status, **fields, "body": body}


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case[0]}-{case[1]}" for number, case in enumerate(CASES)])
def test_the_answer_is_that_of_the_real_tomcat(ports: tuple[int, int], case: Case) -> None:
    java, ours = (shape(ask(port, *case)) for port in ports)
    assert ours == java


def test_there_are_more_than_300_requests() -> None:
    assert len(CASES) > 300
