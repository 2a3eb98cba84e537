"""The default servlet: conditions, ranges, PUT and DELETE."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, pairwise, request
from tests.interop.differential.site import MTIME

TAG = f'W/"6-{MTIME}000"'
DATE, SECOND, LATER, EARLIER = (
    "Sun, 01 Jun 2025 12:00:00 GMT", "Sun, 01 Jun 2025 12:00:01 GMT", "Tue, 01 Dec 2037 12:00:00 GMT",
    "Wed, 01 Jan 2020 12:00:00 GMT",
)  # fmt: skip
LISTS = (
    None, TAG, TAG[2:], '"x"', "*", f'"x", {TAG}', f'{TAG},"x"', '*, "x"', '"x", *', "*,*", '"x",', ',"x"', '"x",,"y"',
    "", "x", '"x', 'W/"x"', 'w/"x"', 'W/ "x"', '"x" "y"', '"a\\"b"', '"ä"', f'"", {TAG}', f"  {TAG}  ", "W/*",
)  # fmt: skip
DATES = (
    None, DATE, SECOND, LATER, EARLIER, "garbage", "", "0", "Sunday, 01-Jun-25 12:00:00 GMT",
    "Sun Jun  1 12:00:00 2025", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
)  # fmt: skip
RANGES = (
    "bytes=0-0", "bytes=1-2", "bytes=0-", "bytes=5-", "bytes=6-", "bytes=-1", "bytes=-6", "bytes=-7", "bytes=-0",
    "bytes=0-5", "bytes=0-6", "bytes=2-1", "bytes=0-1,3-4", "bytes=3-4,0-1", "bytes=0-1,1-2", "bytes=0-5,0-5",
    "bytes=0-1,0-1,0-1", "bytes=0-1,1-2,2-3", "bytes=0-0,2-2,4-4", "bytes=-1,-2", "bytes=-1,-2,-3", "bytes=0-1,9-9",
    "bytes=", "bytes", "bytes=-", "bytes=1", "bytes=a-b", "bytes=1-2,", "bytes=,1-2", "bytes=1-2,,3-4", "bytes=--1",
    "bytes=1-2x", "BYTES=1-2", "Bytes = 1 - 2", " bytes=1-2", "bytes=1-2 , 4-4", "unknown=", "unknown=1-2", "=1-2",
    "unknown=x", "bytes=99999999999999999999-", "bytes=9223372036854775807-", "bytes=0-9223372036854775808", "",
    "x y=1-2",
)  # fmt: skip
IF_RANGES = (
    None, TAG, '"x"', "*", DATE, SECOND, LATER, EARLIER, "garbage", '"x", "y"', '"x', "W/", '""', "",
    "Sunday, 01-Jun-25 12:00:00 GMT",
)  # fmt: skip
FILES = ("/a.txt", "/nope", "/empty.txt", "/sub/", "/sub", "/strong/a.txt", "/strong/nope", "/")
CONTENT_RANGES = (
    None, "bytes 0-1/6", "bytes 1-2/6", "bytes 4-5/6", "bytes 5-6/9", "bytes 0-1/2", "bytes 0-1/20", "BYTES 0-1/6",
    "bytes 0-2/6", "bytes 0-0/6", "bytes 1-0/6", "bytes 0-1/1", "bytes */6", "bytes 0-1/*", "items 0-1/6",
    "bytes=0-1/6",
    "bytes 0 - 1 / 6", "bytes 0-1/6x", "", "bytes -1/6", "bytes 0-1", "bytes 0-99999999999999999999/6",
)  # fmt: skip


def _fields(**fields: str | None) -> list[str]:
    return [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]


def _conditions() -> list[Case]:
    rows = pairwise(("GET", "HEAD", "POST", "OPTIONS"), FILES, LISTS, LISTS, DATES, DATES)
    cases = [
        request(
            method, path,
            *_fields(If_Match=match, If_None_Match=none, If_Modified_Since=since, If_Unmodified_Since=until),
        )
        for method, path, match, none, since, until in rows
    ]  # fmt: skip
    # In the rows above an If-Match hides what stands behind it.
    cases += [
        request("GET", path, f"{name}: {value}")
        for path in ("/a.txt", "/nope", "/strong/a.txt")
        for name, values in (
            ("If-Match", LISTS), ("If-None-Match", LISTS), ("If-Modified-Since", DATES), ("If-Unmodified-Since", DATES)
        )
        for value in values
        if value is not None
    ]  # fmt: skip
    cases += [
        request("GET", "/a.txt", *(f"{name}: {value}" for value in pair))
        for name, pair in (
            *product(
                ("If-Match", "If-None-Match"), ((TAG, '"x"'), ('"x"', TAG), ("*", "*"), ("*", '"x"'), ('"y"', "*"))
            ),
            *product(("If-Modified-Since", "If-Unmodified-Since", "If-Range"), ((DATE, DATE), (LATER, EARLIER))),
        )
    ]
    return cases


def _ranges() -> list[Case]:
    cases = [
        request("GET", path, f"Range: {value}")
        for path in ("/a.txt", "/strong/a.txt", "/empty.txt", "/noext", "/nope")
        for value in RANGES
    ]
    cases += [
        request(method, path, *_fields(Range=value, If_Range=condition))
        for method, path, value, condition in pairwise(
            ("GET", "HEAD", "POST"),
            ("/a.txt", "/big.bin", "/empty.txt", "/nope", "/sub/", "/listed/z.txt"),
            RANGES,
            IF_RANGES,
        )
    ]
    return cases


def _changes() -> tuple[list[Case], dict[str, str | bytes]]:
    """Each case has a file of its own, so that what one changes is not seen by the next."""
    cases: list[Case] = []
    files: dict[str, str | bytes] = {}
    rows = [
        *pairwise(
            ("PUT", "DELETE"), ("file", "missing", "directory", "empty", "below", "slash"),
            (None, "*", '"x"', "own", "x"), (None, "*", '"x"', "own", '*,"x"'), (None, DATE, EARLIER, "garbage"),
        ),
        *((("PUT"), state, None, None, None, value) for state in ("file", "missing",
        "directory") for value in CONTENT_RANGES),
    ]  # fmt: skip
    for number, row in enumerate(rows):
        method, state, match, none, until = row[:5]
        content_range = row[5] if len(row) > 5 else None
        name = f"/change/{number}"
        path = {"below": f"{name}.txt/x", "slash": f"{name}.new/", "directory": f"{name}.d", "empty": f"{name}.d"}.get(
            state, f"{name}.txt"
        )
        files |= {f"{number}.txt": b"123456"} if state in ("file", "below") else {}
        files |= {f"{number}.d/x": b"x"} if state == "directory" else {}
        own = TAG if state == "file" else '"y"'
        fields = _fields(
            If_Match=own if match == "own" else match, If_None_Match=own if none == "own" else none,
            If_Unmodified_Since=until, Content_Range=content_range,
        )  # fmt: skip
        cases.append(request(method, path, *fields, body=b"ab" if method == "PUT" else b""))
        cases.append(request("GET", path, looks=True))
    return cases, files


def _tables() -> list[Table]:
    changes, files = _changes()
    strong = (
        "<servlet><servlet-name>default</servlet-name>"
        "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class><init-param>"
        "<param-name>useStrongETags</param-name><param-value>true</param-value></init-param></servlet>"
    )
    writable = strong.replace("useStrongETags", "readonly").replace("true", "false")
    return [
        Table("conditions", _conditions(), {"strong": {"a.txt": b"hello\n", "WEB-INF/web.xml": strong}}),
        Table("ranges", _ranges()),
        Table("changes of files", changes, {"change": {**files, "WEB-INF/web.xml": writable}}),
    ]


TABLES = _tables()
