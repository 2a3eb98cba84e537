"""Keeps messages of nodes that are no members yet, in case they are about to join.

Anybody who can reach the receiver can send a message, but the channel delivers only messages of members. A node that
joins may be a little early: it has announced itself, has heard the others, and asks the oldest of them for the
sessions, while its heartbeat is still on its way there or the failure detector is still probing it. So a stranger's
messages wait a moment, in their order, and are delivered when it becomes a member. If it does not become one, they are
dropped and counted.

Nodes whose heartbeat was heard, or that stand in the configuration, have room of their own, so that messages of total
strangers never displace theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.errors import LimitError
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.member import Member

if TYPE_CHECKING:
    from catalina.reactor import Reactor
    from catalina.tribes.channel import ChannelMessage

__all__ = ["Strangers"]

log = logging.getLogger("org.apache.catalina.tribes.group.GroupChannel")

#: Seconds that a message waits for its sender to become a member: two probes of the failure detector.
PATIENCE_SECONDS = 10.0
#: The memory that the messages of one node may take: a question, and the changes of some seconds.
MAX_SENDER_BYTES = 1024 * 1024
#: The number of nodes that may wait, and the bytes of all their messages: first for nodes that were heard, then for
#: total strangers.
MAX_HEARD, MAX_HEARD_BYTES = 1000, 32 * 1024 * 1024
MAX_UNHEARD, MAX_UNHEARD_BYTES = 32, 4 * 1024 * 1024
#: Approximate memory that a message takes besides its bytes.
_OVERHEAD = 500


class _Room:
    """The messages of one kind of strangers, by sender."""

    def __init__(self, senders: int, size: int) -> None:
        self._max_senders, self._max_size = senders, size
        self.size = 0
        self.waiting: dict[Member, _Early] = {}

    def add(self, message: ChannelMessage, now: float) -> None:
        """Keep a message. Raises LimitError when it does not fit."""
        early = self.waiting.get(message.address)
        if early is None:
            if len(self.waiting) >= self._max_senders:
                raise LimitError(f"messages of {len(self.waiting)} nodes that are no members wait already")
            early = self.waiting[message.address] = _Early(now)
        size = len(message.data) + _OVERHEAD
        if early.size + size > MAX_SENDER_BYTES or self.size + size > self._max_size:
            raise LimitError(f"{self.size} bytes of nodes that are no members wait already")
        early.messages.append(message)
        early.size += size
        self.size += size

    def take(self, member: Member) -> list[ChannelMessage]:
        """Remove and return the messages of a node."""
        early = self.waiting.pop(member, None)
        if early is None:
            return []
        self.size -= early.size
        return early.messages


class _Early:
    """The messages of one node."""

    __slots__ = ("messages", "since", "size")

    def __init__(self, since: float) -> None:
        self.since = since
        self.messages: list[ChannelMessage] = []
        self.size = 0


class Strangers:
    """Keeps messages that came too early. All methods are called in the runner.

    Args:
        is_heard: tells whether the membership knows a node that is not yet a member.
        now: the channel's clock.
    """

    def __init__(self, is_heard: Callable[[Member], bool], now: Callable[[], float]) -> None:
        self._is_heard = is_heard
        self._now = now
        self._repeated = RepeatedMessages(log)
        self._heard = _Room(MAX_HEARD, MAX_HEARD_BYTES)
        self._unheard = _Room(MAX_UNHEARD, MAX_UNHEARD_BYTES)
        self._ticking = False

    def keep(self, message: ChannelMessage, reactor: Reactor) -> None:
        """Keep a message until its sender is a member, or its time is over.

        Raises:
            LimitError: strangers have already sent too much; the sender gets a negative acknowledgement.
        """
        room = self._heard if self._is_heard(message.address) else self._unheard
        try:
            room.add(message, self._now())
        except LimitError as exc:
            self._refused(message.address, 1)
            raise exc.at_peer(str(message.address)) from None
        if not self._ticking:
            self._ticking = True
            reactor.call_later(PATIENCE_SECONDS, lambda: self._expire(reactor))

    def take(self, member: Member) -> list[ChannelMessage]:
        """Remove and return the messages that ``member`` sent before it became a member, in their order."""
        return [*self._heard.take(member), *self._unheard.take(member)]

    def clear(self) -> None:
        """Drop everything, because the channel stops."""
        self._heard = _Room(MAX_HEARD, MAX_HEARD_BYTES)
        self._unheard = _Room(MAX_UNHEARD, MAX_UNHEARD_BYTES)

    def _expire(self, reactor: Reactor) -> None:
        now = self._now()
        for room in (self._heard, self._unheard):
            for sender, early in tuple(room.waiting.items()):
                if now - early.since >= PATIENCE_SECONDS:
                    self._refused(sender, len(room.take(sender)))
        oldest = [early.since for room in (self._heard, self._unheard) for early in room.waiting.values()]
        self._ticking = bool(oldest)
        if oldest:
            reactor.call_later(max(0.1, min(oldest) + PATIENCE_SECONDS - now), lambda: self._expire(reactor))

    def _refused(self, sender: Member, count: int) -> None:
        self._repeated.log(
            logging.WARNING,
            "refusals of nodes that are no members",
            "Refused [%d] messages from %s, which is no member of the group",
            count,
            sender,
        )
