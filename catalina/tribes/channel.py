"""The contract of a channel: messages, options, deliveries and listeners (Tomcat: tribes/Channel.java,
ChannelMessage.java).

Options are bits; an operator writes them as a number or as names (:func:`parse_send_options`)::

    0x01  byte_message        the message is raw bytes, not a Java object stream; set by the channel
    0x02  use_ack             the receiver acknowledges, the sender waits
    0x04  synchronized_ack    with 0x02: the acknowledgement comes when the listeners have returned
    0x08  asynchronous        the sender does not wait; failures reach only an error handler
    0x10  secure              over TLS with the channel's pre-shared key, to the member's securePort
    0x20  udp                 one datagram to the member's UDP port
    0x40  multicast           one datagram to the membership's group
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.reactor import Reactor
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = [
    "DEFAULT",
    "EVERYTHING",
    "MBR_RX_SEQ",
    "MBR_TX_SEQ",
    "SEND_OPTIONS_ASYNCHRONOUS",
    "SEND_OPTIONS_BYTE_MESSAGE",
    "SEND_OPTIONS_DEFAULT",
    "SEND_OPTIONS_MULTICAST",
    "SEND_OPTIONS_SECURE",
    "SEND_OPTIONS_SYNCHRONIZED_ACK",
    "SEND_OPTIONS_UDP",
    "SEND_OPTIONS_USE_ACK",
    "SND_RX_SEQ",
    "SND_TX_SEQ",
    "Channel",
    "ChannelContext",
    "ChannelListener",
    "ChannelMessage",
    "Delivery",
    "ErrorHandler",
    "MembershipListener",
    "ObjectBytes",
    "parse_send_options",
    "send_options_name",
]

SEND_OPTIONS_BYTE_MESSAGE = 0x01
SEND_OPTIONS_USE_ACK = 0x02
SEND_OPTIONS_SYNCHRONIZED_ACK = 0x04
SEND_OPTIONS_ASYNCHRONOUS = 0x08
SEND_OPTIONS_SECURE = 0x10
SEND_OPTIONS_UDP = 0x20
SEND_OPTIONS_MULTICAST = 0x40
SEND_OPTIONS_DEFAULT = SEND_OPTIONS_USE_ACK

#: Levels of start() and stop(): receiver, sender, membership listening, membership announcing.
SND_RX_SEQ, SND_TX_SEQ, MBR_RX_SEQ, MBR_TX_SEQ = 1, 2, 4, 8
#: All levels.
DEFAULT = 15

_NAMES = {
    "byte": SEND_OPTIONS_BYTE_MESSAGE,
    "byte_message": SEND_OPTIONS_BYTE_MESSAGE,
    "use_ack": SEND_OPTIONS_USE_ACK,
    "sync": SEND_OPTIONS_SYNCHRONIZED_ACK,
    "synchronized_ack": SEND_OPTIONS_SYNCHRONIZED_ACK,
    "async": SEND_OPTIONS_ASYNCHRONOUS,
    "asynchronous": SEND_OPTIONS_ASYNCHRONOUS,
    "secure": SEND_OPTIONS_SECURE,
    "udp": SEND_OPTIONS_UDP,
    "multicast": SEND_OPTIONS_MULTICAST,
}


def send_options_name(options: int) -> str:
    """Tomcat's words for the bits, such as ``sync, use_ack`` or ``async``; empty for none."""
    words = {}
    for word in ("byte", "use_ack", "sync", "async", "secure", "udp", "multicast"):
        words[_NAMES[word]] = word
    chosen = [words[bit] for bit in sorted(words, reverse=True) if options & bit]
    return ", ".join(chosen)


def parse_send_options(text: str) -> int:
    """Convert ``"6"`` or ``"sync,use_ack"`` to the bits (Tomcat: Channel.parseSendOptions).

    Raises:
        AttributeRefused: the text is neither a number nor known names.
    """
    text = text.strip()
    if text.lstrip("+-").isdecimal():
        return int(text)
    options = 0
    for name in text.split(","):
        bit = _NAMES.get(name.strip().lower())
        if bit is None:
            raise AttributeRefused("a number or names of " + ", ".join(_NAMES))
        options |= bit
    return options


