"""The packets of a container in AJP/1.3 (Tomcat: coyote/ajp/AjpProcessor.prepareResponse)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator

from catalina.coyote.ajp.packets import HEAD_SIZE, packet
from catalina.errors import LimitError

__all__ = ["CPONG", "FLUSH", "body_packets", "end_response", "get_body_chunk", "response_head"]

SEND_BODY_CHUNK, SEND_HEADERS, END_RESPONSE, GET_BODY_CHUNK, CPONG_REPLY = 3, 4, 5, 6, 9

RESPONSE_FIELDS = {
    "content-type": 0xA001,
    "content-language": 0xA002,
    "content-length": 0xA003,
    "date": 0xA004,
    "last-modified": 0xA005,
    "location": 0xA006,
    "set-cookie": 0xA007,
    "set-cookie2": 0xA008,
    "servlet-engine": 0xA009,
    "status": 0xA00A,
    "www-authenticate": 0xA00B,
}

#: Around the data of a body packet: type, length before it; a NUL behind it.
BODY_OVERHEAD = HEAD_SIZE + 4

CPONG = packet(bytes((CPONG_REPLY,)))
#: A body packet without data: the web server then passes on everything that it has.
FLUSH = packet(bytes((SEND_BODY_CHUNK, 0, 0, 0)))

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SHORT = struct.Struct(">H")


def _text(text: str) -> bytes:
    data = _CONTROLS.sub(" ", text).encode("latin-1", "replace")
    if len(data) >= 0xFFFF:
        raise LimitError(f"text of {len(data)} bytes in an AJP packet")
    return _SHORT.pack(len(data)) + data + b"\0"


def response_head(status: int, reason: str, fields: Iterable[tuple[str, str]], packet_size: int) -> bytes:
    """The packet with status and fields.

    Raises:
        LimitError: the packet is longer than ``packet_size``.
    """
    parts = []
    for name, value in fields:
        code = RESPONSE_FIELDS.get(name.lower())
        parts.append((_SHORT.pack(code) if code else _text(name)) + _text(value))
    head = struct.pack(">BH", SEND_HEADERS, status) + _text(reason) + _SHORT.pack(len(parts)) + b"".join(parts)
    if HEAD_SIZE + len(head) > packet_size:
        raise LimitError(f"response head of {HEAD_SIZE + len(head)} bytes, limit packetSize {packet_size}")
    return packet(head)


def body_packets(data: bytes, packet_size: int) -> Iterator[bytes]:
    """Bytes of the body in packets; none for no data."""
    size = packet_size - BODY_OVERHEAD
    for at in range(0, len(data), size):
        part = data[at : at + size]
        yield packet(struct.pack(">BH", SEND_BODY_CHUNK, len(part)) + part + b"\0")


def end_response(reuse: bool) -> bytes:
    """The response is complete; with ``reuse`` the connection takes the next request."""
    return packet(bytes((END_RESPONSE, int(reuse))))


def get_body_chunk(packet_size: int) -> bytes:
    """Ask for as much of the request's body as a packet holds: a body packet has its length in front of the data."""
    return packet(struct.pack(">BH", GET_BODY_CHUNK, packet_size - HEAD_SIZE - 2))
