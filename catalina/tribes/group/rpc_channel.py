"""Requests and their answers over a channel (Tomcat: tribes/group/RpcChannel.java, RpcCallback.java).

A request goes to several members; the mode says how many answers are waited for. An answer is a message of its own.
Whoever has no such RPC channel says so and is not waited for; neither is a member that cannot be reached or leaves.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, SEND_OPTIONS_SYNCHRONIZED_ACK, ChannelMessage, Delivery
from catalina.tribes.group.rpc_message import NoRpcChannelReply, RpcMessage
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.reactor import Reactor, Timer

__all__ = [
    "ALL_REPLY",
    "FIRST_REPLY",
    "LATER",
    "MAJORITY_REPLY",
    "NO_REPLY",
    "Response",
    "RpcCallback",
    "RpcChannel",
    "RpcGroup",
]

log = logging.getLogger("org.apache.catalina.tribes.group.RpcChannel")

FIRST_REPLY = 1
MAJORITY_REPLY = 2
ALL_REPLY = 3
NO_REPLY = 4

#: What a callback returns when it answers later, by :meth:`RpcChannel.reply`.
LATER = EncodedValue(b"", 0)


class Response(NamedTuple):
    """One answer."""

    source: Member
    message: EncodedValue


class RpcCallback(Protocol):
    """Answers requests; both methods run in the runner's thread and must not wait."""

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """The answer to a request; None answers null, LATER answers by :meth:`RpcChannel.reply`."""

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """An answer that came when nobody waited for it any more."""


class RpcGroup(Protocol):
    """What an RPC channel needs of a channel: a part of ``catalina.tribes.channel.Channel``, and its event loop."""

    @property
    def running_reactor(self) -> Reactor: ...

    def post(self, to: Sequence[Member], message: object, options: int) -> Delivery: ...

    def add_channel_listener(self, listener: RpcChannel) -> None: ...

    def remove_channel_listener(self, listener: RpcChannel) -> None: ...

    def add_membership_listener(self, listener: RpcChannel) -> None: ...

    def remove_membership_listener(self, listener: RpcChannel) -> None: ...


