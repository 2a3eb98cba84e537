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


def _listing(case: Case, ours: Shapes, theirs: Shapes) -> bool:
    page = ours[0].get("body")
    return isinstance(page, bytes) and page.replace(b"&#47;", b"/") == theirs[0].get("body")


REFUSALS = frozenset({400, 408, 413, 414, 417, 431, 501, 505})
RAW = ("request lines", "header fields", "framing")


def _other_refusal(case: Case, ours: Shapes, theirs: Shapes) -> bool:
    mine, java = _statuses(ours), _statuses(theirs)
    return len(mine) == len(java) > 0 and mine[:-1] == java[:-1] and mine[-1] in REFUSALS and java[-1] in REFUSALS


def _refused(*patterns: str) -> Callable[[Case, Shapes, Shapes], bool]:
    """We refuse, for one of these patterns, and end the connection."""
    compiled = [re.compile(pattern.encode("latin-1"), re.DOTALL) for pattern in patterns]

    def holds(case: Case, ours: Shapes, theirs: Shapes) -> bool:
        mine = _statuses(ours)
        return bool(mine) and mine[-1] in REFUSALS and any(pattern.search(case.data) for pattern in compiled)

    return holds


def _lines_differ(*names: str) -> Callable[[Case, Shapes, Shapes], bool]:
    """Both answer 200, and only lines with these beginnings differ."""
    beginnings = tuple(name.encode() for name in names)

    def holds(case: Case, ours: Shapes, theirs: Shapes) -> bool:
        for mine, java in zip(ours, theirs, strict=True):
            if not (mine["status"] == java["status"] == 200 and isinstance(mine["body"], bytes)):
                if mine != java:
                    return False
                continue
            lines = set(mine["body"].split(b"\n")) ^ set(java["body"].split(b"\n"))
            if not all(line.startswith(beginnings) for line in lines):
                return False
        return len(ours) == len(theirs)

    def both(case: Case, ours: Shapes, theirs: Shapes) -> bool:
        return len(ours) == len(theirs) and holds(case, ours, theirs)

    return both


def _all(*rules: Callable[[Case, Shapes, Shapes], bool]) -> Callable[[Case, Shapes, Shapes], bool]:
    return lambda case, ours, theirs: all(rule(case, ours, theirs) for rule in rules)


