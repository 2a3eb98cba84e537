"""One layer of a channel (Tomcat: tribes/group/ChannelInterceptorBase.java, ChannelInterceptor.java).

A layer knows its two neighbours: ``next`` is towards the network, ``previous`` towards the application. Sending goes
down through :meth:`~ChannelInterceptorBase.send_message`, or for all messages of a loop's round at once through
:meth:`~ChannelInterceptorBase.send_messages`; everything else comes up. By default each method passes the call on. The
runner's thread makes the upward calls; any thread may send.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Attribute, Component
from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.tribes.channel import ChannelContext

__all__ = ["ChannelInterceptorBase", "MembersSource", "SendMessages"]

SendMessages = Callable[[Sequence[Member], Sequence[ChannelMessage], Delivery], None]


class MembersSource(Protocol):
    """Something that knows the group: a layer for the layers above it, a membership service for all."""

    @property
    def members(self) -> Sequence[Member]: ...

    @property
    def local_member(self) -> Member: ...


class ChannelInterceptorBase(Component):
    """Passes everything on. A subclass overrides the calls that it acts on, and passes them on with ``super()``."""

    option_flag = Attribute(
        int,
        0,
        doc="Act only on messages whose options carry all bits of this flag; 0 acts on every message. All members "
        "must use the same flag.",
    )

    next: ChannelInterceptorBase | None = None
    previous: ChannelInterceptorBase | None = None
    #: The channel, from start() to the end of stop().
    channel: ChannelContext

    def __str__(self) -> str:
        return type(self).__name__

    @property
    def _below(self) -> ChannelInterceptorBase:
        """The neighbour below. Every layer that asks has one, because a stack ends with the ChannelCoordinator, which
        does not ask.
        """
        if self.next is None:
            raise ChannelError(f"{self} is in no stack")
        return self.next

    def ok_to_process(self, options: int) -> bool:
        """True when this interceptor acts on a message with these options."""
        flag = self.option_flag
        return flag == 0 or flag & options == flag

    def below_that_sends(self) -> SendMessages:
        """``send_messages`` of the nearest interceptor below that overrides it; the others are skipped."""
        base, layer = ChannelInterceptorBase, self._below
        while layer.next is not None and (
            type(layer).send_message is base.send_message and type(layer).send_messages is base.send_messages
        ):
            layer = layer.next
        return layer.send_messages

    def above_that_receives(self) -> Callable[[ChannelMessage], None]:
        """``message_received`` of the nearest interceptor above that overrides it; the others are skipped."""
        layer = self.previous
        if layer is None:
            return lambda _: None  # in a stack of one nobody is there to take the message
        while type(layer).message_received is ChannelInterceptorBase.message_received and layer.previous is not None:
            layer = layer.previous
        return layer.message_received

    @property
    def members_source(self) -> MembersSource:
        """This layer; the lowest one gives the membership service, which knows."""
        return self

    def source_below(self, name: str) -> MembersSource:
        """The nearest layer below, or the membership service, that overrides ``members`` or ``local_member``."""
        return self.nearest_below(name).members_source

    def nearest_below(self, name: str) -> ChannelInterceptorBase:
        """The nearest layer below that overrides the attribute ``name``. Callers that ask often keep it."""
        layer = self._below
        while getattr(type(layer), name) is getattr(ChannelInterceptorBase, name) and layer.next is not None:
            layer = layer.next
        return layer

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send to ``to``; ``delivery`` gets one report for every member. Any thread.

        Raises:
            ChannelError: the message was refused before anything was sent; there are no reports then.
        """
        self._below.send_message(to, message, delivery)

    def send_messages(self, to: Sequence[Member], messages: Sequence[ChannelMessage], delivery: Delivery) -> None:
        """Send several messages with the same options, in their order; a member's report comes when it has all of them.

        A layer that handles messages one by one needs to override only :meth:`send_message`.

        Raises:
            ChannelError: the only message was refused. When one of several is refused, it counts as failed and the
                others are sent.
        """
        if type(self).send_message is ChannelInterceptorBase.send_message:
            self._below.send_messages(to, messages, delivery)
            return
        if len(messages) == 1:
            self.send_message(to, messages[0], delivery)
            return
        delivery.expect(len(to) * (len(messages) - 1))
        for message in messages:
            try:
                self.send_message(to, message, delivery)
            except ChannelError as exc:
                self.channel.running_reactor.call_soon(partial(_refused, to, exc, delivery))

    def message_received(self, message: ChannelMessage) -> None:
        """Pass up a message. An exception becomes a negative acknowledgement if the sender asked for one."""
        if self.previous is not None:
            self.previous.message_received(message)

    def member_added(self, member: Member) -> None:
        """The layer below reports a new member."""
        if self.previous is not None:
            self.previous.member_added(member)

    def member_disappeared(self, member: Member) -> None:
        """The layer below reports the loss of a member; ``member.is_leaving`` marks an orderly leave."""
        if self.previous is not None:
            self.previous.member_disappeared(member)

    def member_send_failed(self, member: Member, reason: BaseException) -> None:
        """The transport could not reach a member, or its connection broke; TcpFailureDetector then probes the
        member.
        """
        if self.previous is not None:
            self.previous.member_send_failed(member, reason)

    def heartbeat(self, now: float) -> None:
        """Periodic work, from the top down; ``now`` in seconds of the channel's monotonic clock."""
        if self.next is not None:
            self.next.heartbeat(now)

    @property
    def members(self) -> Sequence[Member]:
        """The members as this layer sees them, oldest first, without the local one."""
        return self.next.members if self.next is not None else ()

    @property
    def has_members(self) -> bool:
        """True when there is any member to send to."""
        return bool(self.members)

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member, None when this layer does not know it."""
        return self.next.get_member(member) if self.next is not None else None

    def is_static(self, member: Member) -> bool:
        """True when the member stands in the configuration, so that the channel keeps looking for it while it is
        absent.
        """
        return self.next is not None and self.next.is_static(member)

    def forget_configured(self, member: Member) -> bool:
        """An operator removes ``member``: a layer that has members of its own forgets it. True if it had it."""
        return False

    def recall_configured(self, member: Member) -> None:
        """Undo :meth:`forget_configured`."""

    def belongs(self, member: Member) -> bool:
        """True when somebody is a member in this layer's view, or stands in the configuration.

        Layers also get messages of strangers, because a node that is about to join may send early. A layer must bound
        what it keeps for strangers apart from what it keeps for members.
        """
        return self.get_member(member) is not None or self.is_static(member)

    @property
    def local_member(self) -> Member:
        """This process as a member."""
        return self._below.local_member

    def start(self, level: int) -> None:
        """Start this layer and those below it; ``level`` is explained in :mod:`catalina.tribes.channel`. May block."""
        if self.next is not None:
            self.next.start(level)

    def stop(self, level: int) -> None:
        """Undo :meth:`start`."""
        if self.next is not None:
            self.next.stop(level)


def _refused(to: Sequence[Member], reason: ChannelError, delivery: Delivery) -> None:
    for member in to:
        delivery.failed(member, reason)
