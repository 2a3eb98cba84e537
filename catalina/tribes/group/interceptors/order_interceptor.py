"""Delivers the messages of each member in the order they were sent (Tomcat: interceptors/OrderInterceptor.java)."""

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
#: Nodes that are no members, or not yet, whose numbers are kept: the newest ones. Whoever reaches the receiver could
#: invent any number of them, and members have a table of their own.
_MAX_STRANGERS = 100
#: Bytes of one of them that are held.
_MAX_HELD_OF_STRANGER = 256 * 1024
#: The memory that a held message takes besides its bytes, about.
_OVERHEAD = 500


@dataclass(slots=True)
class _Incoming:
    """What came from one member: the number expected next, and what came too early."""

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
        """It waits no longer."""
        _, message = self.held.pop(number)
        self.held_bytes -= len(message.data) + _OVERHEAD
        self.expected = max(self.expected, number + 1)

    def next_number(self) -> int:
        """The held message that comes first."""
        if self.expected in self.held:
            return self.expected
        while self._numbers[0] not in self.held:
            heapq.heappop(self._numbers)
        return self._numbers[0]


class OrderInterceptor(ChannelInterceptorBase):
    """Numbers the messages to each member and holds back what comes too early.

    Adds four bytes to each message, its number, from 1 for each member. A message with a number that was expected
    earlier, such as one that was sent twice, is delivered at once.
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
        self._lock = threading.RLock()  # numbers must go down in their order, and senders are many threads
        self._sent: dict[Member, int] = {}
        self._incoming: dict[Member, _Incoming] = {}
        self._strangers: dict[Member, _Incoming] = {}  # the oldest first

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send to each member with its own number."""
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
        """Deliver it, and what waited for it; or hold it.

        Raises:
            ProtocolError: no number, or one that is held already.
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
        """Deliver what is next in line, then what has waited too long or is too much."""
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
        """Deliver what has waited too long even when nothing follows it; Java waits for the next message."""
        super().heartbeat(now)
        for incoming in (*self._incoming.values(), *self._strangers.values()):
            self._deliver_due(incoming)

    def member_disappeared(self, member: Member) -> None:
        """Deliver what the member had sent, and start to count anew."""
        incoming = self._incoming.pop(member, None) or self._strangers.pop(member, None)
        if incoming is not None:
            for number in sorted(incoming.held):
                self._release(incoming, number, True, incoming.held[number][1])
        with self._lock:
            self._sent.pop(member, None)
        super().member_disappeared(member)
