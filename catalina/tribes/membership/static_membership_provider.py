"""Asks configured members by RPC (Tomcat: tribes/membership/StaticMembershipProvider.java).

START announces this member and asks the other to answer; PING only asks; STOP announces the end and expects no answer.
Each answer carries the member that answers. Questions go only to members that accept a connection.

The message::

    class StaticMembershipProvider$MemberMessage, suid 1:       int msgtype, Member member, byte[] membershipId

It travels inside an RpcMessage, except STOP, which is sent plain.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalina.errors import ChannelError, ProtocolError
from catalina.reactor import Timer
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, ChannelMessage, ObjectBytes
from catalina.tribes.group.rpc_channel import ALL_REPLY, Response, RpcChannel
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.object_form import ObjectForm, ObjectSink
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS, MEMBER_KINDS, MemberObject
from catalina.tribes.member import SHUTDOWN_COMMAND, Member
from catalina.tribes.membership.farewells import Farewells
from catalina.tribes.membership.membership import Membership
from catalina.tribes.transport.nio.tcp_probe import TcpProbe

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext
    from catalina.tribes.membership.membership_service_base import ServiceListener

__all__ = ["MSG_PING", "MSG_START", "MSG_STOP", "MemberMessage", "StaticMembershipProvider"]

log = logging.getLogger("org.apache.catalina.tribes.membership.StaticMembershipProvider")
MSG_START = 1
MSG_STOP = 2
MSG_PING = 3

CLASS_NAME = "org.apache.catalina.tribes.membership.StaticMembershipProvider$MemberMessage"

_FORM = ObjectForm(
    describe(CLASS_NAME, 1, fields="I msgtype, Lorg/apache/catalina/tribes/Member; member, [B membershipId"),
    MEMBER_KINDS,
)


@dataclass(frozen=True, slots=True)
class MemberMessage:
    """One message about one member.

    Args:
        membership_id: ISO-8859-1 of ``<channelName>-StaticMembership``; also the id of the RPC channel.
        type: START, STOP or PING.
        member: the sender.
        suid: the serialVersionUID with which the member was written, None in this node's own messages.
    """

    membership_id: bytes
    type: int
    member: Member
    suid: int | None = None

    def to_encoded(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> EncodedValue:
        """The message as a value, for an RPC.

        Args:
            suid: the serialVersionUID of MemberImpl that the receiver has.
        """
        sink = ObjectSink()
        _FORM.write(sink, (self.type,), (MemberObject(self.member, suid), self.membership_id))
        return sink.to_encoded()

    def encode(self, suid: int = MEMBER_IMPL_SUIDS[0]) -> ObjectBytes:
        """The whole message of a channel package."""
        return ObjectBytes(self.to_encoded(suid).to_stream())

    @staticmethod
    def matches(data: bytes) -> bool:
        """True when a message of the channel is of this class. A cheap test."""
        return _FORM.matches(data)

    @classmethod
    def decode(cls, data: bytes) -> MemberMessage:
        """Read a whole stream: the message of a channel package, or of an RPC by ``EncodedValue.to_stream()``.

        Raises:
            ProtocolError: the stream is no MemberMessage.
        """
        try:
            kind, inner, member_id = _FORM.read(data)
        except FAULTS as fault:
            raise broken("a message of the static membership", fault) from fault
        if inner is None or member_id is None:
            raise ProtocolError(f"{CLASS_NAME}: expected a member and a membershipId, got {inner!r} and {member_id!r}")
        return cls(member_id, kind, inner.member, inner.suid)


class StaticMembershipProvider:
    """Keeps the configured members that answered; nodes outside the configuration are ignored.

    Everything but :meth:`start` and :meth:`stop` happens in the runner.

    Args:
        channel: the group.
        listener: is told of members that come and go.
        others: the configured members without the local one.
        local_member: returns the local member as it is now.
        connect_timeout: seconds.
        rpc_timeout: seconds.
        expiration: seconds of silence.
    """

    def __init__(
        self,
        channel: ChannelContext,
        listener: ServiceListener,
        others: Sequence[Member],
        local_member: Callable[[], Member],
        connect_timeout: float,
        rpc_timeout: float,
        expiration: float,
    ) -> None:
        self._repeated = RepeatedMessages(log)
        self.membership = Membership()
        self.membership.local = local_member()
        self._channel = channel
        self._listener = listener
        self._others = others
        self._local_member = local_member
        self._connect_timeout = connect_timeout
        self._rpc_timeout = rpc_timeout
        self._expiration = expiration
        # Java writes the word null for the name of a channel without a name.
        self._id = f"{channel.name or 'null'}-StaticMembership".encode("iso-8859-1")
        self._suid = MEMBER_IMPL_SUIDS[0]
        self._rpc = RpcChannel(channel, self._id, self, hears_strangers=True)
        self._timer: Timer | None = None
        self._interval: float | None = None
        self._farewells = Farewells(
            channel.running_reactor,
            self._probe,
            lambda member: self.membership.silence_of(member, channel.now()),
            expiration,
            self._gone,
            channel.now,
        )
        channel.add_channel_listener(self)

    # Life.

    def start(self, interval: float | None) -> None:
        """Tell the members that this one is there and wait for their answers; then ask every ``interval`` seconds."""
        answered = threading.Event()
        reactor = self._channel.running_reactor
        run_in_runner(reactor, lambda: self._ask(MSG_START, answered.set))
        with reactor.blocking():
            if not answered.wait(self._connect_timeout + self._rpc_timeout + 1):
                log.warning("Received 0 replies, probably a timeout.")
        self._interval = interval
        if interval is not None:
            self._timer = reactor.call_later(interval, self._tick)

    def stop(self) -> None:
        """Send STOP, and stop listening."""
        if self._timer is not None:
            self._timer.cancel()
        self._interval = None
        self._rpc.close()
        members = self.membership.members
        if members:
            farewell = MemberMessage(self._id, MSG_STOP, replace(self._local_member(), command=SHUTDOWN_COMMAND))
            try:
                self._channel.send(members, farewell.encode(self._suid), 0)
            except ChannelError as exc:
                log.error("Unable to send stop membership message. %s", exc)
        self._channel.remove_channel_listener(self)
        run_in_runner(self._channel.running_reactor, self._farewells.clear)
        self.membership.clear()

    def _tick(self) -> None:
        if self._interval is not None:
            self._timer = self._channel.running_reactor.call_later(self._interval, self._tick)
            self.ping()

    # Asking.

    def ping(self) -> None:
        """Ask every member that accepts a connection; forget members that were silent for too long."""
        self._ask(MSG_PING, self._expire)

    def _ask(self, kind: int, then: Callable[[], None]) -> None:
        barred = self.membership.barred
        others = [member for member in self._others if member not in barred]
        waiting = len(others)
        alive: list[Member] = []
        if not waiting:
            then()

        def judge(member: Member, there: bool) -> None:
            nonlocal waiting
            waiting -= 1
            if there:
                alive.append(member)
            if not waiting:
                self._ask_alive(kind, alive, then)

        for member in others:
            TcpProbe(self._channel, member, b"", self._connect_timeout, None, _judge_of(judge, member))

    def _ask_alive(self, kind: int, alive: Sequence[Member], then: Callable[[], None]) -> None:
        def answered(responses: list[Response]) -> None:
            for response in responses:
                self._take(response.message)
            if kind == MSG_START and alive and not responses:
                log.warning("Received 0 replies, probably a timeout.")
            then()

        if not alive:
            then()
            return
        question = MemberMessage(self._id, kind, self._local_member()).to_encoded(self._suid)
        try:
            self._rpc.request(alive, question, ALL_REPLY, SEND_OPTIONS_ASYNCHRONOUS, self._rpc_timeout, answered)
        except ChannelError as exc:
            log.warning("Unable to send StaticMembershipProvider.ping message. %s", exc)
            then()

    def _gone(self, member: Member) -> None:
        if self.membership.remove(member):
            self._listener.member_disappeared(replace(member, command=SHUTDOWN_COMMAND))

    def _probe(self, member: Member, verdict: Callable[[bool], None]) -> TcpProbe:
        return TcpProbe(self._channel, member, b"", self._connect_timeout, None, verdict)

    def _expire(self) -> None:
        for member in self.membership.expire(self._expiration, self._channel.now()):
            self._listener.member_disappeared(member)

    # Answering.

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Handle a question; the answer is the same message about this member."""
        asked = MemberMessage.decode(message.to_stream())
        if asked.type not in (MSG_START, MSG_PING):
            log.info("Message[%s] is ignored.", asked)
            return None
        self._hear(asked)
        return MemberMessage(asked.membership_id, asked.type, self._local_member()).to_encoded(self._suid)

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """Handle a late answer like any other."""
        self._take(message)

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """True when the message is a STOP of this membership."""
        return MemberMessage.matches(message.data) and MemberMessage.decode(message.data).membership_id == self._id

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Handle a message that is no question."""
        self._hear(MemberMessage.decode(message.data))

    def _take(self, message: EncodedValue) -> None:
        try:
            self._hear(MemberMessage.decode(message.to_stream()))
        except ProtocolError as exc:
            log.warning("Answer of a static member is not understood: %s", exc)

    def _hear(self, message: MemberMessage) -> None:
        if message.suid is not None:
            self._suid = message.suid
        member = message.member
        if member not in self._others:
            self._repeated.log(
                logging.WARNING,
                "messages of static members that are not in the configuration",
                "%s says that it is a static member; it is not in the configuration",
                member,
            )
            return
        if message.type == MSG_STOP or member.is_leaving:
            known = self.membership.get(member)
            if known is not None:
                self._farewells.heard(known)
        elif self.membership.alive(member, self._channel.now()):
            self._listener.member_added(member)


def _judge_of(judge: Callable[[Member, bool], None], member: Member) -> Callable[[bool], None]:
    """A callback that notes the verdict of one probe for its member."""
    return lambda there: judge(member, there)
