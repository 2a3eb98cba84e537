"""The channel, the interface of the group to applications and the cluster (Tomcat: tribes/group/GroupChannel.java).

    channel = GroupChannel()
    channel.add_channel_listener(listener)
    channel.start()
    channel.send(channel.members, b"hello", SEND_OPTIONS_USE_ACK)
    channel.stop()

It is the uppermost interceptor of its own stack; the ChannelCoordinator is the lowest.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from catalina.attributes import Attribute, AttributeRefused, Element, choice
from catalina.errors import ChannelError, ConfigurationError, ProtocolError
from catalina.operations import readable
from catalina.reactor import Reactor, Timer
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.byte_text import hex_key
from catalina.tribes.channel import (
    DEFAULT,
    SEND_OPTIONS_ASYNCHRONOUS,
    SEND_OPTIONS_BYTE_MESSAGE,
    SEND_OPTIONS_SECURE,
    SND_RX_SEQ,
    ChannelListener,
    ChannelMessage,
    Delivery,
    ErrorHandler,
    MembershipListener,
    ObjectBytes,
)
from catalina.tribes.group.channel_coordinator import ChannelCoordinator
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase, MembersSource, SendMessages
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.rpc_channel import RpcChannel
from catalina.tribes.group.rpc_message import NoRpcChannelReply, RpcMessage
from catalina.tribes.group.strangers import Strangers
from catalina.tribes.io.channel_data import UniqueIds
from catalina.tribes.logs import FINE, MESSAGES
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.tribes.membership.membership_service_base import MembershipServiceBase
    from catalina.tribes.transport.receiver_base import ReceiverBase
    from catalina.tribes.transport.replication_transmitter import ReplicationTransmitter
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["GroupChannel"]

log = logging.getLogger("org.apache.catalina.tribes.group.GroupChannel")


def _bean_domain(text: str) -> str:
    """Converter for the domain of beans' names."""
    if not re.fullmatch(r"[^:*?,=\s]+", text.strip()):
        raise AttributeRefused("the domain of a bean's name, without : * ? , =")
    return text.strip()


def _bean_prefix(text: str) -> str:
    """Converter for the prefix of beans' names."""
    if not re.fullmatch(r"([^:*?,=\s]+=[^:*?,=\s]+,)*", text.strip()):
        raise AttributeRefused("properties with a comma behind each, as cluster=a,")
    return text.strip()


