"""Keeps the connections to members, and apart from them those to strangers.

Anybody who can reach a receiver can make this node answer an address of his choice, and can invent addresses without
end. So connections to strangers stand in a small table of their own: each is closed as soon as nothing waits on it, and
a full table refuses further strangers but no member.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from catalina.errors import ChannelError
from catalina.reactor import Reactor
from catalina.tribes.member import Member

__all__ = ["SenderTables"]

#: Members that can be sent to at a time; no group has more.
MAX_MEMBERS = 1000
#: Strangers that can be answered at a time: nodes that are about to join; nobody else has a claim to an answer.
MAX_STRANGERS = 32
#: Seconds between two checks for strangers that have their answer.
LOOK_SECONDS = 1.0


class _Sender(Protocol):
    @property
    def is_idle(self) -> bool: ...

    def close(self) -> None: ...


S = TypeVar("S", bound=_Sender)


class SenderTables(Generic[S]):
    """One kind of sender for each member that is sent to.

    Args:
        make: makes the sender to a member.
        is_member: tells whether somebody belongs to the group now. Any thread.
        reactor: gives the loop; raises as long as there is none.
        changed: called under the lock when a sender is removed, because others may have remembered it.
    """

    def __init__(
        self,
        make: Callable[[Member], S],
        is_member: Callable[[Member], bool],
        reactor: Callable[[], Reactor],
        changed: Callable[[], None],
    ) -> None:
        self.lock = threading.Lock()  # several threads may send a member's first message
        self.members: dict[Member, S] = {}
        self.strangers: dict[Member, S] = {}
        self._make = make
        self._is_member = is_member
        self._reactor = reactor
        self._changed = changed

    def get(self, member: Member) -> S | None:
        """The sender to ``member``, None when there is none."""
        return self.members.get(member) or self.strangers.get(member)

    def find(self, member: Member) -> S:
        """The sender to ``member``, made when there is none; under the lock.

        Raises:
            ChannelError: the table that it belongs in is full.
        """
        found = self.members.get(member) or self.strangers.get(member)
        if found is not None:
            return found
        known = self._is_member(member)
        table, limit = (self.members, MAX_MEMBERS) if known else (self.strangers, MAX_STRANGERS)
        if len(table) >= limit:
            kind = "members" if known else "nodes that are no members"
            raise ChannelError(f"no connection to {member}: {len(table)} {kind} are sent to, limit {limit}")
        sender = table[member] = self._make(member)
        if not known:
            self._look_later(member, sender)
        return sender

    def welcome(self, member: Member) -> None:
        """A stranger has become a member; its connection moves to the members' table."""
        with self.lock:
            sender = self.strangers.pop(member, None)
            if sender is not None:
                self.members[member] = sender

    def forget(self, member: Member) -> None:
        """Close the connection to ``member``. Only in the runner."""
        with self.lock:
            gone = [self.members.pop(member, None), self.strangers.pop(member, None)]
            self._changed()
        for sender in gone:
            if sender is not None:
                sender.close()

    def close(self) -> None:
        """Close all connections. Only in the runner."""
        with self.lock:
            senders = [*self.members.values(), *self.strangers.values()]
            self.members, self.strangers = {}, {}
            self._changed()
        for sender in senders:
            sender.close()

    def _look_later(self, member: Member, sender: S) -> None:
        self._reactor().call_later(LOOK_SECONDS, partial(self._close_stranger, member, sender))

    def _close_stranger(self, member: Member, sender: S) -> None:
        with self.lock:
            if self.strangers.get(member) is not sender:
                return
            if not sender.is_idle:
                self._look_later(member, sender)
                return
            del self.strangers[member]
            self._changed()
        sender.close()
