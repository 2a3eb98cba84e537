"""Access logs: what a valve of a host writes about a request."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, host_xml, pairwise, request

V = "org.apache.catalina.valves."
#: Each is a log file of the host; a request's line in every one of them counts.
PATTERNS = (
    "%h %l %u", "%r", "%s %b %B", "%m|%U|%q|%H", "%{User-Agent}i|%{X-A}i|%{Host}i",
    "%{Content-Type}o|%{Location}o|%{X-None}o", "%{a}c|%{none}c", "%p|%{local}p|%v|%S", "%a|%{peer}a|%A",
    "%{x}r|%{org.apache.catalina.AccessLog.RemoteAddr}r", "common", "combined", "%{X-A}i %{X-B}i", "%X", "%%|%z",
    "%{Allow}o|%{Content-Range}o|%{ETag}o|%{Last-Modified}o",
)  # fmt: skip
PATHS = (
    "/x",
    "/x?q=1",
    "/nope/",
    "/",
    "/x;jsessionid=A",
    "/%C3%A9",
    "/a%20b",
    "/x?%22",
    "/x?a=%0a",
    "/session?new",
    "/x?q=1&r=%C3%A9",
    "/params?a=b",
)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "FOO")
FIELDS = (
    (), ("User-Agent: agent/1",), ('User-Agent: quo"ted',), ("User-Agent: back\\slash",), ("User-Agent: é",),
    ("X-A: one", "X-A: two"), ("X-A: ",), ("Cookie: a=b",), ("Cookie: a=b; a=c", "X-B: y"), ("Range: bytes=0-1",),
    ("If-None-Match: *",), ("X-A: a\tb",), ("Referer: http://a/",),
)  # fmt: skip
#: As the line of a log is asked for: the request says its number in a field, and the line begins with it.
NUMBER = "X-Number"


def _cases() -> list[Case]:
    rows = [*pairwise(METHODS, PATHS, FIELDS), *product(("GET",), PATHS, FIELDS)]
    return [
        request(
            method,
            path,
            f"{NUMBER}: n{number}",
            *fields,
            host="logged",
            body=b"x" if method in ("POST", "PUT") else b"",
        )
        for number, (method, path, fields) in enumerate(rows)
    ]


def _escaped(pattern: str) -> str:
    pattern = {"common": '%h %l %u "%r" %s %b', "combined": '%h %l %u "%r" %s %b "%{Referer}i" "%{User-Agent}i"'}.get(
        pattern, pattern
    )
    return f"%{{{NUMBER}}}i {pattern}".replace('"', "&quot;")


XML = host_xml(
    "logged",
    "".join(
        f'<Valve className="{V}AccessLogValve" directory="logs" prefix="p{number}" suffix=".log" '
        f'rotatable="false" pattern="{_escaped(pattern)}"/>'
        for number, pattern in enumerate(PATTERNS)
    ),
)
TABLES = [Table("access logs", _cases(), hosts=XML, logs=tuple(f"p{number}.log" for number in range(len(PATTERNS))))]
