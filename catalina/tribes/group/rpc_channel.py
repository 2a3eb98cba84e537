"""Requests and their answers over a channel (Tomcat: tribes/group/RpcChannel.java, RpcCallback.java).

A request goes to one or more members; the mode says how many answers the caller waits for. An answer is a message of
its own. A member without such an RPC channel says so. The caller waits neither for such a member nor for one that
cannot be reached or leaves.
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

#: A callback returns it when it will answer later, by :meth:`RpcChannel.reply`.
LATER = EncodedValue(b"", 0)


class Response(NamedTuple):
    """One answer."""

    source: Member
    message: EncodedValue


class RpcCallback(Protocol):
    """Answers requests; both methods run in the runner's thread and must not wait."""

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Return the answer to a request. None sends null; LATER means that :meth:`RpcChannel.reply` will send the
        answer.
        """

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """Handle an answer that came when nobody waited for it any more."""


class RpcGroup(Protocol):
    """The part of a channel that an RPC channel needs: some of ``catalina.tribes.channel.Channel``, and the event
    loop.
    """

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
    """An RPC channel with a name; channels of the same name on other members answer it.

    Args:
        channel: the group; the RPC channel listens on it until :meth:`close`.
        rpc_id: the name, any bytes.
        callback: answers the requests of others.
        hears_strangers: accept requests of nodes that are no members; for a membership that finds its members this way.
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
        """Stop listening; callers that wait get the answers that have come."""
        self.channel.remove_channel_listener(self)
        self.channel.remove_membership_listener(self)
        for request in list(self._collectors):
            self._finish(request)

    # ---- asking

    def send(
        self, to: Sequence[Member], message: EncodedValue, mode: int, options: int, timeout: float
    ) -> list[Response]:
        """Ask and wait, at most ``timeout`` seconds. If the event loop's thread waits, another thread takes over
        meanwhile.

        Returns:
            The answers that came: the number that the mode asks for, or fewer.

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
                # The request's own timer ends the wait; the margin is for a busy loop.
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
        """Ask without waiting; ``done(answers)`` is called once, later in the event loop's thread or immediately.

        Args:
            mode: FIRST_REPLY, MAJORITY_REPLY (at least half of ``to``), ALL_REPLY or NO_REPLY.
            options: send options; an acknowledgement never waits for the receiver's processing.
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
        """Stop waiting for members that will not answer."""
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
        """True when a message of the channel is a request or an answer of this RPC channel."""
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
                return  # a second copy of an answer
            collector.waiting.discard(sender)
            collector.responses.append(Response(sender, rpc.message))
        if collector.is_complete:
            self._finish(rpc.uuid)

    # ---- membership

    def member_added(self, member: Member) -> None:
        """Nothing to do: no request has gone to the new member."""

    def member_disappeared(self, member: Member) -> None:
        """Stop waiting for a member that has gone."""
        for request in list(self._collectors):
            self._without(request, (member,))
