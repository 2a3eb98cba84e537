"""A client's frames for tests, and what came back."""

from __future__ import annotations

import struct
from typing import Any

from hpack import Decoder, Encoder

from catalina.coyote.http2.http2_parser import PREFACE, frame
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http2.http2_upgrade_handler import Http2UpgradeHandler
from catalina.coyote.http2.request_fields import RequestFields

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 16
END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY = 1, 4, 8, 32
START = PREFACE + frame(SETTINGS, 0, 0)


def block(*fields: tuple[str, str], **pseudo: str | None) -> bytes:
    """A header block that depends on no other."""
    line = {"method": "GET", "scheme": "http", "path": "/", "authority": "shop", **pseudo}
    pairs = [(f":{name}", value) for name, value in line.items() if value is not None]
    encoder = Encoder()
    encoder.header_table_size = 0
    encoded: bytes = encoder.encode([(name.encode(), value.encode("latin-1")) for name, value in [*pairs, *fields]])
    return encoded


def headers(number: int = 1, *fields: tuple[str, str], end: bool = True, **pseudo: str | None) -> bytes:
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), number, block(*fields, **pseudo))


def data(number: int, content: bytes, end: bool = False) -> bytes:
    return frame(DATA, END_STREAM if end else 0, number, content)


def rst(number: int, code: int = 8) -> bytes:
    return frame(RST, 0, number, struct.pack(">I", code))


def window_update(number: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, number, struct.pack(">I", increment))


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def split(output: bytes) -> list[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each frame."""
    frames = []
    while output:
        size = int.from_bytes(output[:3])
        number = int.from_bytes(output[5:9])
        frames.append((output[3], output[4], number, output[9 : 9 + size]))
        output = output[9 + size :]
    return frames


class Server:
    """The server's half with a listener that notes what it is told."""

    def __init__(self, started: bool = True, **attributes: Any) -> None:
        names = ("max_header_size", "max_trailer_size", "connection_window")
        limits = {name: attributes.pop(name) for name in names if name in attributes}
        self.told: list[tuple[Any, ...]] = []
        self.requests: dict[int, RequestFields] = {}
        self.handler = Http2UpgradeHandler(Http2Protocol(**attributes), self, **limits)
        self.decoder = Decoder()
        if started:
            self.handler.start()
            self.receive(START)
            self.frames()

    def receive(self, *parts: bytes) -> None:
        self.handler.receive(b"".join(parts))

    def frames(self) -> list[tuple[int, int, int, bytes]]:
        return split(self.handler.take_output())

    def resets(self) -> dict[int, int]:
        """Stream -> code of the RST_STREAMs that are waiting to be sent."""
        return {number: int.from_bytes(payload) for kind, _, number, payload in self.frames() if kind == RST}

    def on_request(self, number: int, fields: RequestFields, ended: bool) -> None:
        self.requests[number] = fields
        self.told.append(("request", number, ended))

    def on_data(self, number: int, content: bytes, counted: int) -> None:
        self.told.append(("data", number, content, counted))

    def on_trailers(self, number: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.told.append(("trailers", number, fields))

    def on_end(self, number: int) -> None:
        self.told.append(("end", number))

    def on_reset(self, number: int) -> None:
        self.told.append(("reset", number))

    def on_room(self) -> None:
        self.told.append(("room",))

    def on_goaway(self) -> None:
        self.told.append(("goaway",))

    def on_stream_error(self, error: Any) -> None:
        self.told.append(("error", error.number, error.code))