class GroupChannel(ChannelInterceptorBase):
    """A group of members and the messages between them.

    Used alone, the channel runs an event loop of its own in one thread. The container sets :attr:`reactor` to its
    running loop before :meth:`start`. Listeners are called in the loop's thread.
    """

    heartbeat_enabled = Attribute(
        bool, True, xml="heartbeat", doc="The channel runs its heartbeat itself; false leaves it to the application."
    )
    heartbeat_sleeptime = Attribute(
        int, 5000, unit="ms", doc="Time between heartbeats: how late time-outs are noticed."
    )
    option_check = Attribute(bool, False, doc="Refuse to start when two interceptors use the same option flag.")
    jmx_enabled = Attribute(bool, True, doc="Show the channel and its parts as managed beans.")
    jmx_domain = Attribute(_bean_domain, "ClusterChannel", doc="Domain of the beans' names.")
    jmx_prefix = Attribute(
        _bean_prefix, "", doc="Properties in front of the beans' names, as cluster=a, with a comma at the end."
    )
    secure = Attribute(
        bool,
        False,
        doc="Send everything over TLS and take nothing else: the receiver listens on its securePort only. Needs "
        "pskIdentity and pskKey, on all members alike. Heartbeats stay readable.",
    )
    psk_identity = Attribute(
        str, "", doc="Names the pre-shared key. With pskKey it enables TLS on the receiver's securePort."
    )
    psk_key = Attribute(hex_key, b"", doc="The pre-shared key in hex, 16 to 512 bytes. Whoever has it is a member.")
    psk_digest = Attribute(choice("SHA256", "SHA384"), "SHA256", doc="Digest that the key is used with.")
    psk_protocol = Attribute(choice("TLSv1.2", "TLSv1.3"), "TLSv1.3", doc="Version of TLS; the same on all members.")
    name = Attribute(str, "", doc="Names the channel in beans and in static membership; the cluster sets it.")

    elements = {
        "Membership": Element(add=lambda channel, child: channel.set_membership_service(child)),
        "Receiver": Element(add=lambda channel, child: channel.set_channel_receiver(child)),
        "Sender": Element(add=lambda channel, child: channel.set_channel_sender(child)),
        "Interceptor": Element(
            add=lambda channel, child: channel.add_interceptor(child), role=ChannelInterceptorBase, guards=True
        ),
        "ChannelListener": Element(add=lambda channel, child: channel.add_channel_listener(child)),
        "MembershipListener": Element(add=lambda channel, child: channel.add_membership_listener(child)),
    }

    def __init__(self, reactor: Reactor | None = None, **values: object) -> None:
        super().__init__(**values)
        self.reactor: Reactor | None = reactor
        self.now: Callable[[], float] = time.monotonic
        self.coordinator = ChannelCoordinator()
        self.coordinator.previous = self
        self.next = self.coordinator
        self.channel = self
        #: The TLS for connections to securePorts, None without a key. start() sets it.
        self.tls: TribesSslContext | None = None
        self._repeated = RepeatedMessages(log)
        self._owns_reactor = False
        self._heartbeat_timer: Timer | None = None
        self._channel_listeners: tuple[ChannelListener, ...] = ()
        #: The listeners that are asked about a message that is no RPC; nearly all messages are none.
        self._plain_listeners: tuple[ChannelListener, ...] = ()
        self._membership_listeners: tuple[MembershipListener, ...] = ()
        self._next_id = UniqueIds().next
        self._send_below: SendMessages | None = None
        #: The members that are in the group now. Messages of other nodes do not go up.
        self._present: set[Member] = set()
        self._last_sender: Member | None = None
        self._strangers = Strangers(self._is_heard, lambda: self.now())
        self._members_source: MembersSource = self.coordinator
        self._local_source: MembersSource = self.coordinator

    # The stack.

    def add_interceptor(self, interceptor: ChannelInterceptorBase) -> None:
        """Put a layer below the interceptors added before and above the transport."""
        last = self.coordinator.previous or self
        last.next, interceptor.previous = interceptor, last
        interceptor.next, self.coordinator.previous = self.coordinator, interceptor

    @property
    def interceptors(self) -> Iterator[ChannelInterceptorBase]:
        """The interceptors from the uppermost down, without the channel itself and the coordinator."""
        layer = self.next
        while layer is not None and layer is not self.coordinator:
            yield layer
            layer = layer.next

    def set_membership_service(self, service: MembershipServiceBase) -> None:
        """Set the service that finds the members; the default is McastService. Only while stopped."""
        self.coordinator.membership_service = service

    def set_channel_receiver(self, receiver: ReceiverBase) -> None:
        """Set the receiver of messages; the default is NioReceiver. Only while stopped."""
        self.coordinator.receiver = receiver

    def set_channel_sender(self, sender: ReplicationTransmitter) -> None:
        """Set the sender of messages; the default is ReplicationTransmitter. Only while stopped."""
        self.coordinator.sender = sender

    @property
    def membership_service(self) -> MembershipServiceBase:
        """The service that finds the members."""
        return self.coordinator.membership_service

    def adopt_unique_id(self, unique_id: bytes) -> None:
        """Be known under an id from the configuration, which this node's messages then carry. Before start()."""
        self.membership_service.adopt_unique_id(unique_id)

    def move_receiver(self) -> bool:
        """See :meth:`ChannelCoordinator.move_receiver`."""
        return self.coordinator.move_receiver()

    @property
    def running_reactor(self) -> Reactor:
        """The event loop, which exists as long as the channel is started.

        Raises:
            ChannelError: the channel is stopped.
        """
        if self.reactor is None:
            raise ChannelError(f"channel {self.name!r} is not started")
        return self.reactor

    @property
    def members(self) -> Sequence[Member]:
        """The other members, oldest first."""
        return self._members_source.members

    @property
    def is_guarded(self) -> bool:
        """True when only nodes with the cluster's key can send, because of TLS or a layer like EncryptInterceptor."""
        return self.secure or any(layer.keeps_strangers_out for layer in self.interceptors)

    def traffic(self) -> dict[Member, tuple[int, int]]:
        """To each member that has been sent to over TCP: bytes given, and bytes written, or acknowledged where that was
        asked for."""
        return self.coordinator.sender.transport.traffic()

    def is_known(self, member: Member) -> bool:
        """True when somebody is a member now, or stands in the configuration. Any thread."""
        return member in self._present or self.get_member(member) is not None or self.is_static(member)

    def _is_heard(self, member: Member) -> bool:
        """True when the membership knows somebody, even if the member was not announced yet."""
        return self.coordinator.get_member(member) is not None or self.is_static(member)

    @property
    def local_member(self) -> Member:
        """This process as a member."""
        return self._local_source.local_member

    # Sending.

    def post(
        self,
        to: Sequence[Member],
        message: object,
        options: int,
        handler: ErrorHandler | None = None,
        key: object = None,
    ) -> Delivery:
        """Queue a message for the end of the loop's round and return its Delivery; never blocks. Any thread.

        Args:
            to: the members; their order means nothing.
            message: bytes, :class:`ObjectBytes`, or a value that the Java object stream can carry.
            options: bits of :mod:`catalina.tribes.channel`.
            handler: is told of the outcome of an asynchronous message.
            key: the subject of the message, such as a session's id. Java processes messages in several threads; a Java
                member gets messages with the same key one after another, messages with different keys at once.

        Raises:
            ChannelError: nobody to send to, nothing to send, or the message was refused by an interceptor.
            NotReplicableError: the value has no form on the wire.
        """
        if message is None:
            raise ChannelError("Cannot send a NULL message")
        if isinstance(message, ObjectBytes):
            return self.post_bytes(to, message, options & ~SEND_OPTIONS_BYTE_MESSAGE, handler, key)
        if isinstance(message, bytes):
            return self.post_bytes(to, message, options | SEND_OPTIONS_BYTE_MESSAGE, handler, key)
        return self.post_bytes(to, _serialize(message), options & ~SEND_OPTIONS_BYTE_MESSAGE, handler, key)

    def post_bytes(
        self,
        to: Sequence[Member],
        data: bytes,
        options: int,
        handler: ErrorHandler | None = None,
        key: object = None,
    ) -> Delivery:
        """:meth:`post` for callers that have the bytes of the message.

        Args:
            options: with SEND_OPTIONS_BYTE_MESSAGE the receiver gets the bytes, otherwise it decodes a Java object
                stream.
        """
        return self.post_all(to, ((data, key),), options, handler)

    def post_all(
        self,
        to: Sequence[Member],
        messages: Sequence[tuple[bytes, object]],
        options: int,
        handler: ErrorHandler | None = None,
    ) -> Delivery:
        """:meth:`post_bytes` for several messages, each with its key; the Delivery is done when all of them are.

        They go through the stack, and to a member of this software, as one. If one message fails at a member, all count
        as failed there.
        """
        send_below = self._send_below
        if send_below is None:
            raise ChannelError(f"channel {self.name!r} is not started")
        if not to:
            raise ChannelError("No destination given")
        if self.secure:
            options |= SEND_OPTIONS_SECURE
        now_ms = time.time_ns() // 1_000_000
        local_member, next_id = self._local_source.local_member, self._next_id
        sent = [ChannelMessage(data, options, now_ms, next_id(), local_member, key) for data, key in messages]
        delivery = Delivery(len(to), sent[0].unique_id, self.reactor, handler)
        send_below(to, sent, delivery)
        if MESSAGES.isEnabledFor(FINE):
            for message in sent:
                MESSAGES.log(FINE, "GroupChannel - Sent msg:%s to %s", message.unique_id.hex(), _names(to))
        return delivery

    def send(self, to: Sequence[Member], message: object, options: int, handler: ErrorHandler | None = None) -> bytes:
        """Send a message and wait as the options say; return its unique id.

        If the loop's thread calls this, another thread takes over the loop meanwhile.

        Raises:
            ChannelError: some members did not get it (``faulty``).
        """
        delivery = self.post(to, message, options, handler)
        if not delivery.done:
            delivery.wait()
        if delivery.faulty:
            delivery.raise_for_faults(f"message {delivery.unique_id.hex()} of {len(to)} members")
        return delivery.unique_id

    # Receiving.

    def message_received(self, message: ChannelMessage) -> None:
        """Hand a member's message to every listener that accepts it.

        All messages to sessions, maps, deployments, logins and RPCs pass here. A message of a node that is no member
        goes only to listeners of the membership (``hears_strangers``), and waits for its sender to become a member.

        Raises:
            LimitError: strangers have already sent too much.
        """
        trace = MESSAGES.isEnabledFor(FINE)
        sender = message.address
        is_rpc = not message.options & SEND_OPTIONS_BYTE_MESSAGE and RpcMessage.matches(message.data)
        listeners = self._channel_listeners if is_rpc else self._plain_listeners
        if trace:
            MESSAGES.log(FINE, "GroupChannel - Received msg:%s from %s", message.unique_id.hex(), sender.name)
        # A connection always gives the same record object, so the sender is nearly always the same as before.
        is_member = sender is self._last_sender or self._is_member(sender)
        if not is_member:
            listeners = tuple([each for each in listeners if getattr(each, "hears_strangers", False)])
        delivered = by_rpc_channel = False
        try:
            for listener in listeners:
                if listener.accept(message, sender):
                    listener.message_received(message, sender)
                    delivered = True
                    by_rpc_channel = by_rpc_channel or (is_rpc and isinstance(listener, RpcChannel))
            if is_rpc and is_member and not by_rpc_channel:
                self._answer_unknown_rpc(message, sender)
        except ProtocolError as exc:
            # As in Tomcat, the fault is logged and the message acknowledged, because sending the same bytes again would
            # not help.
            delivered = True
            self._repeated.log(
                logging.ERROR,
                f"messages from {sender} that are not understood",
                "Unable to deserialize message:[%s] from %s: %s",
                message.unique_id.hex(),
                sender,
                exc,
            )
        if trace:
            MESSAGES.log(FINE, "GroupChannel delivered[%s] id:%s", delivered, message.unique_id.hex())
        if not is_member and not delivered:
            self._strangers.keep(message, self.running_reactor)

    def _is_member(self, sender: Member) -> bool:
        if sender in self._present:
            self._last_sender = sender
            return True
        return self.get_member(sender) is not None

    def _answer_unknown_rpc(self, message: ChannelMessage, sender: Member) -> None:
        request = RpcMessage.decode(message.data)
        if isinstance(request, RpcMessage) and not request.reply:
            answer = NoRpcChannelReply(request.rpc_id, request.uuid)
            try:
                self.post([sender], answer.encode(), SEND_OPTIONS_ASYNCHRONOUS)
            except ChannelError as exc:
                log.error("Unable to find rpc channel, failed to send NoRpcChannelReply. %s", exc)

    @property
    @readable("Members", type="[Ljava.lang.String;", doc="Names of the other members.")
    def member_names(self) -> list[str]:
        return [member.name for member in self.members]

    def add_channel_listener(self, listener: ChannelListener) -> None:
        """Offer all messages from now on to ``listener``. Any thread."""
        if listener in self._channel_listeners:
            raise ValueError(f"Listener already exists:[{listener}]")
        self._set_channel_listeners((*self._channel_listeners, listener))

    def remove_channel_listener(self, listener: ChannelListener) -> None:
        """Undo :meth:`add_channel_listener`; unknown listeners are ignored."""
        self._set_channel_listeners(tuple(each for each in self._channel_listeners if each is not listener))

    def _set_channel_listeners(self, listeners: tuple[ChannelListener, ...]) -> None:
        self._channel_listeners = listeners
        self._plain_listeners = tuple(each for each in listeners if not isinstance(each, RpcChannel))

    def add_membership_listener(self, listener: MembershipListener) -> None:
        """Tell ``listener`` from now on of members that come and go. Any thread; a second addition has no effect."""
        if listener not in self._membership_listeners:
            self._membership_listeners = (*self._membership_listeners, listener)

    def remove_membership_listener(self, listener: MembershipListener) -> None:
        """Undo :meth:`add_membership_listener`; unknown listeners are ignored."""
        self._membership_listeners = tuple(each for each in self._membership_listeners if each is not listener)

    @property
    def membership_listeners(self) -> Sequence[MembershipListener]:
        """The listeners that are told of members."""
        return self._membership_listeners

    def member_added(self, member: Member) -> None:
        """Tell every listener, then deliver messages that the member sent too early.

        A listener that fails does not stop the others.
        """
        self._present.add(member)
        self.coordinator.sender.welcome(member)
        for listener in self._membership_listeners:
            try:
                listener.member_added(member)
            except Exception:  # a listener is foreign code
                log.exception("A membership listener failed on the new member %s", member)
        for message in self._strangers.take(member):
            try:
                self.message_received(message)
            except Exception:  # a listener is foreign code
                log.exception("Processing of an early message from %s failed", member)

    def member_disappeared(self, member: Member) -> None:
        """Tell every listener, then close the connection to the member; a listener that fails does not stop the
        others.
        """
        self._present.discard(member)
        self._last_sender = None
        for listener in self._membership_listeners:
            try:
                listener.member_disappeared(member)
            except Exception:  # a listener is foreign code
                log.exception("A membership listener failed on the lost member %s", member)
        self.coordinator.sender.forget(member)

    def forget_configured(self, member: Member) -> bool:
        """Have every layer forget it; True if one had it."""
        had = [layer for layer in self.interceptors if layer.forget_configured(member)]
        return bool(had)

    def recall_configured(self, member: Member) -> None:
        """Undo :meth:`forget_configured`."""
        for layer in self.interceptors:
            layer.recall_configured(member)

    # Life.

    def start(self, level: int = DEFAULT) -> None:
        """Start the parts that ``level`` names. Waits for members twice, each time for twice McastService.frequency.

        Raises:
            ChannelError: a service could not be started, or option flags clash and ``option_check`` is on.
        """
        if self.next is self.coordinator:
            self.add_interceptor(MessageDispatchInterceptor())
        for interceptor in (*self.interceptors, self.coordinator):
            interceptor.channel = self
        if self.option_check:
            self._check_option_flags()
        if self.coordinator.start_level == 0:
            self.tls = self._make_tls()
        if self.reactor is None:
            self.reactor = Reactor("tribes" if not self.name else f"tribes-{self.name}")
            self._owns_reactor = True
            self.reactor.start()
        self._send_below = self.below_that_sends()
        self._members_source = self.source_below("members")
        self._local_source = self.source_below("local_member")
        fresh = self.coordinator.start_level == 0
        try:
            super().start(level)
        except Exception:
            if fresh:  # nothing was running before this start: leave no socket and no thread behind
                with contextlib.suppress(ChannelError):
                    self.stop(DEFAULT)
            raise
        if self.heartbeat_enabled and self._heartbeat_timer is None and self.heartbeat_sleeptime > 0:
            self._heartbeat_timer = self.reactor.call_later(self.heartbeat_sleeptime / 1000, self._beat)

    def stop(self, level: int = DEFAULT) -> None:
        """Stop the parts that ``level`` names; with all levels the members are told."""
        if self._heartbeat_timer is not None:
            self._heartbeat_timer.cancel()
            self._heartbeat_timer = None
        super().stop(level)
        if level & SND_RX_SEQ:
            self._send_below = None
            self._present.clear()
            self._last_sender = None
            self._strangers.clear()
            if self._owns_reactor and self.reactor is not None:
                self.reactor.stop()
                self.reactor = None
                self._owns_reactor = False

    def heartbeat(self, now: float | None = None) -> None:
        """Let every layer, and every listener with a ``heartbeat()``, do its periodic work in the runner. Any
        thread.
        """
        reactor = self.reactor
        if reactor is not None and not reactor.in_runner:
            reactor.call_soon(self.heartbeat)
            return
        super().heartbeat(self.now() if now is None else now)
        for listener in (*self._membership_listeners, *self._channel_listeners):
            beat = getattr(listener, "heartbeat", None)
            if beat is not None:
                beat()

    def _beat(self) -> None:
        if self._heartbeat_timer is None or self.reactor is None:
            return
        self._heartbeat_timer = self.reactor.call_later(self.heartbeat_sleeptime / 1000, self._beat)
        try:
            self.heartbeat()
        except Exception:  # a listener's heartbeat is foreign code, and must not prevent the next one
            log.exception("Unable to send heartbeat through Tribes interceptor stack. Will try to sleep again.")

    def check_configuration(self) -> None:
        """Refuse the attributes that would make start() fail. Raises ChannelError."""
        self._make_tls()

    def _make_tls(self) -> TribesSslContext | None:
        """Make the TLS that the attributes describe. Raises ChannelError when they contradict each other: nothing is
        sent unencrypted then.
        """
        if bool(self.psk_identity) != bool(self.psk_key):
            raise ChannelError(f"channel {self.name!r}: pskIdentity and pskKey belong together, one of them is missing")
        if not self.psk_key:
            if self.secure:
                raise ChannelError(f"channel {self.name!r}: secure='true' needs pskIdentity and pskKey")
            return None
        from catalina.tribes.transport.tribes_ssl_context import TribesSslContext  # only channels that encrypt need it

        try:
            return TribesSslContext(self.psk_identity, self.psk_key, self.psk_digest, self.psk_protocol)
        except ConfigurationError as exc:
            raise ChannelError(f"channel {self.name!r}: {exc}") from exc

    def _check_option_flags(self) -> None:
        layers = [layer for layer in (*self.interceptors, self.coordinator) if layer.option_flag]
        conflicts = [
            f"[{upper}:{upper.option_flag} == {lower}:{lower.option_flag}]"
            for place, upper in enumerate(layers)
            for lower in layers[place + 1 :]
            if upper.option_flag & lower.option_flag in (upper.option_flag, lower.option_flag)
        ]
        if conflicts:
            raise ChannelError(f"Interceptor option flag conflict: {' '.join(conflicts)}")


def _serialize(message: object) -> bytes:
    from catalina.tribes.io.java import dumps  # only messages of objects need it

    return dumps(message)


def _names(members: Sequence[Member]) -> str:
    return ", ".join(member.name for member in members)
