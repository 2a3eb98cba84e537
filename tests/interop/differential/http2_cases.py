"""Raw HTTP/2 after the sections of RFC 9113 and RFC 7541: name, bytes, streams whose outcome counts."""

from __future__ import annotations

import base64
import struct
from typing import Any, NamedTuple

from catalina.coyote.http2.http2_parser import PREFACE, frame
from tests.coyote.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST,
    SETTINGS,
    START,
    WINDOW_UPDATE,
    block,
    data,
    headers,
    rst,
    settings,
    window_update,
)

__all__ = ["CASES", "Case"]

MANY = [(f"x-{number}", "1") for number in range(120)]
NOTHING = {"method": None, "scheme": None, "path": None, "authority": None}
#: A request that must be served as if nothing had happened.
NEXT = headers(99, path="/a.txt")


class Case(NamedTuple):
    """Bytes behind the preface and the client's SETTINGS, unless ``whole``."""

    name: str
    sent: bytes
    streams: tuple[int, ...] = (1,)
    whole: bool = False

    @property
    def bytes(self) -> bytes:
        return self.sent if self.whole else START + self.sent


def get(*fields: tuple[str, str], number: int = 1, end: bool = True, **pseudo: str | None) -> bytes:
    return headers(number, *fields, end=end, **{"path": "/a.txt", "authority": "localhost", **pseudo})


def post(*fields: tuple[str, str], number: int = 1, end: bool = False, **pseudo: str | None) -> bytes:
    return get(*fields, number=number, end=end, **{"method": "POST", "path": "/body", **pseudo})


def raw(*parts: bytes, number: int = 1, flags: int = END_HEADERS | END_STREAM) -> bytes:
    """HEADERS with a block of one's own."""
    return frame(HEADERS, flags, number, b"".join(parts))


def literal(name: bytes, value: bytes, first: bytes = b"\x00") -> bytes:
    return first + bytes([len(name)]) + name + _length(value) + value


