"""The web server's half of AJP/1.3, for tests: an independent encoder and decoder."""

from __future__ import annotations

import struct

METHODS = {"OPTIONS": 1, "GET": 2, "HEAD": 3, "POST": 4, "PUT": 5, "DELETE": 6}


def text(value: str | bytes | None) -> bytes:
    if value is None:
        return b"\xff\xff"
    data = value if isinstance(value, bytes) else value.encode("latin-1")
    return struct.pack(">H", len(data)) + data + b"\0"


def packet(payload: bytes) -> bytes:
    return b"\x12\x34" + struct.pack(">H", len(payload)) + payload


def forward_request(
    method: str = "GET",
    uri: str = "/",
    fields: list[tuple[str | int, str]] | None = None,
    attributes: list[bytes] | None = None,
    is_tls: bool = False,
    protocol: str = "HTTP/1.1",
) -> bytes:
    """A payload. A field's name may be its code; attributes are encoded already (:func:`attribute`)."""
    fields = [(0xA00B, "shop.example.org")] if fields is None else fields
    code = METHODS.get(method, 0xFF)
    parts = [
        bytes((2, code)),
        *(text(value) for value in (protocol, uri, "10.1.2.3", "client.example.org", "web.example.org")),
        struct.pack(">HBH", 8443 if is_tls else 8080, is_tls, len(fields)),
    ]
    for name, value in fields:
        parts.append((struct.pack(">H", name) if isinstance(name, int) else text(name)) + text(value))
    parts.extend(attributes or [])
    if code == 0xFF:
        parts.append(attribute(13, method))
    return b"".join([*parts, b"\xff"])


def attribute(code: int, *values: str | int) -> bytes:
    return bytes((code,)) + b"".join(
        struct.pack(">H", value) if isinstance(value, int) else text(value) for value in values
    )


def body(data: bytes) -> bytes:
    """A body packet; empty data is the end of a body."""
    return packet(struct.pack(">H", len(data)) + data if data else b"")


CPING = packet(b"\x0a")


class Reader:
    """Reads what a container sends."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        taken, self.data = self.data[:size], self.data[size:]
        assert len(taken) == size
        return taken

    def short(self) -> int:
        return int(struct.unpack(">H", self.take(2))[0])

    def text(self) -> str:
        value = self.take(self.short()).decode("latin-1")
        assert self.take(1) == b"\0"
        return value


FIELDS = ("", "Content-Type", "Content-Language", "Content-Length", "Date", "Last-Modified", "Location", "Set-Cookie",
          "Set-Cookie2", "Servlet-Engine", "Status", "WWW-Authenticate")  # fmt: skip


def decode(payload: bytes) -> tuple[object, ...]:
    """("headers", status, fields), ("body", data), ("end", reuse), ("get", size) or ("cpong",)."""
    reader = Reader(payload[1:])
    kind = payload[0]
    if kind == 3:
        data = reader.take(reader.short())
        assert reader.data == b"\0"
        return ("body", data)
    if kind == 4:
        status = reader.short()
        reader.text()
        fields = []
        for _ in range(reader.short()):
            if reader.data[:1] == b"\xa0":
                name = FIELDS[reader.short() & 0xFF]
            else:
                name = reader.text()
            fields.append((name, reader.text()))
        return ("headers", status, fields)
    if kind == 5:
        return ("end", payload[1] == 1)
    if kind == 6:
        return ("get", reader.short())
    assert kind == 9
    return ("cpong",)
