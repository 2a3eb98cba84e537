"""Delivers the messages of each member in the order in which they were sent (Tomcat:
interceptors/OrderInterceptor.java).
"""

from __future__ import annotations

import heapq
import logging
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from catalina.attributes import Attribute
from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["OrderInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.OrderInterceptor")

_NUMBER = struct.Struct(">i")
#: Nodes that are not, or not yet, members and whose numbers are kept: the newest ones. Anybody who reaches the receiver
#: could invent any number of nodes, so members have a table of their own.
_MAX_STRANGERS = 100
#: Bytes that are held for one such node.
_MAX_HELD_OF_STRANGER = 256 * 1024
#: Approximate memory that a held message takes besides its bytes.
_OVERHEAD = 500


@dataclass(slots=True)
class _Incoming:
    """The incoming messages of one member: the number expected next, and messages that came too early."""

    max_held: int
    expected: int = 1
    held: dict[int, tuple[float, ChannelMessage]] = field(default_factory=dict)
    held_bytes: int = 0
    _numbers: list[int] = field(default_factory=list)

    def hold(self, number: int, message: ChannelMessage, now: float) -> None:
        """Keep a message for later."""
        self.held[number] = (now, message)
        self.held_bytes += len(message.data) + _OVERHEAD
        heapq.heappush(self._numbers, number)

    def release(self, number: int) -> None:
        """Forget a held message, which is about to be delivered."""
        _, message = self.held.pop(number)
        self.held_bytes -= len(message.data) + _OVERHEAD
        self.expected = max(self.expected, number + 1)

    def next_number(self) -> int:
        """The lowest number of a held message."""
        if self.expected in self.held:
            return self.expected
        while self._numbers[0] not in self.held:
            heapq.heappop(self._numbers)
        return self._numbers[0]


class OrderInterceptor(ChannelInterceptorBase):
    """Numbers the messages to each member, and holds back messages that come too early.

    It adds four bytes to each message, its number, which counts from 1 for each member. A message with a number below
    the expected one, such as a repetition, is delivered at once.
    """

    expire = Attribute(
        int, 3000, unit="ms", doc="How long a message is held for those before it. Longer delays what follows a loss."
    )
    forward_expired = Attribute(bool, True, doc="Deliver what was held too long; false drops it.")
    max_queue = Attribute(int, 2**31 - 1, doc="Messages of one member that are held; one more delivers them all.")
    max_held = Attribute(
        int, 64 * 1024 * 1024, unit="bytes", doc="Bytes of one member that are held; more delivers them all."
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._lock = threading.RLock()  # many threads send, and numbers must go down in order
        self._sent: dict[Member, int] = {}
        self._incoming: dict[Member, _Incoming] = {}
        self._strangers: dict[Member, _Incoming] = {}  # oldest first

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send to each member with that member's next number."""
        if not self.ok_to_process(message.options):
            super().send_message(to, message, delivery)
            return
        with self._lock:
            for member in to:
                number = self._sent.get(member, 0) % 0x7FFFFFFF + 1
                try:
                    super().send_message([member], message.with_data(message.data + _NUMBER.pack(number)), delivery)
                except ChannelError as exc:
                    self._report(delivery, member, exc)
                else:
                    self._sent[member] = number

    def _report(self, delivery: Delivery, member: Member, reason: ChannelError) -> None:
        self.channel.running_reactor.call_soon(lambda: delivery.failed(member, reason))

    def message_received(self, message: ChannelMessage) -> None:
        """Deliver the message and those that waited for it, or hold it.

        Raises:
            ProtocolError: the message has no number, or one that is already held.
        """
        if not self.ok_to_process(message.options):
            super().message_received(message)
            return
        if len(message.data) < _NUMBER.size:
            raise ProtocolError(f"message of {len(message.data)} bytes without a number in {self}")
        (number,) = _NUMBER.unpack_from(message.data, len(message.data) - _NUMBER.size)
        plain = message.with_data(message.data[: -_NUMBER.size])
        incoming = self._incoming_of(message.address)
        if number <= incoming.expected:
            incoming.expected += number == incoming.expected
            super().message_received(plain)
        else:
            self._hold(incoming, number, plain)
        self._deliver_due(incoming)

    def _incoming_of(self, member: Member) -> _Incoming:
        incoming = self._incoming.get(member)
        if incoming is not None:
            return incoming
        incoming = self._strangers.pop(member, None)
        if self.belongs(member):
            if incoming is None:
                incoming = _Incoming(self.max_held)
            incoming.max_held = self.max_held
            self._incoming[member] = incoming
            return incoming
        if incoming is None:
            incoming = _Incoming(min(self.max_held, _MAX_HELD_OF_STRANGER))
        self._strangers[member] = incoming
        if len(self._strangers) > _MAX_STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        return incoming

    def _hold(self, incoming: _Incoming, number: int, message: ChannelMessage) -> None:
        if number in incoming.held:
            raise ProtocolError(
                "Message added has the same counter, synchronization bug. Disable the order interceptor"
            )
        incoming.hold(number, message, self.channel.now())

    def _deliver_due(self, incoming: _Incoming) -> None:
        """Deliver the messages that are next in line, then those that have waited too long or take too much room."""
        while incoming.held:
            number = incoming.next_number()
            since, message = incoming.held[number]
            in_line = number <= incoming.expected
            too_long = self.channel.now() - since > self.expire / 1000
            too_much = len(incoming.held) >= self.max_queue or incoming.held_bytes > incoming.max_held
            if not (in_line or too_long or too_much):
                return
            self._release(incoming, number, in_line or self.forward_expired, message)

    def _release(self, incoming: _Incoming, number: int, deliver: bool, message: ChannelMessage) -> None:
        incoming.release(number)
        if deliver:
            super().message_received(message)
        else:
            log.debug("Message %d of %s came too early and was dropped", number, message.address)

    def heartbeat(self, now: float) -> None:
        """Deliver messages that have waited too long even when nothing follows them; Java waits for the next
        message.
        """
        super().heartbeat(now)
        for incoming in (*self._incoming.values(), *self._strangers.values()):
            self._deliver_due(incoming)

    def member_disappeared(self, member: Member) -> None:
        """Deliver the held messages of the member, and start to count anew."""
        incoming = self._incoming.pop(member, None) or self._strangers.pop(member, None)
        if incoming is not None:
            for number in sorted(incoming.held):
                self._release(incoming, number, True, incoming.held[number][1])
        with self._lock:
            self._sent.pop(member, None)
        super().member_disappeared(member)
