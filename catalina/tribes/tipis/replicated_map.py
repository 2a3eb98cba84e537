"""A map with a copy of each value on every node (Tomcat: tribes/tipis/ReplicatedMap.java).

For small maps that are read everywhere: the single sign-ons, a context's attributes.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.map_entry import Event, MapEntry, Role
from catalina.tribes.tipis.map_message import MSG_COPY, MSG_NOTIFY_MAPMEMBER, MSG_STATE_COPY, MapMessage

__all__ = ["ReplicatedMap"]


class ReplicatedMap(AbstractReplicatedMap):
    """Every read is local."""

    replicate_message_type = MSG_COPY
    state_message_type = MSG_STATE_COPY

    def _publish(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Give the value to every other node; those that cannot be reached get it when they are heard again."""
        told = self._delivery()
        with self._lock:
            nodes = self._members.all
            entry.claims += 1
            entry.nodes = nodes

        def done(faulty: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            self._owe(faulty, entry.key)
            if faulty and entry.is_primary:
                entry.nodes = tuple(node for node in entry.nodes if node not in faulty)
            told.finish()

        if entry.value is None:
            done({})
            return told
        value = self.codec.encode(entry.value, MEMBER_IMPL_SUIDS[0])
        self._send(nodes, MapMessage(self.map_id, MSG_COPY, dumps(entry.key), value, None, self.local, nodes), done)
        return told

    def _claim(self, entry: MapEntry) -> None:
        """Everybody has the value: they only learn who owns it."""
        self._claim_silently(entry)
        self._take_over(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, entry.value)

    def _take_over(self, entry: MapEntry) -> None:
        with self._lock:
            entry.nodes = self._members.all
            entry.claims += 1

        def done(faulty: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            self._owe(faulty, entry.key)

        notice = MapMessage(self.map_id, MSG_NOTIFY_MAPMEMBER, dumps(entry.key), None, None, self.local, entry.nodes)
        self._send(entry.nodes, notice, done)

    def _notice_event(self, nodes: tuple[Member, ...]) -> Event:
        """Everybody keeps a copy, whoever owns it."""
        return Event.COPY_RECEIVED

    def _map_member_added(self, member: Member) -> None:
        """Give the new member what it has not: it may have asked somebody for the state who had not all."""
        self._republish([entry for entry in self.entries() if entry.is_primary and member not in entry.nodes])

    def _map_member_gone(self, member: Member) -> None:
        taken: list[MapEntry] = []
        with self._lock:
            for entry in self._entries.values():
                had_owner = entry.primary
                entry.nodes = tuple(node for node in entry.nodes if node != member)
                if not entry.is_primary and had_owner == member:
                    entry.primary = None
                    if entry.role is Role.COPY and entry.holds_value and self._is_next(entry):
                        entry.apply(Event.OWNER_LOST, self.local, ())
                        taken.append(entry)
        for entry in taken:
            self._take_over(entry)
            if self.owner is not None:
                self.owner.made_primary(entry.key, entry.value)

    def _is_next(self, entry: MapEntry) -> bool:
        """Whether this node is the first of those left that hold the value."""
        left = [node for node in entry.nodes if node == self.local or node in self._members]
        return left[:1] == [self.local]
