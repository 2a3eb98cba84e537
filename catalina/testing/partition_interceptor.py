"""Cuts a node off from other nodes of its group, for tests: it sends them nothing, accepts nothing from them, and does
not see them.

It stands above the layers that move bytes, so it needs no rights and no network namespaces, and the layers above it
(sessions, logins, farm) experience a partition. A file lists the nodes that it is cut off from: the ports of their
receivers, one a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from catalina.attributes import Attribute
from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.member import Member

__all__ = ["PartitionInterceptor"]

#: Seconds between two looks at the file.
LOOK_SECONDS = 0.05


class PartitionInterceptor(ChannelInterceptorBase):
    """The uppermost interceptor of a node under test."""

    file = Attribute(str, "", doc="Absolute path of the file; without it nobody is cut off.")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._cut: frozenset[int] = frozenset()
        self._text = ""
        self._looks = False

    def start(self, level: int) -> None:
        """Start to check the file."""
        super().start(level)
        if not self._looks:
            self._looks = True
            self.channel.running_reactor.call_soon(self._look)

    def stop(self, level: int) -> None:
        """Stop checking."""
        self._looks = False
        super().stop(level)

    def _look(self) -> None:
        if not self._looks:
            return
        try:
            text = Path(self.file).read_text()
        except OSError:
            text = ""
        if text != self._text:
            self._text = text
            self._change(frozenset(int(word) for word in text.split()))
        self.channel.running_reactor.call_later(LOOK_SECONDS, self._look)

    def _change(self, cut: frozenset[int]) -> None:
        """Tell the layers above which members have gone, as if a cable were unplugged, and which are back."""
        before, self._cut = self._cut, cut
        for member in super().members:
            if member.port in cut - before:
                super().member_disappeared(member)
            elif member.port in before - cut:
                super().member_added(member)

    def _is_cut(self, member: Member) -> bool:
        return member.port in self._cut

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send to the members that can be reached; the others count as failed."""
        if not self._cut:
            super().send_message(to, message, delivery)
            return
        for member in filter(self._is_cut, to):
            why = ChannelError(f"{self}: cut off from {member}")
            self.channel.running_reactor.call_soon(partial(delivery.failed, member, why))
        reached = [member for member in to if not self._is_cut(member)]
        if reached:
            super().send_message(reached, message, delivery)

    def message_received(self, message: ChannelMessage) -> None:
        """Refuse a message that was on its way when the cut came, so that its sender knows."""
        if self._is_cut(message.address):
            raise ChannelError(f"{self}: cut off from {message.address}")
        super().message_received(message)

    def member_added(self, member: Member) -> None:
        """Do not announce a member that is cut off."""
        if not self._is_cut(member):
            super().member_added(member)

    def member_disappeared(self, member: Member) -> None:
        """Do not report a member that is cut off a second time."""
        if not self._is_cut(member):
            super().member_disappeared(member)

    @property
    def members(self) -> Sequence[Member]:
        """The members that can be reached."""
        return [member for member in super().members if not self._is_cut(member)]

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member that can be reached."""
        return None if self._is_cut(member) else super().get_member(member)