#: Requests that RFC 9112 forbids, and Tomcat takes.
GRAMMAR = [
    Accepted(
        RAW,
        "A request with several faults is refused for the first one that is found.",
        "for another one: 400, 408, 417, 431, 501 or 505",
        "Each parser looks in its own order.",
        _other_refusal,
    ),
    Accepted(
        RAW,
        "The parts of the first line stand between single spaces, and none stands before it: else 400.",
        "Tabs and blanks are taken.",
        "RFC 9112 section 3",
        _refused(r"^[^\r\n]*\t", r"^ "),
    ),
    Accepted(
        RAW,
        "A folded header line, a bare LF or CR, `Content-Length` beside `Transfer-Encoding` are 400",
        "accepted or mended",
        "two servers behind each other read them differently (RFC 9112 sections 2.2, 5.2, 6.3)",
        _refused(r"\r\n[ \t]", r"[^\r]\n", r"\r[^\n]", r"^[\r\n]", r"Content-Length: .*Transfer-Encoding: "),
    ),
    Accepted(
        RAW,
        "HTTP/0.9 (`GET /x` without a version) is 400",
        "answered without a head",
        "nobody speaks it, and an answer without a head can be taken for another one",
        lambda case, ours, theirs: theirs == [] and _statuses(ours)[-1:] in ([400], [505]),
    ),
    Accepted(
        RAW,
        '`rejectIllegalHeader="false"` still refuses malformed framing fields and fields with CR, LF or NUL',
        "the field is dropped, or the line ends there",
        "a proxy in front may have read the field, so it cannot be left out",
        _refused(r"\x00", r"\r[^\n]", r"\r\n: v\r\n", r"\r\nX-A ?v\r\n", r"chunked\x0b"),
    ),
    Accepted(
        RAW,
        "The host of an absolute target is told to the application as it is written.",
        "in lower case",
        "So is that of the Host field, by both.",
        _all(_data(r"^[^ ]+ http://LOCALHOST"), _lines_differ("server=")),
    ),
    Accepted(
        RAW,
        'A tab at the beginning of a folded line (`rejectIllegalHeader="false"`) becomes a space.',
        "It stays.",
        "RFC 9112 section 5.2",
        _all(_data(r"\r\n\tb\r\n"), _lines_differ("header ")),
    ),
    Accepted(
        RAW,
        "Spaces around the signs of a chunk extension are passed over.",
        "400",
        "RFC 9112 section 7.1.1 says that they must be.",
        _data(r"\r\n5 ; a = b\r\n"),
    ),
    Accepted(
        RAW,
        "An absolute target and a Host field that differ are 400 in HTTP/1.0 as well.",
        "in HTTP/1.1 only",
        "RFC 9112 section 3.2.2",
        _refused(r"^\w+ http://[^ ]* HTTP/1\.0\r\nHost: "),
    ),
    Accepted(
        RAW,
        "The port of a Host field is one from 1 to 65535: else 400; an empty one is the scheme's.",
        "99999 is taken, an empty one is 0.",
        "RFC 9110 section 4.2.1",
        _data(r"Host: localhost:(?:99999)?\r\n"),
    ),
    Accepted(
        RAW,
        "The server's name, for a request without Host, is the address that the client has reached.",
        "the name that the name server knows for it",
        "Nothing in the loop waits for a name server.",
        _all(_data(r"HTTP/1\.0\r\n"), _lines_differ("server=")),
    ),
    Accepted(
        RAW,
        "`Transfer-Encoding` in HTTP/1.0 is 400",
        "10.1.55: ignored",
        "RFC 9112 section 6.1: the framing is faulty; 10.1.60 answers so, too.",
        _refused(r" HTTP/1\.0\r\n.*Transfer-Encoding: "),
        before=(10, 1, 60),
    ),
    Accepted(
        RAW,
        "Transfer-Encoding is `chunked`, without empty members or parameters: else 501.",
        "Empty members of the list are passed over.",
        "RFC 9112 section 6.1",
        _refused(r"Transfer-Encoding: (?:,chunked|chunked,)\r\n"),
    ),
    Accepted(
        RAW,
        "A broken body is 400 before the application answers.",
        "200 when the application does not read it; then the connection ends.",
        "Bodies up to 64 KiB are read before their request runs.",
        _refused(r"^POST /g/x .*Transfer-Encoding: chunked"),
    ),
    Accepted(
        RAW,
        "`Expect: 100-continue` gets no 100 when the body is there already.",
        "It does.",
        "RFC 9110 section 10.1.1",
        lambda case, ours, theirs: (
            b"Expect:" in case.data and [each for each in theirs if each["status"] != 100] == ours
        ),
    ),
]
#: How the container itself reads what an application gets as it came.
SERVLET_VIEW = [
    Accepted(
        ("parameters", "refusing filters"),
        "Valves and filters see a parameter whose escapes, name or bytes are broken as it is written.",
        "It is left out, or has replacement characters.",
        "An application parses the query itself; no parameter disappears between the two.",
        _all(
            _data(
                r"%(?![0-9A-Fa-f]{2})",
                r"[?&\n]=|\n=$",
                r"charset=(?:idna|utf-16|nope)",
                r"%ED%A0",
                r"%ff%fe|%c3|%E9|%A4|[\x80-\xff]",
            ),
            _lines_differ("parameter "),
        ),
    ),
    Accepted(
        ("parameters",),
        "A valve or filter that asks for more parameters than maxParameterCount gets an error.",
        "It gets the first ones.",
        "A decision about half a request is none.",
        _data(r"^GET /w/params\?a=1&b=2&c=3&d=4&e=5&f=6 "),
    ),
    Accepted(
        ("cookies",),
        "A cookie value with an open quote is dropped; bytes past ASCII are read as ISO-8859-1; a "
        "comma in quotes is taken.",
        "up to the semicolon; UTF-8; the cookie is dropped",
        "RFC 6265 section 5.2; an application parses HTTP_COOKIE itself.",
        _lines_differ("cookie="),
    ),
    Accepted(
        ("sessions",),
        "An empty session id in the URL is none.",
        "It is the empty id.",
        "It names no session.",
        _all(_data(r";jsessionid=[ ;]"), _lines_differ("session=")),
    ),
    Accepted(
        ("header filters",),
        "SetCharacterEncodingFilter tells the application by the charset of CONTENT_TYPE.",
        "by getCharacterEncoding()",
        "WSGI has no other place for it.",
        _all(_data(r"^POST /ce"), _lines_differ("type=", "parameter ")),
    ),
]
_ILLEGAL = re.compile(r"'X A'|\('', 'v'\)|b'c'|41215|^''")
_EMPTY_MEMBERS = _data(r"X-Forwarded-For: 1\.2\.3\.4, , 10", r": \r\n")
COMPONENTS = [
    Accepted(
        ("logins",),
        "j_security_check takes a login by POST only: other methods are 400.",
        "10.1.55: The login page is shown.",
        "Names and passwords do not belong into an address, which is logged; 10.1.60 answers so, too.",
        _data(r"^(?:GET|OPTIONS) /form/(?:a/)?j_security_check ", ours=[400]),
        before=(10, 1, 60),
    ),
    Accepted(
        ("compression",),
        "HEAD tells the length of the plain form, and nothing of compression.",
        "the fields of a compressed answer, without a length",
        "RFC 9110 section 9.3.2: what only making the content would tell may be left out.",
        _data(r"^HEAD "),
    ),
    Accepted(
        ("compression",),
        "The names of compressibleMimeType are compared without regard to case.",
        "`TEXT/PLAIN` is another type.",
        "RFC 9110 section 8.3.1",
        _data(r"type=TEXT/PLAIN"),
    ),
    Accepted(
        ("compression",),
        "A file that is large enough for sendfile is compressed as any other.",
        "The kernel sends it as it is.",
        "The largest files gain the most.",
        _data(r"^GET /big\.bin "),
    ),
    Accepted(
        ("compression",),
        "A partial response (206) is not compressed.",
        "It is.",
        "Its positions count in the plain form (RFC 9110 section 14).",
        lambda case, ours, theirs: ours[0]["status"] == theirs[0]["status"] == 206,
    ),
    Accepted(
        ("ajp",),
        "An AJP request that is refused ends the connection.",
        "It goes on with the next packet.",
        "Bytes that follow may belong to the refused one.",
        lambda case, ours, theirs: (
            len(ours) == 1
            and ours[0]["status"] in (400, 403)
            and (theirs[0]["status"] in (400, 403, 500, 501) or _ILLEGAL.search(case.note) is not None)
        ),
    ),
    Accepted(
        ("ajp",),
        "Illegal field names, unknown attributes and a content-length that is no number are 400 over "
        "AJP, as over HTTP.",
        "10.1.55: They are passed over.",
        "Nobody knows what the web server made of them; 10.1.60 answers so, too.",
        lambda case, ours, theirs: (
            len(ours) == 1
            and ours[0]["status"] == 400
            and (_ILLEGAL.search(case.note) is not None or case.note.endswith("'x'"))
        ),
        before=(10, 1, 60),
    ),
    Accepted(
        ("ajp",),
        "A packet that is longer than packetSize, or that no request begins with, ends the "
        "connection without an answer.",
        "400 or 500",
        "There is nobody to read it.",
        lambda case, ours, theirs: ours == [] and theirs[0]["status"] in (400, 500),
    ),
    Accepted(
        ("ajp",),
        "An AJP packet without content is passed over.",
        "500, and it goes on",
        "Web servers send one when they have nothing more of a body.",
        _data(r"^\x124\x00\x00"),
    ),
    Accepted(
        ("access logs",),
        "`%%` in a pattern is a percent sign.",
        "up to 10.1.55: `???%???`",
        "10.1.56 answers so, too.",
        lambda case, ours, theirs: all("???%???" in line for line in theirs[0]["log"] if line not in ours[0]["log"]),
        before=(10, 1, 56),
    ),
    Accepted(
        ("remote ip", "remote ip valves"),
        "Empty members and values of X-Forwarded-For, -Proto and -Host count as not there.",
        "An empty member of X-Forwarded-For is the client's address.",
        "RFC 9110 section 5.6.1; nobody has an empty address.",
        lambda case, ours, theirs: (
            _EMPTY_MEMBERS(case, ours, theirs)
            and (_statuses(ours) == [403] or _lines_differ("remote=", "server=", "header ")(case, ours, theirs))
        ),
    ),
    Accepted(
        ("rewriting", "by hand"),
        "A redirect whose query is empty has no `?` at its end.",
        "up to 10.1.57: it has",
        "10.1.58 answers so, too.",
        lambda case, ours, theirs: theirs[0].get("location") == [f"{ours[0].get('location', [''])[0]}?"],
        before=(10, 1, 58),
    ),
    Accepted(
        ("rewriting",),
        "A plus sign in a rewritten path stays one.",
        "up to 10.1.56: it becomes a space",
        "10.1.57 answers so, too.",
        _all(_data(r"\+|%2B"), _lines_differ("path=", "uri=")),
        before=(10, 1, 57),
    ),
    Accepted(
        ("rewriting",),
        "`%{SERVER_NAME}` of a rule is the address that the client has reached.",
        "the name that the name server knows for it",
        "Nothing in the loop waits for a name server.",
        _data(r"^\w+ /rules/c9/"),
    ),
    Accepted(
        ("rewriting",),
        "A variable without a value (`%{REMOTE_USER}` of nobody) is the empty text.",
        "10.1.55: No pattern matches it.",
        "As in Apache httpd, whose rules these are; 10.1.60 answers so, too.",
        _data(r"^\w+ /rules/c2[0-9]/"),
        before=(10, 1, 60),
    ),
    Accepted(
        ("by hand",),
        "`*.py`, `*.pyc`, `__pycache__`, dot files (but `.well-known`), `*.db`, `*.sqlite3`, "
        "`*.egg-info`, `*.dist-info`, `pyproject.toml`, `requirements*.txt` and the like are never "
        "static content, nor are copies such as `wsgi.py.bak`",
        "served",
        "a Python application's directory is not laid out for being served",
        _data(r"^GET /\.hidden "),
    ),
]
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
    *GRAMMAR,
    *SERVLET_VIEW,
    *COMPONENTS,
]
