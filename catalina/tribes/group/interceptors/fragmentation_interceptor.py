"""Sends large messages in pieces (Tomcat: interceptors/FragmentationInterceptor.java)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence

from catalina.attributes import Attribute
from catalina.errors import LimitError, ProtocolError
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["FragmentationInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.FragmentationInterceptor")

_TAIL = struct.Struct(">ii?")
_WHOLE = b"\0"
#: Approximate memory that an incomplete message, and each of its pieces, takes besides its bytes.
_OVERHEAD = 400
#: The memory for pieces from nodes that are not, or not yet, members; a part of max_pending.
_MAX_PENDING_OF_STRANGERS = 4 * 1024 * 1024

#: The sender and the id of a message. The sender is included so that another node cannot spoil the message with the
#: same id.
_Key = tuple[Member, bytes]


class _Pieces:
    """The pieces of one message that have come so far."""

    __slots__ = ("count", "of_member", "pieces", "since", "size")

    def __init__(self, count: int, since: float, of_member: bool) -> None:
        self.count = count
        self.since = since
        self.of_member = of_member
        self.pieces: dict[int, bytes] = {}
        self.size = 0

    def add(self, number: int, piece: bytes) -> None:
        before = self.pieces.get(number)
        self.size += len(piece) + _OVERHEAD - (0 if before is None else len(before) + _OVERHEAD)
        self.pieces[number] = piece

    def joined(self) -> bytes:
        return b"".join(self.pieces[number] for number in range(self.count))


class FragmentationInterceptor(ChannelInterceptorBase):
    """Cuts messages into pieces and joins them on the other side.

    It needs every piece to arrive, in any order. It adds a tail to each message: one byte 0 for a whole one; number,
    count (4 bytes each, big-endian) and one byte 1 for a piece. Pieces of one message have the same unique id.
    """

    max_size = Attribute(int, 100 * 1024, unit="bytes", doc="Longer messages are cut at this size.")
    expire = Attribute(int, 60_000, unit="ms", doc="How long the pieces of a message are kept for the missing ones.")
    max_pending = Attribute(
        int,
        256 * 1024 * 1024,
        unit="bytes",
        doc="Bytes that all incomplete messages together may take; a message that goes beyond it is lost.",
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._repeated = RepeatedMessages(log)
        self._pending: dict[_Key, _Pieces] = {}
        #: Bytes, by whether members sent them.
        self._pending_bytes = {True: 0, False: 0}

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send the message, or all its pieces; the delivery counts every piece for every member."""
        data, size = message.data, self.max_size
        if len(data) <= size or not self.ok_to_process(message.options):
            super().send_message(to, message.with_data(data + _WHOLE), delivery)
            return
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        delivery.expect(len(to) * (len(pieces) - 1))
        for number, piece in enumerate(pieces):
            tail = _TAIL.pack(number, len(pieces), True)
            super().send_message(to, message.with_data(piece + tail), delivery)

    def message_received(self, message: ChannelMessage) -> None:
        """Deliver a whole message, or the message whose last piece this is.

        Raises:
            ProtocolError: the tail is not of this interceptor, or pieces contradict each other.
            LimitError: too much is pending.
        """
        data = message.data
        if not data:
            raise ProtocolError(f"empty message without a tail in {self}")
        if data[-1] == 0:
            super().message_received(message.with_data(data[:-1]))
            return
        if len(data) < _TAIL.size:
            raise ProtocolError(f"piece of {len(data)} bytes, expected a tail of {_TAIL.size}")
        number, count, _ = _TAIL.unpack_from(data, len(data) - _TAIL.size)
        if not 0 <= number < count:
            raise ProtocolError(f"piece {number} of {count}")
        key = (message.address, message.unique_id)
        pieces = self._add(key, number, count, data[: -_TAIL.size])
        if len(pieces.pieces) == count:
            self._forget(key)
            super().message_received(message.with_data(pieces.joined()))

    def _add(self, key: _Key, number: int, count: int, piece: bytes) -> _Pieces:
        pieces = self._pending.get(key)
        if pieces is None:
            pieces = self._pending[key] = _Pieces(count, self.channel.now(), self.belongs(key[0]))
        if pieces.count != count:
            self._forget(key)
            raise ProtocolError(f"message {key[1].hex()} of {pieces.count} and of {count} pieces")
        before = pieces.size
        pieces.add(number, piece)
        of_member = pieces.of_member
        self._pending_bytes[of_member] += pieces.size - before
        limit = self.max_pending if of_member else min(self.max_pending, _MAX_PENDING_OF_STRANGERS)
        pending = self._pending_bytes[of_member]
        if pending > limit:
            self._forget(key)
            kind = "" if of_member else " of nodes that are no members"
            raise LimitError(f"incomplete messages{kind} of {pending} bytes, limit {limit}")
        return pieces

    def _forget(self, key: _Key) -> None:
        pieces = self._pending.pop(key)
        self._pending_bytes[pieces.of_member] -= pieces.size

    def heartbeat(self, now: float) -> None:
        """Forget messages whose pieces did not all come."""
        super().heartbeat(now)
        for key, pieces in tuple(self._pending.items()):
            if now - pieces.since > self.expire / 1000:
                self._repeated.log(
                    logging.WARNING,
                    "messages that are lost because pieces did not come",
                    "Message %s is lost: %d of %d pieces came",
                    key[1].hex(),
                    len(pieces.pieces),
                    pieces.count,
                )
                self._forget(key)
