"""AJP/1.3 packets and the fields in them (Tomcat: coyote/ajp/AjpMessage.java).

Wire form of a packet, numbers big-endian::

    2 bytes  0x1234 from the web server, "AB" from the container
    2 bytes  n
    n bytes  payload
"""

from __future__ import annotations

import struct

from catalina.errors import LimitError, ProtocolError

__all__ = ["AjpReader", "PacketDecoder", "packet"]

FROM_SERVER = b"\x12\x34"
FROM_CONTAINER = b"AB"
HEAD_SIZE = 4
#: Length of a string that is null.
NULL = 0xFFFF

_SHORT = struct.Struct(">H")


class PacketDecoder:
    """Cuts the packets of a web server out of a byte stream, however it is chunked.

    Args:
        packet_size: the longest accepted packet, including its head (packetSize).
    """

    def __init__(self, packet_size: int = 8192) -> None:
        self.packet_size = packet_size
        self._buffer = b""
        self._at = 0  # start of the unread part; cutting the buffer at each packet would be quadratic
        self._consumed = 0

    def receive(self, data: bytes) -> None:
        """Append bytes of the stream."""
        self._buffer, self._at = self._buffer[self._at :] + data, 0

    def next_packet(self) -> bytes | None:
        """The payload of the next packet, None when more data is needed.

        Raises:
            ProtocolError: the stream is not AJP, or a packet is longer than allowed; close the connection.
        """
        buffer, at = self._buffer, self._at
        signature = buffer[at : at + 2]
        if not FROM_SERVER.startswith(signature):
            raise ProtocolError(f"Invalid message received with signature {signature!r}", self._consumed)
        if len(buffer) - at < HEAD_SIZE:
            return None
        (size,) = _SHORT.unpack_from(buffer, at + 2)
        if HEAD_SIZE + size > self.packet_size:
            raise LimitError(f"packet of {HEAD_SIZE + size} bytes, limit packetSize {self.packet_size}", self._consumed)
        end = at + HEAD_SIZE + size
        if len(buffer) < end:
            return None
        self._at = end
        self._consumed += HEAD_SIZE + size
        return buffer[at + HEAD_SIZE : end]

    @property
    def is_empty(self) -> bool:
        """True when the stream is between two packets."""
        return self._at == len(self._buffer)


class AjpReader:
    """Reads the fields of one payload, never past its end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError(f"field of {size} bytes at {self._at} in a packet of {len(self._data)}", self._at)
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        """One byte."""
        return self._take(1)[0]

    def boolean(self) -> bool:
        """One byte, 0 is false."""
        return self.byte() != 0

    def short(self) -> int:
        """Two bytes, unsigned."""
        number: int = _SHORT.unpack(self._take(2))[0]
        return number

    def peek_short(self) -> int:
        """Two bytes, which stay to be read."""
        number = self.short()
        self._at -= 2
        return number

    def text(self) -> bytes | None:
        """A string: its length, its bytes, a NUL; None for null."""
        size = self.short()
        if size == NULL:
            return None
        taken = self._take(size)
        if self._take(1) != b"\0":
            raise ProtocolError(f"string of {size} bytes without its NUL", self._at - 1)
        return taken

    def required_text(self, what: str) -> bytes:
        """A string that must not be null."""
        taken = self.text()
        if taken is None:
            raise ProtocolError(f"{what} is null", self._at)
        return taken

    def rest(self, size: int) -> bytes:
        """``size`` bytes without interpretation."""
        return self._take(size)


def packet(payload: bytes) -> bytes:
    """A packet of the container."""
    return FROM_CONTAINER + _SHORT.pack(len(payload)) + payload