#: Key of a message that is about several things at once. A Java member processes it alone.
EVERYTHING: Final = "*"


class ObjectBytes(bytes):
    """A Java object stream that is already serialised (it starts with aced0005): sent without the BYTE_MESSAGE bit."""

    __slots__ = ()


@dataclass(slots=True)
class ChannelMessage:
    """One message on its way through the interceptors.

    Args:
        data: the bytes, in the form that they have at this place of the stack.
        options: the bits of the module's table.
        timestamp_ms: the sender's clock, for information only.
        unique_id: 16 bytes that pair fragments, and the two messages of a two-phase commit.
        address: the sender, by its own word; below the channel it need not be a known member.
        key: the subject of the message; messages with the same key keep their order at Java members, too. It is not on
            the wire.
    """

    data: bytes
    options: int
    timestamp_ms: int
    unique_id: bytes
    address: Member
    key: object = field(default=None, repr=False, compare=False)
    _payload: object = field(default=None, repr=False, compare=False)
    _decoded: bool = field(default=False, repr=False, compare=False)

    def with_data(self, data: bytes, options: int | None = None) -> ChannelMessage:
        """The same message in another form, for interceptors that transform."""
        options = self.options if options is None else options
        return ChannelMessage(data, options, self.timestamp_ms, self.unique_id, self.address, self.key)

    def payload(self) -> object:
        """The content: bytes, or the value of the Java object stream, which is decoded once.

        Raises:
            ProtocolError: the data is no Java object stream.
        """
        if not self._decoded:
            if self.options & SEND_OPTIONS_BYTE_MESSAGE:
                self._payload = self.data
            elif self.data:
                from catalina.tribes.io.java import loads  # only messages of objects need it

                self._payload = loads(self.data)
            self._decoded = True
        return self._payload


class ErrorHandler(Protocol):
    """Is told of a message that was sent asynchronously (Tomcat: ErrorHandler.java). Called in the runner's thread."""

    def handle_error(self, error: ChannelError, unique_id: bytes) -> None: ...

    def handle_completion(self, unique_id: bytes) -> None: ...


