"""Frames: packages in a byte stream (Tomcat: tribes/io/XByteBuffer.java; docs/wire.md 2.1).

    7 bytes  FLT2002
    4 bytes  n, big-endian
    n bytes  package
    7 bytes  TLF2003

Nothing is escaped: the markers may occur in a package. Frames follow one another without separators. A package that
asked for an acknowledgement is answered with a frame that contains three bytes in place of a package: :data:`ACK`,
:data:`FAIL_ACK`.
"""

from __future__ import annotations

import struct

from catalina.errors import LimitError, ProtocolError

__all__ = [
    "ACK",
    "DEFAULT_MAX_PACKAGE",
    "END_DATA",
    "FAIL_ACK",
    "HEAD",
    "START_DATA",
    "FrameDecoder",
    "frame",
]

START_DATA, END_DATA = b"FLT2002", b"TLF2003"
HEAD = struct.Struct(">7si")
#: Limit for the length of a package, which the peer chooses; a state transfer of 100,000 sessions of 2 KiB fits.
DEFAULT_MAX_PACKAGE = 256 * 2**20

ACK_BODY, FAIL_ACK_BODY = b"\x06\x02\x03", b"\x0b\x00\x05"


def frame(package: bytes) -> bytes:
    """Put the markers around a package."""
    return b"".join((HEAD.pack(START_DATA, len(package)), package, END_DATA))


ACK, FAIL_ACK = frame(ACK_BODY), frame(FAIL_ACK_BODY)


class FrameDecoder:
    """Cuts packages out of a byte stream, however it is chunked.

    Cost: whole frames are cut out of a read without a copy of the read; only an incomplete rest waits in a buffer.

    Args:
        max_package: largest package accepted, in bytes.
    """

    __slots__ = ("_buffer", "_consumed", "max_package")

    def __init__(self, max_package: int = DEFAULT_MAX_PACKAGE) -> None:
        self.max_package = max_package
        self._buffer = bytearray()
        self._consumed = 0  # stream offset of _buffer[0], for errors

    @property
    def buffered(self) -> int:
        """Bytes of an unfinished frame that waits for its rest."""
        return len(self._buffer)

    def receive_data(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream; return the packages that are complete now.

        Raises:
            ProtocolError: the stream is not Tribes; close the connection.
            LimitError: a package exceeds ``max_package``.
        """
        buffer = self._buffer
        if not buffer:
            packages, used = self._cut(data)
            if used < len(data):
                buffer += data[used:]
        else:
            buffer += data
            packages, used = self._cut(buffer)
            if used:
                del buffer[:used]
        self._consumed += used
        return packages

    def _cut(self, data: bytes | bytearray) -> tuple[list[bytes], int]:
        """The packages in ``data``, and the number of bytes that they took."""
        packages: list[bytes] = []
        at, available = 0, len(data)
        head = HEAD.size
        while available - at >= head:
            marker, size = HEAD.unpack_from(data, at)
            if marker != START_DATA or not 0 <= size <= self.max_package:
                raise self._refusal(marker, size, at)
            end = at + head + size
            if end + 7 > available:
                break
            if data[end : end + 7] != END_DATA:
                raise ProtocolError(f"no {END_DATA!r} after {size} bytes of package", self._consumed + end)
            packages.append(bytes(data[at + head : end]))
            at = end + 7
        else:
            if at < available and not START_DATA.startswith(data[at : at + 7]):
                raise self._refusal(bytes(data[at : at + 7]), 0, at)
        return packages, at

    def _refusal(self, marker: bytes, size: int, at: int) -> ProtocolError:
        if marker != START_DATA:
            return ProtocolError(f"expected {START_DATA!r}, got {marker!r}", self._consumed + at)
        return LimitError(f"package of {size} bytes, limit {self.max_package}", self._consumed + at)
