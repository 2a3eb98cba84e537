"""Connectors that compress: which answers, for whom, and what caches are told."""

from __future__ import annotations

from itertools import product

from tests.interop.differential.case import Case, Table, pairwise, request

ACCEPTED = (
    None, "gzip", "GZIP", "x-gzip", "gzip;q=0", "gzip;q=0.5", "gzip;q=1.0, identity", "gzip, gzip;q=0",
        "gzip;q=0, gzip",
    "*", "*;q=0", "identity", "identity;q=0", "deflate", "deflate, gzip", "gzip ; q=0.1", "gzip;q=x", "gzip;q=", "",
    ",",
    ",gzip", "gzip,", "gzip;level=9", "gzip;q=0.0001", "gzip;q=2", "(gzip)", "g zip",
)  # fmt: skip
PATHS = (
    "/a.txt", "/index.html", "/empty.txt", "/big.bin", "/s.css", "/strong/a.txt", "/nope", "/sub/x.txt", "/g/x",
    "/g/x?type=text/html", "/g/x?type=TEXT/PLAIN", "/g/x?type=text/plain%3Bcharset=utf-8", "/g/x?type=image/png",
    "/g/x?type=text/plainer",
)  # fmt: skip
AGENTS = (None, "new", "very old one", "OLD", "")
METHODS = ("GET", "HEAD", "POST")
RANGES = (None, "bytes=0-2")


def _fields(**fields: str | None) -> list[str]:
    return [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]


def _cases() -> list[Case]:
    cases = [
        request(method, path, *_fields(Accept_Encoding=accepted, User_Agent=agent, Range=wanted), port=port)
        for port, method, path, accepted, agent, wanted in pairwise(
            ("zip", "force"), METHODS, PATHS, ACCEPTED, AGENTS, RANGES
        )
    ]
    cases += [
        request("GET", path, *_fields(Accept_Encoding=accepted), port=port)
        for port, path, accepted in product(("zip", "force"), ("/g/x", "/a.txt", "/big.bin"), ACCEPTED)
    ]
    cases += [
        request("GET", path, "Accept-Encoding: gzip", "Range: bytes=0-99", port=port)
        for port, path in product(("zip", "force"), ("/a.txt", "/big.bin", "/strong/a.txt"))
    ]
    cases += [
        request("GET", "/g/x", f"Accept-Encoding: {first}", f"Accept-Encoding: {second}", port="zip")
        for first, second in product(("gzip", "gzip;q=0", "identity", "x"), repeat=2)
    ]
    return cases


TABLES = [Table("compression", _cases())]
