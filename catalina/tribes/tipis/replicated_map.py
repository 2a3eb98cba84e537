"""A map with a copy of each value on every node (Tomcat: tribes/tipis/ReplicatedMap.java).

It suits small maps that every node reads, such as the single sign-ons or a context's attributes.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.channel import Delivery
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.map_claims import MapClaims
from catalina.tribes.tipis.map_entry import Event, MapEntry
from catalina.tribes.tipis.map_message import MSG_COPY, MSG_NOTIFY_MAPMEMBER, MSG_STATE_COPY, MapMessage

__all__ = ["CopyOnEach", "ReplicatedMap"]


class CopyOnEach:
    """Keeps the value on every node."""

    def __init__(self, claims: MapClaims) -> None:
        self.claims = claims
        self.table = claims.table
        self.link = claims.link

    def announce(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Give the value to every other node; a node that cannot be reached gets it when it is heard again."""
        return self._tell_all(entry, has_value=False)

    def _tell_all(self, entry: MapEntry, has_value: bool) -> Delivery:
        """Tell every other node who owns the entry; nodes without the value get that, too."""
        told = self.link.delivery()
        with self.link.lock:
            if not self.table.owns(entry) or entry.value is None:
                told.finish()
                return told
            entry.former, entry.nodes = (), self.table.members.all
            message = self.table.about(MSG_NOTIFY_MAPMEMBER if has_value else MSG_COPY, entry)

        def done(faulty: dict[Member, BaseException]) -> None:
            self.link.owe(faulty, entry.id)
            told.finish()

        self.claims.send_claim(
            entry, message.nodes or (), message if has_value else self.claims.with_value(message, entry), done
        )
        return told

    def recipients(self, entry: MapEntry) -> tuple[Member, ...]:
        return self.table.members.all

    def holders_missed(self, entry: MapEntry, faulty: Iterable[Member]) -> Delivery:
        """Owe the value to the members that missed a change; they get it when they are heard again."""
        self.link.owe(faulty, entry.id)
        return Delivery(0)

    def claim(self, entry: MapEntry) -> None:
        """Tell all members who owns the entry; they have the value already."""
        with self.link.lock:
            has_value = not entry.is_stale and bool(entry.content)
            self.table.own(entry, self.link.now_us)
        self._tell_all(entry, has_value)
        self.claims.made_primary(entry)

    def take_over(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        self._tell_all(entry, has_value=True)

    def tell(self, member: Member, entry: MapEntry) -> Delivery:
        with self.link.lock:
            if member not in entry.nodes:
                entry.nodes = (*entry.nodes, member)
            message = self.table.about(MSG_COPY, entry)
        return self.claims.tell_one(
            member, entry, self.claims.with_value(message, entry) if entry.value is not None else message
        )

    def event_of(self, message: MapMessage) -> Event:
        """Every node keeps a copy, whoever the owner is."""
        return Event.COPY_RECEIVED

    def member_added(self, member: Member) -> None:
        """Give the new member the entries that it lacks: the member that it asked for the state may not have had
        all.
        """
        mine = [entry for entry in self._all() if entry.is_primary and member not in entry.nodes]
        self.claims.some_at_a_time(mine, lambda entry: self.tell(member, entry))

    def member_gone(self, member: Member) -> None:
        taken: list[MapEntry] = []
        with self.link.lock:
            for entry in self.table.entries.values():
                was_owner = entry.primary == member
                entry.nodes = tuple(node for node in entry.nodes if node != member)
                if was_owner:
                    entry.primary = None
                    if entry.holds_value and not entry.is_stale and self._is_next(entry):
                        taken.append(entry)
                    else:
                        self.table.note_owner(entry)
        for entry in taken:
            self.claim(entry)

    def _is_next(self, entry: MapEntry) -> bool:
        """True when this node is the first of the remaining ones that hold the value."""
        left = [node for node in entry.nodes if node == self.table.local or node in self.table.members]
        return left[:1] == [self.table.local]

    def _all(self) -> list[MapEntry]:
        with self.link.lock:
            return list(self.table.entries.values())


class ReplicatedMap(AbstractReplicatedMap):
    """A map in which every read is local."""

    replicate_message_type = MSG_COPY
    state_message_type = MSG_STATE_COPY
    placement_class = CopyOnEach