def _length(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes([len(value)])
    rest, out = len(value) - 127, b"\x7f"
    while rest >= 128:
        out += bytes([rest % 128 + 128])
        rest //= 128
    return out + bytes([rest])


#: GET, http, and the names of path and authority by their index: Tomcat takes no pseudo field by a literal name.
LINE = b"\x82\x86\x04\x06/a.txt\x01\x09localhost"


def trailers(*fields: tuple[str, str], number: int = 1, end: bool = True) -> bytes:
    return headers(number, *fields, end=end, **NOTHING)


def in_three(flags: int = END_STREAM, number: int = 1) -> list[bytes]:
    """A request in HEADERS and two CONTINUATIONs."""
    whole = block(path="/a.txt", authority="localhost")
    return [
        frame(HEADERS, flags, number, whole[:3]),
        frame(CONTINUATION, 0, number, whole[3:6]),
        frame(CONTINUATION, END_HEADERS, number, whole[6:]),
    ]


def upgrade(
    settings_field: str | None, *fields: str, method: str = "GET", path: str = "/a.txt", body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"]
    if settings_field is not None:
        lines.append(f"HTTP2-Settings: {settings_field}")
    return "\r\n".join([*lines, *fields]).encode() + b"\r\n\r\n" + body + START


def encoded(*pairs: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(b"".join(struct.pack(">HI", *pair) for pair in pairs)).decode().rstrip("=")


STARTING = [
    Case("3.4 nothing but the preface", START, (), True),
    Case("3.4 a request behind it", get()),
    Case("3.4 a wrong preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + frame(SETTINGS, 0, 0), (), True),
    Case("3.4 no SETTINGS first", PREFACE + frame(PING, 0, 0, bytes(8)), (), True),
    Case("3.4 a request first", PREFACE + get(), (), True),
    Case("3.4 an acknowledgement first", PREFACE + frame(SETTINGS, 1, 0), (), True),
    Case("3.4 SETTINGS on a stream first", PREFACE + frame(SETTINGS, 0, 1), (), True),
    Case("3.4 SETTINGS with values", PREFACE + settings((1, 4096), (3, 100), (4, 65_535)) + get(), (1,), True),
    Case("3.2 upgrade", upgrade(encoded((3, 100), (4, 65_535))), (1,), True),
    Case("3.2 upgrade with a further request", upgrade(encoded((3, 100))) + get(number=3), (1, 3), True),
    Case("3.2 upgrade with no settings in it", upgrade(""), (1,), True),
    Case("3.2 upgrade without HTTP2-Settings", upgrade(None), (), True),
    Case(
        "3.2 upgrade with two HTTP2-Settings", upgrade(encoded((3, 1)), f"HTTP2-Settings: {encoded((3, 1))}"), (), True
    ),
    Case(
        "3.2 upgrade of a POST",
        upgrade(encoded((3, 100)), "Content-Length: 3", method="POST", path="/body", body=b"abc"),
        (1,),
        True,
    ),
    Case("3.2 upgrade and DATA on stream 1", upgrade(encoded((3, 100))) + data(1, b"x", True), (1,), True),
    Case("3.2 upgrade and HEADERS on stream 1", upgrade(encoded((3, 100))) + get(), (1,), True),
    Case("3.2 upgrade to a 404", upgrade(encoded((3, 100)), path="/nope"), (1,), True),
    Case("3.2 upgrade with a shut window", upgrade(encoded((4, 0))), (), True),
]
FRAMES = [
    Case("4.1 an unknown frame", frame(99, 0, 0, b"x") + get()),
    Case("4.1 an unknown frame on a stream", post() + frame(99, 0, 1, b"x") + data(1, b"abc", True)),
    Case("4.1 an unknown frame with flags", frame(99, 255, 7, b"x" * 100) + get()),
    Case("4.1 unknown flags", frame(PING, 0xFE, 0, bytes(8)) + get()),
    Case("4.1 the reserved bit", struct.pack(">IBBI", 8, PING, 0, 2**31)[1:] + bytes(8) + get()),
    Case("4.2 a frame of the largest size", post() + data(1, bytes(16_384)) + data(1, b"", True)),
    Case("4.2 DATA that is too large", post() + data(1, bytes(16_385), True)),
    Case("4.2 HEADERS that are too large", raw(LINE, bytes(16_385))),
    Case("4.2 SETTINGS that are too large", settings(*[(3, 1)] * 2731)),
    Case("4.2 an unknown frame that is too large", frame(99, 0, 0, bytes(16_385))),
    Case("4.3 half a block", raw(LINE[:-3])),
    Case("4.3 a block with an unknown index", raw(LINE, b"\xbe")),
    Case("4.3 index zero", raw(LINE, b"\x80")),
    Case("4.3 PRIORITY inside of a block", in_three()[0] + frame(PRIORITY, 0, 1, bytes(5)) + in_three()[1]),
    Case("4.3 PING inside of a block", in_three()[0] + frame(PING, 0, 0, bytes(8))),
    Case("4.3 HEADERS of another stream inside of a block", in_three()[0] + get(number=3)),
    Case("4.3 RST_STREAM inside of a block", in_three()[0] + rst(1) + get(number=3), (3,)),
    Case("4.3 an unknown frame inside of a block", in_three()[0] + frame(99, 0, 0)),
]
STATES = [
    Case("5.1 DATA on an idle stream", data(1, b"x"), ()),
    Case("5.1 RST_STREAM on an idle stream", rst(1), ()),
    Case("5.1 WINDOW_UPDATE on an idle stream", window_update(1, 1000), ()),
    Case("5.1 CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1, LINE), ()),
    Case("5.1 PRIORITY on an idle stream", frame(PRIORITY, 0, 7, bytes(5)) + get()),
    Case("5.1 PRIORITY_UPDATE for an idle stream", frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x07u=1") + get()),
    Case("5.1 DATA behind the end", get(path="/big.bin") + data(1, b"x"), (1,)),
    Case("5.1 HEADERS behind the end", get(path="/big.bin") + get(), (1,)),
    Case("5.1 CONTINUATION behind the end", get(path="/big.bin") + frame(CONTINUATION, END_HEADERS, 1, LINE), ()),
    Case(
        "5.1 WINDOW_UPDATE behind the end", get(path="/big.bin") + window_update(1, 100_000) + window_update(0, 100_000)
    ),
    Case("5.1 DATA behind RST_STREAM", post() + rst(1) + data(1, b"x" * 2000) + get(number=3), (3,)),
    Case("5.1 HEADERS behind RST_STREAM", post() + rst(1) + trailers(("x", "1")) + get(number=3), (3,)),
    Case("5.1 RST_STREAM of an open stream", post() + rst(1) + get(number=3), (3,)),
    Case("5.1 RST_STREAM of a half closed stream", get(path="/big.bin") + rst(1) + get(number=3), (3,)),
    Case("5.1.1 an even number", get(number=2), ()),
    Case("5.1.1 a lower number", get(number=5) + get(number=3), ()),
    Case("5.1.1 numbers that are left out", get(number=5) + get(number=77), (5, 77)),
    Case("5.1.1 the largest number", get(number=2**31 - 1), (2**31 - 1,)),
    Case("5.1.1 a stream below one that is closed", get(number=99) + window_update(1, 5000), (99,)),
    Case(
        "5.1.2 as many streams as allowed",
        b"".join(post(number=number) for number in range(1, 41, 2)) + data(1, b"a", True),
    ),
    Case("5.1.2 one stream more", b"".join(post(number=number) for number in range(1, 43, 2)), (41,)),
    Case("5.4.1 two errors", data(1, b"x") + data(3, b"x"), ()),
    Case("5.5 an unknown setting", settings((77, 5)) + get()),
]
KINDS = [
    Case("6.1 DATA on stream 0", frame(DATA, 0, 0, b"x"), ()),
    Case("6.1 a body", post() + data(1, b"abc", True)),
    Case("6.1 a body with padding", post() + frame(DATA, PADDED | END_STREAM, 1, b"\x02abc\0\0")),
    Case("6.1 a body that is padding", post() + frame(DATA, PADDED | END_STREAM, 1, b"\x02\0\0")),
    Case("6.1 padding of nothing", post() + frame(DATA, PADDED | END_STREAM, 1, b"\0abc")),
    Case("6.1 padding as long as the frame", post() + frame(DATA, PADDED | END_STREAM, 1, b"\x03abc")[:-1] + b"c"),
    Case("6.1 padding longer than the frame", post() + frame(DATA, PADDED | END_STREAM, 1, b"\x09abc")),
    Case("6.1 padding with content", post() + frame(DATA, PADDED | END_STREAM, 1, b"\x02abc\0x")),
    Case("6.1 a padded frame without content", post() + frame(DATA, PADDED | END_STREAM, 1)),
    Case("6.1 an empty end", post() + data(1, b"x" * 2000) + data(1, b"", True)),
    Case("6.2 HEADERS on stream 0", raw(LINE, number=0), ()),
    Case("6.2 HEADERS with padding", frame(HEADERS, 13, 1, b"\x02" + LINE + b"\0\0")),
    Case("6.2 HEADERS with padding of nothing", frame(HEADERS, 13, 1, b"\x00" + LINE)),
    Case("6.2 HEADERS with too much padding", frame(HEADERS, 13, 1, b"\xff" + LINE)),
    Case(
        "6.2 HEADERS that are padding",
        frame(HEADERS, PADDED | END_STREAM, 1, b"\x02\0\0") + frame(CONTINUATION, 4, 1, LINE),
    ),
    Case("6.2 HEADERS with a priority", frame(HEADERS, 37, 1, b"\0\0\0\0\x10" + LINE)),
    Case("6.2 HEADERS that depend on themselves", frame(HEADERS, 37, 1, b"\0\0\0\x01\x10" + LINE)),
    Case("6.2 HEADERS with half a priority", frame(HEADERS, 37, 1, b"\0\0\0")),
    Case("6.2 HEADERS with priority and padding", frame(HEADERS, 45, 1, b"\x01\0\0\0\0\x10" + LINE + b"\0")),
    Case("6.2 HEADERS without content", frame(HEADERS, 5, 1)),
    Case("6.3 PRIORITY", frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + get()),
    Case("6.3 PRIORITY on stream 0", frame(PRIORITY, 0, 0, bytes(5)), ()),
    Case("6.3 PRIORITY of 4 bytes", get(path="/nope") + frame(PRIORITY, 0, 3, bytes(4)) + get(number=5), (5,)),
    Case("6.3 PRIORITY that depends on itself", frame(PRIORITY, 0, 1, b"\0\0\0\x01\x10") + get()),
    Case("6.4 RST_STREAM on stream 0", rst(0), ()),
    Case("6.4 RST_STREAM of 3 bytes", post() + frame(RST, 0, 1, bytes(3)), ()),
    Case("6.4 RST_STREAM with an unknown code", post() + rst(1, 12_345) + get(number=3), (3,)),
    Case("6.4 RST_STREAM twice", post() + rst(1) + rst(1) + get(number=3), (3,)),
    Case("6.5 SETTINGS without values", settings() + get()),
    Case("6.5 SETTINGS on a stream", frame(SETTINGS, 0, 1), ()),
    Case("6.5 SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, bytes(5)), ()),
    Case("6.5 an acknowledgement with content", frame(SETTINGS, 1, 0, bytes(6)), ()),
    Case("6.5 an acknowledgement too many", frame(SETTINGS, 1, 0) + get()),
    *(
        Case(f"6.5.2 setting {code} of {value}", settings((code, value)) + get())
        for code, value in [
            (1, 0),
            (1, 4096),
            (1, 65_536),
            (1, 65_537),
            (1, 2**32 - 1),
            (2, 0),
            (2, 1),
            (2, 2),
            (3, 0),
            (3, 2**32 - 1),
            (4, 2**31 - 1),
            (4, 2**31),
            (4, 2**32 - 1),
            (5, 2**14 - 1),
            (5, 2**14),
            (5, 2**24 - 1),
            (5, 2**24),
            (6, 0),
            (6, 2**32 - 1),
            (8, 1),
            (9, 0),
            (9, 1),
            (9, 2),
            (16, 1),
            (65_535, 0),
        ]
    ),
    Case("6.5.3 the last of two values", settings((4, 0), (4, 65_535)) + get()),
    Case("6.6 PUSH_PROMISE", frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + LINE), ()),
    Case("6.6 PUSH_PROMISE on an open stream", post() + frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + LINE), ()),
    Case("6.6 PUSH_PROMISE on stream 0", frame(PUSH_PROMISE, 4, 0, b"\0\0\0\x02" + LINE), ()),
    Case("6.7 PING", frame(PING, 0, 0, b"12345678") + get()),
    Case("6.7 PING on a stream", frame(PING, 0, 1, bytes(8)), ()),
    Case("6.7 PING of 7 bytes", frame(PING, 0, 0, bytes(7)), ()),
    Case("6.7 PING of 9 bytes", frame(PING, 0, 0, bytes(9)), ()),
    Case("6.7 an answer that nobody asked for", frame(PING, 1, 0, bytes(8)) + get()),
    Case("6.8 GOAWAY on a stream", frame(GOAWAY, 0, 1, bytes(8)), ()),
    Case("6.8 GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, bytes(7)), ()),
    Case("6.8 GOAWAY and nothing under way", frame(GOAWAY, 0, 0, bytes(8)), ()),
    Case("6.9 WINDOW_UPDATE of the connection", window_update(0, 100_000) + get()),
    Case("6.9 WINDOW_UPDATE by nothing", window_update(0, 0), ()),
    Case("6.9 WINDOW_UPDATE by nothing on a stream", post() + window_update(1, 0) + get(number=3), (1, 3)),
    Case("6.9 WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, bytes(3)), ()),
    Case("6.9 WINDOW_UPDATE of 3 bytes on a stream", post() + frame(WINDOW_UPDATE, 0, 1, bytes(3)), ()),
    Case("6.9 WINDOW_UPDATE of 5 bytes", frame(WINDOW_UPDATE, 0, 0, bytes(5)), ()),
    Case("6.9.1 the connection's window too large", window_update(0, 2**31 - 1), ()),
    Case("6.9.1 the connection's window just not too large", window_update(0, 2**31 - 1 - 65_535) + get()),
    Case("6.9.1 a stream's window too large", post() + window_update(1, 2**31 - 1) + get(number=3), (1, 3)),
    Case(
        "6.9.1 a large answer in two windows",
        get(path="/big.bin") + window_update(1, 65_535) + window_update(0, 65_535),
    ),
    Case("6.9.2 a shut window", settings((4, 0)) + get() + settings((4, 10)), ()),
    Case("6.9.2 a window that was shut", settings((4, 0)) + get() + settings((4, 70_000))),
    Case(
        "6.9.2 a window that grows too large",
        get(path="/big.bin") + window_update(1, 2**30) + settings((4, 2**31 - 1)),
        (),
    ),
    Case("6.10 CONTINUATION", b"".join(in_three())),
    Case(
        "6.10 CONTINUATION without content",
        in_three()[0] + frame(CONTINUATION, 0, 1, in_three()[1][9:] + in_three()[2][9:]) + frame(CONTINUATION, 4, 1),
    ),
    Case("6.10 CONTINUATION of nothing", frame(CONTINUATION, 4, 1, LINE), ()),
    Case("6.10 CONTINUATION behind a complete head", post() + frame(CONTINUATION, 4, 1, LINE), ()),
    Case("6.10 CONTINUATION on stream 0", in_three()[0] + frame(CONTINUATION, 4, 0, LINE), ()),
    Case("6.10 CONTINUATION of another stream", in_three()[0] + frame(CONTINUATION, 4, 3, LINE), ()),
    Case("6.10 CONTINUATION behind DATA", post() + data(1, b"x" * 2000) + frame(CONTINUATION, 4, 1, LINE), ()),
]
MESSAGES = [
    Case("8.1 a request with trailers", post() + data(1, b"x" * 2000) + trailers(("x-sum", "1"))),
    Case("8.1 trailers that are not the end", post() + trailers(("x-sum", "1"), end=False) + get(number=3), (1, 3)),
    Case("8.1 trailers with a pseudo field", post() + trailers((":path", "/")) + get(number=3), (1, 3)),
    Case("8.1 a second request on a stream", post() + post() + get(number=3), (1, 3)),
    Case("8.1 trailers without a field", post() + trailers()),
    Case("8.1 HEAD", get(method="HEAD")),
    Case("8.1 OPTIONS", get(method="OPTIONS")),
    Case("8.1 OPTIONS of the server", get(method="OPTIONS", path="*")),
    Case("8.1 an unknown method", get(method="FOO")),
    Case("8.1 TRACE", get(method="TRACE")),
    Case("8.1 what is not there", get(path="/nope")),
    Case("8.1.1 Content-Length of nothing", post(("content-length", "0"), end=True)),
    Case("8.1.1 Content-Length without a body", post(("content-length", "5"), end=True) + get(number=3), (1, 3)),
    Case("8.1.1 Content-Length as long as the body", post(("content-length", "3")) + data(1, b"abc", True)),
    Case(
        "8.1.1 Content-Length over the body",
        post(("content-length", "5")) + data(1, b"abc", True) + get(number=3),
        (1, 3),
    ),
    Case(
        "8.1.1 Content-Length under the body",
        post(("content-length", "2")) + data(1, b"abc", True) + get(number=3),
        (1, 3),
    ),
    Case(
        "8.1.1 Content-Length with trailers",
        post(("content-length", "5")) + data(1, b"a" * 2000) + trailers(("x", "1")),
        (1,),
    ),
    Case("8.1.1 Content-Length that is no number", post(("content-length", "abc")) + data(1, b"abc", True)),
    Case("8.1.1 Content-Length below zero", post(("content-length", "-3")) + data(1, b"abc", True)),
    Case("8.1.1 Content-Length twice", post(("content-length", "3"), ("content-length", "3")) + data(1, b"abc", True)),
    Case("8.2.1 an upper case name", get(("X-Upper", "1")) + get(number=3), (1, 3)),
    Case("8.2.1 an empty name", raw(LINE, literal(b"", b"1")) + get(number=3), (1, 3)),
    Case("8.2.1 a name with a space", get(("x y", "1")) + get(number=3), (1, 3)),
    Case("8.2.1 a name with a colon", get(("x:y", "1")) + get(number=3), (1, 3)),
    Case("8.2.1 a name that is no token", get(("x-(", "1")) + get(number=3), (1, 3)),
    Case("8.2.1 a name of the upper half", raw(LINE, literal(b"x\xe9", b"1")) + get(number=3), (1, 3)),
    *(
        Case(f"8.2.1 a value {value!r}", raw(LINE, literal(b"x", value)) + get(number=3), (1, 3))
        for value in (
            b"",
            b" a",
            b"a ",
            b"\ta",
            b"a\tb",
            b"a b",
            b"a\0b",
            b"a\rb",
            b"a\nb",
            b"a\x7fb",
            b"a\x01b",
            b"a\xe9b",
            b"a" * 200,
        )
    ),
    *(
        Case(f"8.2.2 {name}: {value}", get((name, value)) + get(number=3), (1, 3))
        for name, value in (
            ("connection", "close"),
            ("keep-alive", "1"),
            ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("te", "gzip"),
            ("te", "trailers, gzip"),
        )
    ),
    Case("8.2.3 cookies one by one", get(("cookie", "a=1"), ("cookie", "b=2"))),
    Case("8.3 an unknown pseudo field", get((":status", "200")) + get(number=3), (1, 3)),
    Case(
        "8.3 a pseudo field behind others",
        raw(b"\x82\x86\x04\x06/a.txt", literal(b"x", b"1"), b"\x01\x09localhost") + get(number=3),
        (1, 3),
    ),
    *(
        Case(f"8.3.1 {name} {value!r}", get(**dict[str, Any]({name: value})) + get(number=3), (1, 3))
        for name, value in (
            ("method", None),
            ("method", ""),
            ("method", "G ET"),
            ("method", "G(T"),
            ("scheme", None),
            ("scheme", ""),
            ("scheme", "https"),
            ("scheme", "ftp"),
            ("path", None),
            ("path", ""),
            ("path", "a.txt"),
            ("path", "*"),
            ("path", "/a|b"),
            ("path", "/%zz"),
            ("path", "/%2Fa"),
            ("path", "/a.txt?x=1"),
            ("path", "http://localhost/a.txt"),
            ("path", "/a.txt#x"),
            ("path", "/../a.txt"),
            ("path", "/a b"),
            ("authority", None),
            ("authority", ""),
            ("authority", "localhost:8080"),
            ("authority", "a b"),
            ("authority", "user@localhost"),
            ("authority", "[::1]"),
            ("authority", "localhost:x"),
            ("authority", "localhost:99999"),
        )
    ),
    *(
        Case(f"8.3.1 {name} twice", raw(LINE, again) + get(number=3), (1, 3))
        for name, again in (("method", b"\x82"), ("scheme", b"\x86"), ("path", b"\x84"), ("authority", b"\x01\x01a"))
    ),
    Case("8.3.1 Host instead of the authority", get(("host", "localhost"), authority=None)),
    Case("8.3.1 Host as the authority", get(("host", "localhost"))),
    Case("8.3.1 Host beside another authority", get(("host", "other")) + get(number=3), (1, 3)),
    Case("8.3.1 Host twice", get(("host", "localhost"), ("host", "localhost")) + get(number=3), (1, 3)),
    Case(
        "8.5 CONNECT", get(method="CONNECT", scheme=None, path=None, authority="localhost:443") + get(number=3), (1, 3)
    ),
    Case("8.5 CONNECT with a path", get(method="CONNECT") + get(number=3), (1, 3)),
    Case("8.6 Expect", post(("expect", "100-continue")) + data(1, b"abc", True)),
    Case("8.7 a body behind a refusal", post(path="/nope") + data(1, b"x" * 2000) + get(number=3), (3,)),
]
LIMITS = [
    Case("10.5 100 fields", get(*MANY[:90])),
    Case("10.5 too many fields", get(*MANY) + get(number=3), (1, 3)),
    Case("10.5 many cookies are one field", get(*[("cookie", f"c{number}=1") for number in range(150)])),
    Case("10.5 a head of 9 KB", raw(LINE, literal(b"x", b"a" * 9000)) + get(number=3), (1, 3)),
    Case("10.5 a head of 15 KB", raw(LINE, literal(b"x", b"a" * 15_000)) + get(number=3), (1, 3)),
    Case(
        "10.5 a head of 20 KB",
        frame(HEADERS, END_STREAM, 1, LINE + literal(b"x", b"a" * 16_000)[:16_000])
        + frame(CONTINUATION, 4, 1, b"a" * 40),
        (),
    ),
    Case(
        "10.5 small fields over the limit",
        raw(LINE, literal(b"x", b"a" * 4000, b"\x40"), b"\xbe" * 2) + get(number=3),
        (1, 3),
    ),
    Case("10.5 a header bomb", raw(LINE, literal(b"x", b"a" * 4000, b"\x40"), b"\xbe" * 200), ()),
    Case("10.5 trailers of 9 KB", post() + raw(literal(b"x", b"a" * 9000)) + get(number=3), (1, 3)),
    Case("10.5 too many trailers", post() + trailers(*MANY) + get(number=3), (1, 3)),
    Case("10.5 8 PINGs", 8 * frame(PING, 0, 0, bytes(8)), ()),
    Case("10.5 30 PINGs", 30 * frame(PING, 0, 0, bytes(8)), ()),
    Case("10.5 30 SETTINGS", 30 * settings((3, 1)), ()),
    Case("10.5 SETTINGS with 30 values", settings(*[(3, 1)] * 30), ()),
    Case("10.5 30 empty SETTINGS", 30 * settings(), ()),
    Case("10.5 30 PRIORITYs", 30 * frame(PRIORITY, 0, 1, bytes(5)), ()),
    Case("10.5 30 PRIORITY_UPDATEs", post() + 30 * frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x01u=1"), ()),
    Case("10.5 300 rapid resets", b"".join(post(number=number) + rst(number) for number in range(1, 601, 2)), ()),
    Case(
        "10.5 20 resets made by us",
        b"".join(post(number=number) + window_update(number, 0) for number in range(1, 41, 2)),
        (),
    ),
    Case("10.5 small DATA", post() + 30 * data(1, b"x"), ()),
    Case("10.5 empty DATA", post() + 30 * data(1, b""), ()),
    Case("10.5 one small DATA", post() + data(1, b"x") + data(1, b"", True)),
    Case("10.5 small WINDOW_UPDATEs", get(path="/big.bin") + 30 * window_update(0, 1), ()),
    Case("10.5 small WINDOW_UPDATEs of a stream", get(path="/big.bin") + 30 * window_update(1, 1), ()),
    Case("10.5 empty CONTINUATIONs", in_three()[0] + 30 * frame(CONTINUATION, 0, 1), ()),
    Case("10.5 small CONTINUATIONs", in_three()[0] + 300 * frame(CONTINUATION, 0, 1, b"\x82"), ()),
    Case("10.5 an endless block", in_three()[0] + 10 * frame(CONTINUATION, 0, 1, literal(b"x", b"a" * 4000)), ()),
    Case("10.5 more streams than allowed", b"".join(post(number=number) for number in range(1, 121, 2)), ()),
]
HPACK = [
    Case("7541 5.1 an integer without an end", raw(LINE, b"\xff\x80\x80\x80\x80"), ()),
    Case("7541 5.1 an integer that is too large", raw(LINE, b"\xff\xff\xff\xff\xff\xff\xff\x7f"), ()),
    Case("7541 5.2 a string that is cut short", raw(LINE, b"\x00\x05ab"), ()),
    Case("7541 5.2 Huffman with a padding of more than 7 bits", raw(LINE, b"\x00\x01x\x82\x1f\xff"), ()),
    Case("7541 5.2 Huffman with a padding of zeros", raw(LINE, b"\x00\x01x\x81\x18"), ()),
    Case("7541 5.2 Huffman with EOS", raw(LINE, b"\x00\x01x\x84\xff\xff\xff\xff"), ()),
    Case(
        "7541 6.2 a pseudo field by a literal name",
        raw(b"\x82\x86\x04\x06/a.txt", literal(b":authority", b"localhost")),
    ),
    Case("7541 5.2 a Huffman value", raw(b"\x82\x86\x41\x86\xa0\xe4\x1d\x13\x9d\x09\x04\x06/a.txt")),
    Case("7541 6.1 an index over the table", raw(LINE, b"\xfe"), ()),
    Case("7541 6.2 a field with an index over the table", raw(LINE, b"\x7e\x01x"), ()),
    Case("7541 6.2 a field that is never indexed", raw(LINE, literal(b"x", b"1", b"\x10"))),
    Case(
        "7541 6.2 an indexed field is there for the next",
        raw(LINE, literal(b"x", b"1", b"\x40")) + raw(LINE, b"\xbe", number=3),
        (1, 3),
    ),
    Case("7541 6.3 the table's size at the beginning", raw(b"\x20", LINE)),
    Case("7541 6.3 the table's size twice", raw(b"\x20\x3f\xe1\x1f", LINE)),
    Case("7541 6.3 the table's size at the end", raw(LINE, b"\x20"), ()),
    Case("7541 6.3 the table's size over ours", raw(b"\x3f\xe2\x1f", LINE), ()),
    Case(
        "7541 4.4 a field that is larger than the table",
        raw(LINE, literal(b"x", b"a" * 5000, b"\x40")) + raw(LINE, number=3),
        (1, 3),
    ),
    Case(
        "7541 the table goes on behind a stream error",
        raw(LINE, literal(b"x", b"1", b"\x40"), literal(b"te", b"gzip")) + raw(LINE, b"\xbe", number=3),
        (1, 3),
    ),
    Case(
        "7541 the table goes on behind a refused stream",
        b"".join(post(number=number) for number in range(1, 41, 2))
        + raw(LINE, literal(b"x", b"1", b"\x40"), number=41, flags=4)
        + rst(1)
        + raw(LINE, b"\xbe", number=43),
        (41, 43),
    ),
]

CASES = [*STARTING, *FRAMES, *STATES, *KINDS, *MESSAGES, *LIMITS, *HPACK]