class _Collector:
    """The answers to one request."""

    def __init__(self, to: Sequence[Member], mode: int, done: Callable[[list[Response]], None]) -> None:
        self.waiting = set(to)
        self.responses: list[Response] = []
        self.wanted = {FIRST_REPLY: 1, MAJORITY_REPLY: (len(to) + 1) // 2, ALL_REPLY: len(to)}[mode]
        self.done = done
        self.timer: Timer | None = None

    @property
    def is_complete(self) -> bool:
        return len(self.responses) >= self.wanted or not self.waiting


class RpcChannel:
    """One RPC channel, named by its id; the same id on the other members answers.

    Args:
        channel: the group; the RPC channel listens on it until :meth:`close`.
        rpc_id: the name, any bytes.
        callback: answers the requests of others.
        hears_strangers: also requests of nodes that are no members; for a membership that finds them so.
    """

    def __init__(self, channel: RpcGroup, rpc_id: bytes, callback: RpcCallback, hears_strangers: bool = False) -> None:
        self.channel = channel
        self.hears_strangers = hears_strangers
        self.rpc_id = rpc_id
        self.callback = callback
        self._collectors: dict[bytes, _Collector] = {}
        self._lock = threading.Lock()
        channel.add_channel_listener(self)
        channel.add_membership_listener(self)

    def close(self) -> None:
        """Stop listening; whoever waits for answers gets those that have come."""
        self.channel.remove_channel_listener(self)
        self.channel.remove_membership_listener(self)
        for request in list(self._collectors):
            self._finish(request)

    # ---- asking

    def send(
        self, to: Sequence[Member], message: EncodedValue, mode: int, options: int, timeout: float
    ) -> list[Response]:
        """Ask and wait, at most ``timeout`` seconds. In the event loop's thread another one takes over meanwhile.

        Returns:
            The answers that came, as many as the mode asks for, or fewer.

        Raises:
            ChannelError: the channel is not started.
        """
        answered = self.channel.running_reactor.event()
        found: list[Response] = []

        def done(responses: list[Response]) -> None:
            found.extend(responses)
            answered.set()

        self.request(to, message, mode, options, timeout, done)
        if not answered.is_set():
            with self.channel.running_reactor.blocking():
                # The timer ends the waiting; the margin is for a loop that is busy.
                answered.wait(timeout + 5)
        return found

    def request(
        self,
        to: Sequence[Member],
        message: EncodedValue,
        mode: int,
        options: int,
        timeout: float,
        done: Callable[[list[Response]], None],
    ) -> None:
        """Ask and go on; ``done(answers)`` is called once, in the event loop's thread or at once.

        Args:
            mode: FIRST_REPLY, MAJORITY_REPLY (at least half of ``to``), ALL_REPLY or NO_REPLY.
            options: send options; the acknowledgement is never waited for beyond the receiver's receipt.
            timeout: seconds.
        """
        request = uuid.uuid4().bytes
        options &= ~SEND_OPTIONS_SYNCHRONIZED_ACK
        data = RpcMessage(self.rpc_id, request, message).encode()
        if not to or mode == NO_REPLY:
            if to:
                self.channel.post(to, data, options)
            done([])
            return
        collector = _Collector(to, mode, done)
        with self._lock:
            self._collectors[request] = collector
        try:
            collector.timer = self.channel.running_reactor.call_later(timeout, lambda: self._finish(request))
            delivery = self.channel.post(to, data, options)
        except ChannelError:
            self._forget(request)
            raise
        delivery.add_done_callback(lambda sent: self._without(request, sent.faulty))

    def _without(self, request: bytes, members: object) -> None:
        """These members will not answer."""
        collector = self._collectors.get(request)
        if collector is None or not members:
            return
        with self._lock:
            collector.waiting.difference_update(members)  # type: ignore[arg-type]  # a dict's keys or a tuple
        if collector.is_complete:
            self._finish(request)

    def _forget(self, request: bytes) -> _Collector | None:
        with self._lock:
            collector = self._collectors.pop(request, None)
        if collector is not None and collector.timer is not None:
            collector.timer.cancel()
        return collector

    def _finish(self, request: bytes) -> None:
        collector = self._forget(request)
        if collector is not None:
            collector.done(collector.responses)

    # ---- answering

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """Whether a message of the channel is a request or an answer of this RPC channel."""
        if message.options & SEND_OPTIONS_BYTE_MESSAGE or not RpcMessage.matches(message.data):
            return False
        return self.rpc_id in message.data and RpcMessage.decode(message.data).rpc_id == self.rpc_id

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Answer a request, or note an answer."""
        rpc = RpcMessage.decode(message.data)
        if isinstance(rpc, NoRpcChannelReply):
            self._without(rpc.uuid, (sender,))
        elif rpc.reply:
            self._answered(rpc, sender)
        else:
            self._asked(rpc, sender)

    def _asked(self, rpc: RpcMessage, sender: Member) -> None:
        try:
            answer = self.callback.reply_request(rpc.message, sender, rpc.uuid)
        except ProtocolError as error:
            log.error("Unable to deserialize the request of %s: %s", sender.name, error)
            answer = None
        if answer is not LATER:
            self.reply(sender, rpc.uuid, answer)

    def reply(self, to: Member, request: bytes, answer: EncodedValue | None) -> None:
        """Answer the request with that uuid. Any thread."""
        message = RpcMessage(self.rpc_id, request, answer or NULL, reply=True)
        try:
            self.channel.post([to], message.encode(), 0)
        except ChannelError as error:
            log.error("Unable to send back reply in RpcChannel to %s: %s", to.name, error)

    def _answered(self, rpc: RpcMessage, sender: Member) -> None:
        collector = self._collectors.get(rpc.uuid)
        if collector is None:
            self.callback.left_over(rpc.message, sender)
            return
        with self._lock:
            if sender not in collector.waiting:
                return  # the same answer twice
            collector.waiting.discard(sender)
            collector.responses.append(Response(sender, rpc.message))
        if collector.is_complete:
            self._finish(rpc.uuid)

    # ---- membership

    def member_added(self, member: Member) -> None:
        """A new member was not asked anything yet."""

    def member_disappeared(self, member: Member) -> None:
        """A member that is gone does not answer."""
        for request in list(self._collectors):
            self._without(request, (member,))
