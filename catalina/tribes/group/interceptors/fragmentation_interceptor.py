"""Sends large messages in pieces (Tomcat: interceptors/FragmentationInterceptor.java)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence

from catalina.attributes import Attribute
from catalina.errors import LimitError, ProtocolError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["FragmentationInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.FragmentationInterceptor")

_TAIL = struct.Struct(">ii?")
_WHOLE = b"\0"


class _Pieces:
    """The pieces of one message that have come so far."""

    __slots__ = ("count", "pieces", "since", "size")

    def __init__(self, count: int, since: float) -> None:
        self.count = count
        self.since = since
        self.pieces: dict[int, bytes] = {}
        self.size = 0

    def add(self, number: int, piece: bytes) -> None:
        self.size += len(piece) - len(self.pieces.get(number, b""))
        self.pieces[number] = piece

    def joined(self) -> bytes:
        return b"".join(self.pieces[number] for number in range(self.count))


class FragmentationInterceptor(ChannelInterceptorBase):
    """Cuts messages and joins them on the other side.

    Needs every piece to arrive, in any order. Adds a tail to each message: one byte 0 for a whole one; number, count
    (4 bytes each, big-endian) and one byte 1 for a piece. Pieces of one message have the same unique id.
    """

    max_size = Attribute(int, 100 * 1024, unit="bytes", doc="Longer messages are cut at this size.")
    expire = Attribute(int, 60_000, unit="ms", doc="How long the pieces of a message are kept for the missing ones.")
    max_pending = Attribute(
        int,
        256 * 1024 * 1024,
        unit="bytes",
        doc="What all incomplete messages together may take; a message that goes beyond it is lost.",
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._pending: dict[bytes, _Pieces] = {}
        self._pending_bytes = 0

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
        """Deliver a whole message, or one whose last piece this is.

        Raises:
            ProtocolError: the tail is not ours, or pieces contradict each other.
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
        pieces = self._add(message.unique_id, number, count, data[: -_TAIL.size])
        if len(pieces.pieces) == count:
            self._forget(message.unique_id)
            super().message_received(message.with_data(pieces.joined()))

    def _add(self, unique_id: bytes, number: int, count: int, piece: bytes) -> _Pieces:
        pieces = self._pending.get(unique_id)
        if pieces is None:
            pieces = self._pending[unique_id] = _Pieces(count, self.channel.now())
        if pieces.count != count:
            self._forget(unique_id)
            raise ProtocolError(f"message {unique_id.hex()} of {pieces.count} and of {count} pieces")
        before = pieces.size
        pieces.add(number, piece)
        self._pending_bytes += pieces.size - before
        if self._pending_bytes > self.max_pending:
            pending = self._pending_bytes
            self._forget(unique_id)
            raise LimitError(f"incomplete messages of {pending} bytes, limit {self.max_pending}")
        return pieces

    def _forget(self, unique_id: bytes) -> None:
        self._pending_bytes -= self._pending.pop(unique_id).size

    def heartbeat(self, now: float) -> None:
        """Forget messages whose pieces did not all come."""
        super().heartbeat(now)
        for unique_id, pieces in tuple(self._pending.items()):
            if now - pieces.since > self.expire / 1000:
                log.warning(
                    "Message %s is lost: %d of %d pieces came", unique_id.hex(), len(pieces.pieces), pieces.count
                )
                self._forget(unique_id)
