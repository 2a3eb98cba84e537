"""Packages: a message with its envelope (Tomcat: tribes/io/ChannelData.java; docs/wire.md 2.2).

    4      options
    8      timestamp, ms
    4 + n  unique id, 16 bytes from every known implementation
    4 + n  member record of the sender
    4 + n  message; what follows it in the package is ignored, as Java does

The head of a member's packages hardly changes, so both directions remember the member record: the encoder keeps its
bytes, the decoder keeps the member that the bytes stand for.
"""

from __future__ import annotations

import itertools
import struct
import uuid

from catalina.errors import ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.x_byte_buffer import END_DATA, START_DATA
from catalina.tribes.member import Member

__all__ = ["PackageDecoder", "PackageEncoder", "UniqueIds", "encode_package", "framed_size"]

_ENVELOPE = struct.Struct(">iqi")  # options, timestamp, length of the id
_FRAMED_ENVELOPE = struct.Struct(">7siiqi")
_LENGTH = struct.Struct(">i")
_MAX_ID = 64
#: Length of an envelope without the id, the member record and the message.
_FIXED_SIZE = _ENVELOPE.size + 2 * _LENGTH.size


class UniqueIds:
    """Ids of messages: 16 bytes in the form of a random UUID. The first half and a part of the second are random.

    Ids pair fragments and confirmations and reveal repetitions. They grant nobody access, so the rest can be a counter.
    """

    def __init__(self) -> None:
        start = uuid.uuid4().bytes
        self._first_half = start[:8]
        # The two bits of the UUID variant stay as they are as long as fewer than 2 ** 61 messages are sent.
        self._count = itertools.count(int.from_bytes(start[8:], "big") & ~(1 << 61))

    def next(self) -> bytes:
        """A new id. Any thread."""
        return self._first_half + next(self._count).to_bytes(8, "big")


class PackageEncoder:
    """Encodes and frames the packages of one sender; remembers the sender's record."""

    def __init__(self) -> None:
        self._member: Member | None = None
        self._member_block = b""

    def frame(self, message: ChannelMessage) -> bytes:
        """The whole frame of ``message``."""
        member = message.address
        if member is not self._member:
            record = member.encode()
            # Assigned before the member: another thread that sees the new member must also see its block.
            self._member_block = _LENGTH.pack(len(record)) + record
            self._member = member
        block = self._member_block
        data, unique_id = message.data, message.unique_id
        size = _FIXED_SIZE - _LENGTH.size + len(unique_id) + len(block) + len(data)
        return b"".join(
            (
                _FRAMED_ENVELOPE.pack(START_DATA, size, message.options, message.timestamp_ms, len(unique_id)),
                unique_id,
                block,
                _LENGTH.pack(len(data)),
                data,
                END_DATA,
            )
        )


def framed_size(message: ChannelMessage) -> int:
    """Bytes of the message's frame on the wire; the frame is not made."""
    return 18 + _FIXED_SIZE + len(message.unique_id) + message.address.record_size + len(message.data)


def encode_package(message: ChannelMessage) -> bytes:
    """The package of ``message`` without a frame."""
    return PackageEncoder().frame(message)[11:-7]


class PackageDecoder:
    """Decodes the packages of one connection; remembers the last sender's record, which repeats."""

    def __init__(self) -> None:
        self._record = b""
        self._member: Member | None = None

    def decode(self, package: bytes) -> ChannelMessage:
        """Read one package.

        Raises:
            ProtocolError: lengths do not fit, or there is no member record; close the connection.
        """
        try:
            options, timestamp, id_size = _ENVELOPE.unpack_from(package)
            at = _ENVELOPE.size + id_size
            (member_size,) = _LENGTH.unpack_from(package, at if id_size >= 0 else 0)
            record_end = at + 4 + member_size
            (size,) = _LENGTH.unpack_from(package, record_end if member_size >= 0 else 0)
        except struct.error:
            raise ProtocolError(f"envelope does not fit into a package of {len(package)} bytes") from None
        start = record_end + 4
        if not (0 <= id_size <= _MAX_ID and member_size > 0 and 0 <= size <= len(package) - start):
            raise ProtocolError(
                f"package of {len(package)} bytes with an id of {id_size}, a member of {member_size} and a message of "
                f"{size} bytes"
            )
        record = package[at + 4 : record_end]
        member = self._member
        if member is None or record != self._record:
            member = self._member = Member.decode(record)
            self._record = record
        return ChannelMessage(package[start : start + size], options, timestamp, package[16:at], member)