class Delivery:
    """Follows a message on its way, or several: done when every member has it or has failed.

    A member has a message when its acknowledgement came or, if none was asked for, when the kernel took the bytes. An
    asynchronous message is done as soon as it is queued, and its failures reach only ``handler``.

    Args:
        pending: the number of reports that must still come.
        unique_id: the message's id.
        reactor: the loop; a runner that waits lets another thread take it over.
        handler: is told of asynchronous messages.
    """

    __slots__ = ("_callbacks", "_expected", "_reactor", "_reported", "done", "faulty", "handler", "unique_id")

    def __init__(
        self,
        pending: int = 1,
        unique_id: bytes = b"",
        reactor: Reactor | None = None,
        handler: ErrorHandler | None = None,
    ) -> None:
        self.done = False
        self.faulty: dict[Member, BaseException] = {}
        self.unique_id = unique_id
        self.handler = handler
        # The sending thread alone writes the one, the runner alone the other, so no lock is needed.
        self._expected = pending
        self._reported = 0
        self._reactor = reactor
        self._callbacks: list[Callable[[Delivery], None]] = []
        if pending <= 0:
            self.done = True

    def expect(self, more: int) -> None:
        """Expect ``more`` reports, because the message becomes several on the wire. Call before the last report can
        come.
        """
        self._expected += more

    def succeeded(self) -> None:
        """Report that one member has the message. Only in the runner's thread, as :meth:`failed`."""
        self._reported += 1
        if self._reported == self._expected:
            self.finish()

    def failed(self, member: Member, reason: BaseException) -> None:
        """Report that one member did not get the message."""
        self.faulty.setdefault(member, reason)
        self.succeeded()

    def finish(self) -> None:
        """Be done now, whatever reports are missing; later reports change nothing."""
        if not self.done:
            self.done = True
            if self._callbacks:
                self._run_callbacks()

    def add_done_callback(self, callback: Callable[[Delivery], None]) -> None:
        """Call ``callback(self)`` when done, or at once if it is already done. Any thread; the callback runs in the
        runner or in the caller.
        """
        self._callbacks.append(callback)
        if self.done:
            self._run_callbacks()

    def _run_callbacks(self) -> None:
        # A caller that adds and the runner that finishes may both be here: each callback is taken by one of them.
        callbacks = self._callbacks
        while callbacks:
            try:
                callback = callbacks.pop(0)
            except IndexError:
                return
            callback(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until done, at most ``timeout`` seconds; returns True if done. A runner that waits hands the loop on
        first.
        """
        if self.done:
            return True
        event = threading.Event() if self._reactor is None else self._reactor.event()
        self.add_done_callback(lambda _: event.set())
        if self._reactor is None:
            return event.wait(timeout)
        with self._reactor.blocking():
            return event.wait(timeout)

    def raise_for_faults(self, text: str) -> None:
        """Raise ChannelError with the members that failed, if there are any."""
        if self.faulty:
            raise ChannelError(text, as_faults(self.faulty))


def as_faults(faulty: Mapping[Member, BaseException]) -> dict[object, BaseException]:
    """The faults, in the loose type that ChannelError takes."""
    return {member: reason for member, reason in faulty.items()}  # noqa: C416  # dict() keeps the key type


class ChannelListener(Protocol):
    """Takes messages of members; the runner's thread calls both methods (Tomcat: ChannelListener.java).

    A listener whose attribute ``hears_strangers`` is true also gets messages of nodes that are no members. It is for a
    membership that finds its members by their messages, and must not trust them in anything else.
    """

    def accept(self, message: ChannelMessage, sender: Member) -> bool: ...

    def message_received(self, message: ChannelMessage, sender: Member) -> None: ...


class MembershipListener(Protocol):
    """Is told of members that come and go, in the runner's thread (Tomcat: MembershipListener.java)."""

    def member_added(self, member: Member) -> None: ...

    def member_disappeared(self, member: Member) -> None: ...


class Channel(Protocol):
    """A group as its users see it; :class:`catalina.tribes.group.group_channel.GroupChannel` is the implementation."""

    @property
    def members(self) -> Sequence[Member]: ...

    @property
    def has_members(self) -> bool: ...

    @property
    def local_member(self) -> Member: ...

    def send(self, to: Sequence[Member], message: object, options: int) -> bytes: ...

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery: ...

    def add_channel_listener(self, listener: ChannelListener) -> None: ...

    def remove_channel_listener(self, listener: ChannelListener) -> None: ...

    def add_membership_listener(self, listener: MembershipListener) -> None: ...

    def remove_membership_listener(self, listener: MembershipListener) -> None: ...

    def start(self, level: int = DEFAULT) -> None: ...

    def stop(self, level: int = DEFAULT) -> None: ...

    def heartbeat(self) -> None: ...


class ChannelContext(Channel, Protocol):
    """The side of a channel that its parts use: the layers, the receiver, the transmitter and the membership.

    ``now`` is monotonic, in seconds. ``reactor`` is None before the first start, ``tls`` without a pre-shared key.
    """

    @property
    def name(self) -> str: ...

    @property
    def now(self) -> Callable[[], float]: ...

    @property
    def reactor(self) -> Reactor | None: ...

    @property
    def running_reactor(self) -> Reactor: ...

    @property
    def secure(self) -> bool: ...

    @property
    def tls(self) -> TribesSslContext | None: ...

    @property
    def membership_listeners(self) -> Sequence[MembershipListener]: ...

    def is_known(self, member: Member) -> bool: ...

    def move_receiver(self) -> bool:
        """See :meth:`catalina.tribes.group.channel_coordinator.ChannelCoordinator.move_receiver`."""
        ...

    def adopt_unique_id(self, unique_id: bytes) -> None:
        """This node is known by another unique id."""
        ...

    def forget_configured(self, member: Member) -> bool:
        """See :meth:`catalina.tribes.group.channel_interceptor.ChannelInterceptorBase.forget_configured`."""
        ...

    def recall_configured(self, member: Member) -> None:
        """Undo :meth:`forget_configured`."""
