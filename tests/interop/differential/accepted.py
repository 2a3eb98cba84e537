"""Where the answers may differ, and why; the same rows stand in docs/differences.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.interop.differential.case import Case

__all__ = ["ACCEPTED", "Accepted", "Shapes"]

Shapes = list[dict[str, Any]]


@dataclass(frozen=True)
class Accepted:
    """One difference.

    Args:
        tables: names of the tables in which it may be seen.
        ours, tomcat, why: the row of docs/differences.md.
        holds: says whether this is it, from the case and the outcomes of ours and of Tomcat.
        before: the first release of Tomcat that answers as ours does; empty when none does.
    """

    tables: tuple[str, ...]
    ours: str
    tomcat: str
    why: str
    holds: Callable[[Case, Shapes, Shapes], bool]
    before: tuple[int, ...] = ()


def _statuses(ours: Shapes) -> list[int]:
    return [shape["status"] for shape in ours]


def _data(*patterns: str, ours: list[int] | None = None) -> Callable[[Case, Shapes, Shapes], bool]:
    """The request has one of the patterns, and our answers these statuses."""
    compiled = [re.compile(pattern.encode("latin-1"), re.DOTALL) for pattern in patterns]

    def holds(case: Case, mine: Shapes, theirs: Shapes) -> bool:
        found = any(pattern.search(case.data) for pattern in compiled)
        return found and (ours is None or _statuses(mine) in (ours, [200, *ours]))

    return holds


ACCEPTED: list[Accepted] = [
    Accepted(
        ("webdav",),
        "A malformed If field (`()`, `(<urn:x`) is 412.",
        "An empty list holds; an open one counts as empty.",
        "RFC 4918 section 10.4.2: who writes a condition that cannot be read is not meant to go on.",
        _data(r"\r\nIf: \(\)\r\n", r"\r\nIf: \(<urn:x\r\n", ours=[412]),
    ),
    Accepted(
        ("webdav",),
        "An If field with an entity tag or with `Not` holds without a lock, too.",
        "Every condition fails where nothing is locked.",
        "RFC 4918 section 10.4.2",
        _data(r"\r\nIf: \(\[W/", r"\r\nIf: \(Not <"),
    ),
    Accepted(
        ("webdav",),
        "The host of a Destination is compared without regard to case.",
        "`http://LOCALHOST/...` is another server: 403.",
        "RFC 9110 section 4.2.3",
        _data(r"Destination: http://LOCALHOST"),
    ),
    Accepted(
        ("webdav",),
        "A body with a document type is 400.",
        "It is read without entities from outside.",
        "Its entities would be somebody else's text, and grow.",
        _data(r"<!DOCTYPE", ours=[400]),
    ),
    Accepted(
        ("ranges", "changes of files"),
        "A position past 2^63 in Range is 416, in Content-Range 400.",
        "up to 10.1.55: 500 with a stack trace",
        "10.1.56 answers so, too.",
        _data(r"Range: bytes=99999", r"-9223372036854775808", r"0-99999999999999999999"),
        before=(10, 1, 56),
    ),
    Accepted(
        ("changes of files",),
        "PUT of a part onto a directory is 409 before its body is read.",
        "400 when the body has another length",
        "The body is not needed to know.",
        _data(r"^PUT /change/\d+\.d .*Content-Range", ours=[409]),
    ),
    Accepted(
        ("webdav",),
        "Depth of COPY and MOVE is judged before anything is removed.",
        "The destination is gone when the Depth is found to be wrong.",
        "Nothing is lost by a request that is refused.",
        _data(r"\r\nDepth: (?:2|x|-1|1|Infinity|)\r\n.*PROPFIND"),
    ),
    Accepted(
        ("webdav",),
        "COPY and MOVE to where there is no directory are 409 before Depth is judged.",
        "400 when the Depth is wrong as well",
        "Both are wrong.",
        _data(r"Destination: /dx/c\d+/no/such/x", ours=[409]),
    ),
    Accepted(
        ("webdav",),
        "LOCK takes the scopes exclusive and shared and the type write only.",
        "Any name of DAV: is a scope or a type.",
        "RFC 4918 sections 14.13 and 14.15",
        _data(r"^LOCK .*<D:lockscope>(?:<D:other/>)?</D:lockscope>", r"^LOCK .*<D:read/>"),
    ),
    Accepted(
        ("webdav",),
        "PROPPATCH that changes nothing is 400.",
        "207 without a property",
        "RFC 4918 section 14.19",
        _data(r"^PROPPATCH .*<D:propertyupdate xmlns:D='DAV:'(?:/>|><D:set/>)", ours=[400]),
    ),
    Accepted(
        ("webdav",),
        "GET takes no notice of a malformed If field.",
        "For a missing file: 200 without a body.",
        "RFC 4918 section 10.4.1 makes it a condition of methods that change something.",
        _data(r"^GET .*\r\nIf: garbage"),
    ),
    Accepted(
        ("webdav", "by hand"),
        "Paths in a listing are escaped (`&#47;`).",
        "up to 10.1.57: the slashes are not",
        "10.1.58 answers so, too.",
        lambda case, ours, theirs: (
            b"Directory Listing For" in ours[0]["body"] and theirs[0]["body"] == ours[0]["body"].replace(b"&#47;", b"/")
        ),
        before=(10, 1, 58),
    ),
]
