"""The same raw HTTP/2 to the real Tomcat and to ours: answers, stream errors, connection errors and closes agree."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.interop.access.twin_sites import tomcat_version
from tests.interop.differential.http2_cases import CASES, Case
from tests.interop.differential.http2_client import Outcome, ask_http2
from tests.interop.differential.http2_servers import java_http2, our_http2
from tests.support.needs import need_java_tomcat

pytestmark = pytest.mark.interop

STREAM_ERROR = "an error of the stream (RFC 9113 section 8.1.1); Tomcat 10.1.55 loses its place in the frames behind it"
STRICTER = "RFC 9113 wants a connection error"
LENIENT = "RFC 9113 allows it"
DEPENDS = "a stream error while the answer is under way, a connection error behind it"
BEHIND_THE_END = ("open {1: 'reset 5'}", "goaway 5")
#: Where ours is meant to differ: what ours does, any of several where it depends on timing, and why.
DIFFERENT: dict[str, tuple[tuple[str, ...], str]] = {
    "3.4 a wrong preface": (("HTTP/1.1 505",), "it is a request of HTTP/2.0 in the grammar of HTTP/1.1"),
    "3.4 no SETTINGS first": (("goaway 1",), "section 3.4; Tomcat resets stream 0 and goes on"),
    "3.4 a request first": (("goaway 1",), "section 3.4; Tomcat resets the stream and goes on"),
    "3.4 an acknowledgement first": (("goaway 1",), "section 3.4; Tomcat takes it"),
    "3.2 upgrade of a POST": (("open {1: '200'}",), "Tomcat gives no answer"),
    "4.3 RST_STREAM inside of a block": (("goaway 9",), STRICTER),
    "5.1 PRIORITY_UPDATE for an idle stream": (("open {1: '200'}",), "RFC 9218 section 7.1 allows it"),
    "5.1 DATA behind RST_STREAM": (("open {3: '200'}",), STREAM_ERROR),
    "5.1.1 a stream below one that is closed": (("open {99: '200'}",), "it is closed, not idle: it may be ignored"),
    "6.1 a padded frame without content": (("goaway 6",), "section 4.2: too small for its fields; as newer Tomcats"),
    "6.2 HEADERS with half a priority": (("goaway 6",), "section 4.2: too small for its fields; as newer Tomcats"),
    "6.4 RST_STREAM of 3 bytes": (("goaway 6",), STRICTER),
    "6.4 RST_STREAM twice": (("open {3: '200'}",), "no work was begun for the second one"),
    "6.5.2 setting 1 of 65537": (("open {1: '200'}",), LENIENT),
    "6.5.2 setting 1 of 4294967295": (("open {1: '200'}",), LENIENT),
    "6.5.2 setting 9 of 0": (("open {1: '200'}",), "RFC 9218 section 2.1 allows it"),
    "6.8 GOAWAY and nothing under way": (("open {}", "goaway 0"), "PING is served first"),
    "6.9.2 a window that grows too large": (("goaway 3",), STRICTER),
    "8.1.1 Content-Length that is no number": (("open {1: 'reset 1'}",), STREAM_ERROR),
    "8.1.1 Content-Length below zero": (("open {1: 'reset 1'}",), "Tomcat ignores it"),
    "8.1.1 Content-Length twice": (("open {1: 'reset 1'}",), STREAM_ERROR),
    "8.1.1 Content-Length with trailers": (("open {1: 'reset 1'}",), STREAM_ERROR),
    "8.3.1 authority None": (("open {1: 'reset 1', 3: '200'}",), "section 8.3.1 wants one; as newer Tomcats"),
    "8.3.1 authority 'localhost:99999'": (("open {1: 'reset 1', 3: '200'}",), "no port is so large"),
    "3.2 upgrade and DATA on stream 1": (BEHIND_THE_END, DEPENDS),
    "3.2 upgrade and HEADERS on stream 1": (BEHIND_THE_END, DEPENDS),
    "10.5 a head of 20 KB": (("goaway 9",), "the block is cut short; Tomcat has given up before"),
    "7541 6.2 a pseudo field by a literal name": (("open {1: '200'}",), "RFC 7541 allows it"),
    **dict.fromkeys(
        (
            "8.1 trailers that are not the end", "8.1 a second request on a stream",
            "8.1.1 Content-Length without a body",
            "8.1.1 Content-Length over the body", "8.1.1 Content-Length under the body", "8.2.1 an upper case name",
            "8.2.1 a name with a space", "8.2.1 a name with a colon", "8.2.1 a name that is no token",
            "8.2.1 a name of the upper half",
            *(
                f"8.2.1 a value {value!r}"
                for value in (b" a", b"a ", b"\ta", b"a\0b", b"a\rb", b"a\nb", b"a\x7fb", b"a\x01b")
            ),
        ),
        (("open {1: 'reset 1', 3: '200'}",), STREAM_ERROR),
    ),
}  # fmt: skip

if tomcat_version() < (10, 1, 60):
    DIFFERENT |= dict.fromkeys(
        ("5.1 DATA behind the end", "5.1 HEADERS behind the end"),
        (BEHIND_THE_END[:1], "as 10.1.60"),
    )
    DIFFERENT |= dict.fromkeys(
        (f"8.3.1 authority {value!r}" for value in ("", "a b", "user@localhost", "localhost:x")),
        (("open {1: 'reset 1', 3: '200'}",), "as 10.1.60; 10.1.55 answers 400"),
    )


def shape(outcome: Outcome) -> str:
    return outcome.connection if outcome.connection != "open" else f"open {outcome.streams}"


def agree(java: str, ours: str) -> bool:
    """A close with input that was not read resets the connection, and that may overtake GOAWAY."""
    ends = ("closed", "goaway")
    return java == ours or ("closed" in (java, ours) and java.startswith(ends) and ours.startswith(ends))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, str]]]:
    """Name of a case -> what Java has done, what ours has done."""
    jars = need_java_tomcat()
    with (
        java_http2(tmp_path_factory.mktemp("java") / "base", jars) as java,
        our_http2(tmp_path_factory.mktemp("ours") / "base") as ours,
    ):
        for port in (java, ours):  # the first request compiles and loads
            ask_http2(port, CASES[1].bytes, {1})

        def ask(case: Case) -> tuple[str, str]:
            for _ in range(3):  # a stream without an outcome may only have been slow
                pair = [shape(ask_http2(port, case.bytes, set(case.streams))) for port in (java, ours)]
                if agree(*pair):
                    break
            return pair[0], pair[1]

        with ThreadPoolExecutor(8) as pool:
            yield dict(zip((case.name for case in CASES), pool.map(ask, CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_outcome_is_that_of_the_real_tomcat_or_meant(outcomes: dict[str, tuple[str, str]], case: Case) -> None:
    java, ours = outcomes[case.name]
    if case.name in DIFFERENT:
        assert ours in DIFFERENT[case.name][0], f"Java: {java}"
    else:
        assert agree(java, ours), f"Java: {java}, ours: {ours}"


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert set(DIFFERENT) <= {case.name for case in CASES}
