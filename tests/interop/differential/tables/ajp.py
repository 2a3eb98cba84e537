"""AJP packets, as a web server sends them; each on a connection of its own."""

from __future__ import annotations

from itertools import product

from tests.coyote.ajp.web_server import CPING, attribute, body, forward_request, packet, text
from tests.interop.differential.case import Case, Table, pairwise

FIELDS: tuple[list[tuple[str | int, str]], ...] = (
    [(0xA00B, "localhost")], [("Host", "localhost")], [], [(0xA00B, "localhost"), (0xA00E, "agent")], [(0xA00B,
    "localhost"), ("X-A", "v"), ("X-A", "w")], [(0xA00B, "other.example:81")], [(0xA00B, "")], [(0xA00B, "localhost"),
    (0xA0FF, "x")],
    [(0xA00B, "localhost"), (0xA009, "a=b")], [(0xA00B, "a b")], [(0xA00B, "localhost"), ("X A", "v")], [(0xA00B,
    "localhost"), ("", "v")],
)  # fmt: skip
URIS = (
    "/x",
    "/headers",
    "/nope",
    "/x;jsessionid=A",
    "/%41",
    "/a%2Fb",
    "/..",
    "/a/../x",
    "",
    "x",
    "*",
    "/%",
    "/%00",
    "/a\\b",
    "/x y",
)
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "FOO", "get", "")
ATTRIBUTES: tuple[list[bytes], ...] = (
    [], [attribute(5, "q=1")], [attribute(5, "")], [attribute(3, "joe")], [attribute(3, "joe"), attribute(4,
    "Basic")], [attribute(6, "route")], [attribute(8, "AES128-SHA")], [attribute(11, 128)], [attribute(9, "AB")],
    [attribute(10, "x-own", "v")], [attribute(10, "JK_LB", "v")],
    [attribute(10, "AJP_REMOTE_PORT", "99")], [attribute(10, "AJP_LOCAL_ADDR", "10.1.1.1")], [attribute(12,
    "secret")], [attribute(1, "/ctx")], [attribute(2, "servlet")], [attribute(7, "cert")], [attribute(14, "x")],
    [b"\x63"], [attribute(10, "other", "v")],
)  # fmt: skip
BODIES = (b"", b"x", b"a=b&c=d", b"x" * 5000)
BROKEN = (
    b"", b"\x02", b"\x02\x02", b"\x63", b"\x0a", b"\x02\x63" + text("HTTP/1.1"),
    b"\x02\x02" + text("HTTP/1.1") + text("/x"), b"\x02\x02\xff\xfe", b"\x08", b"\x07", b"\x02\x02" + b"\xff" * 40,
    b"\x02\x02" + b"\x00" * 40,
)  # fmt: skip
MAGIC = (b"\x12\x34", b"\x41\x42", b"\x00\x00", b"\x34\x12", b"GE")
#: Asks for the end of the connection: what comes behind a request on it is seen, and then nothing more.
LAST = packet(forward_request(uri="/g/x", fields=[(0xA00B, "localhost"), (0xA003, "close")]))


def _case(data: bytes, *meaning: object) -> Case:
    return Case(data, "ajp", alone=True, note=" ".join(map(repr, meaning or (data,))))


def _requests() -> list[Case]:
    cases = [
        _case(
            packet(forward_request(method, uri, fields, list(attributes), is_tls, protocol)) + LAST,
            method,
            uri,
            fields,
            attributes,
            protocol,
        )
        for method, uri, fields, attributes, is_tls, protocol in pairwise(
            METHODS, URIS, FIELDS, ATTRIBUTES, (False, True), ("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "x")
        )
        if method != "POST"
    ]
    cases += [
        _case(packet(forward_request("GET", uri, fields)) + LAST, uri, fields)
        for uri, fields in product(URIS, FIELDS[:2])
    ]
    cases += [
        _case(packet(forward_request("GET", "/g/x", FIELDS[0], list(attributes))) + LAST, attributes)
        for attributes in ATTRIBUTES
    ]
    cases += [_case(packet(forward_request(method, "/g/x", FIELDS[0])) + LAST, method) for method in METHODS]
    return cases


def _bodies() -> list[Case]:
    cases = []
    for data, length, method in product(BODIES, ("right", "none", "zero", "x"), ("POST", "PUT")):
        if not data and length == "none":
            continue
        number = {"right": str(len(data)), "zero": "0", "x": "x"}.get(length)
        fields: list[tuple[str | int, str]] = [(0xA00B, "localhost")]
        fields += [] if number is None else [(0xA008, number)]
        # A container may ask for more; a web server that has no more sends an empty packet.
        sent = body(data) + packet(b"") if data and length in ("right", "none") else b""
        cases.append(_case(packet(forward_request(method, "/g/body", fields)) + sent + LAST, method, len(data), length))
    cases += [_case(CPING * times + LAST) for times in (1, 2, 5)]
    cases += [_case(packet(payload) + LAST) for payload in BROKEN]
    cases += [_case(magic + b"\x00\x01\x0a") for magic in MAGIC]
    cases += [_case(b"\x12\x34" + length.to_bytes(2, "big") + b"\x02" * 10) for length in (0, 9, 11, 8188, 8189, 65535)]
    return cases


TABLES = [Table("ajp", [*_requests(), *_bodies()])]
