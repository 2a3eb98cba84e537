"""What of two answers must be equal."""

from __future__ import annotations

import re

from tests.interop.differential.raw_client import Answer

__all__ = ["shape"]

COMPARED = (
    "accept-ranges", "allow", "content-encoding", "content-language", "content-range", "content-type", "etag",
    "dav", "last-modified", "location", "ms-author-via", "retry-after", "set-cookie", "vary", "x-filter",
    "www-authenticate",
)  # fmt: skip
#: What differs by design: the server's name, and the Java stack trace.
SERVER_NAME = re.compile(rb"<h3>(Apache Tomcat|Catalina for Python)/[^<]*</h3>")
#: When a file was made, and the name and the seconds of a lock, are each server's own; so are session ids and nonces.
MADE = re.compile(rb"<D:creationdate>[^<]*</D:creationdate>")
LEFT = re.compile(rb"Second-[0-9]+")
TOKEN = re.compile(rb"opaquelocktoken:[0-9A-Za-z-]+|urn:uuid:[0-9A-Za-z-]+")
TRACES = re.compile(rb"<p><b>(?:Exception|Root Cause)</b></p><pre>.*?</pre>", re.DOTALL)
SESSION = re.compile(r"[0-9A-F]{32}")
NONCE = re.compile(r'(nonce|opaque)="[^"]*"')
LISTS = frozenset({"allow", "x-filter", "vary"})


def shape(answer: Answer, more: tuple[str, ...] = ()) -> dict[str, object]:
    """What must be equal.

    Args:
        more: names of further header fields that count.
    """
    fields: dict[str, object] = {}
    for name in (*COMPARED, *more):
        values = answer.all(name)
        if values:
            values = [NONCE.sub(r'\1="..."', SESSION.sub("SESSION", value)) for value in values]
            fields[name] = sorted(", ".join(values).replace(", ", ",").split(",")) if name in LISTS else sorted(values)
    if answer.status == 400 and (b"<title>HTTP Status 400" in answer.body or not answer.body):
        # The connector's refusals: what is wrong with the request each says in its own words.
        return {"status": 400}
    body = SERVER_NAME.sub(b"<h3>server</h3>", TRACES.sub(b"", answer.body))
    body = MADE.sub(
        b"<D:creationdate>then</D:creationdate>", TOKEN.sub(b"opaquelocktoken:some", LEFT.sub(b"Second-n", body))
    )
    return {"status": answer.status, **fields, "body": body}
