"""A map with one owner and one backup for each entry (Tomcat: tribes/tipis/LazyReplicatedMap.java).

Every node knows every key. The value is at its owner and at one other node, chosen in turn; the rest know where. A node
that needs an entry becomes its owner: from the backup without asking, elsewhere by one question.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.map_base import Countdown
from catalina.tribes.tipis.map_entry import Event, MapEntry, Role
from catalina.tribes.tipis.map_message import MSG_BACKUP, MSG_STATE, MapMessage

__all__ = ["LazyReplicatedMap"]


class LazyReplicatedMap(AbstractReplicatedMap):
    """Scales with the number of nodes: a value is in two of them."""

    replicate_message_type = MSG_BACKUP
    state_message_type = MSG_STATE

    def _publish(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Give the value to one other node, the next in turn; if it cannot be reached, to the one after it."""
        told = self._delivery()
        left_out = set(avoid)
        with self._lock:
            candidates = [member for member in self._members.in_turn() if member not in left_out]
            candidates += [member for member in self._members.all if member in left_out]
            entry.claims += 1
        self._try_backup(entry, candidates, told)
        return told

    def _try_backup(self, entry: MapEntry, candidates: list[Member], told: Delivery) -> None:
        if not candidates or entry.value is None:
            if entry.is_primary:
                entry.nodes = ()
                self._owe(self.members, entry.key)  # nobody could be reached: whoever is heard again becomes the backup
            self._claim_arrived(entry)
            told.finish()
            return
        key = dumps(entry.key)
        nodes = (candidates[0],)
        entry.nodes = nodes
        value = self.codec.encode(entry.value, MEMBER_IMPL_SUIDS[0])

        def all_done() -> None:
            self._claim_arrived(entry)
            told.finish()

        arrived = Countdown(2, all_done)

        def backup_done(faulty: dict[Member, BaseException]) -> None:
            if faulty and entry.is_primary and entry.nodes == nodes:
                self._try_backup(entry, candidates[1:], told)
            else:
                arrived()

        message = MapMessage(self.map_id, MSG_BACKUP, key, value, None, self.local, nodes)
        self._send(nodes, message, backup_done)
        self._tell_others(entry, key, nodes, lambda _: arrived())

    def _map_member_added(self, member: Member) -> None:
        self._republish([entry for entry in self.entries() if entry.is_primary and not entry.nodes])

    def _map_member_gone(self, member: Member) -> None:
        needing: list[MapEntry] = []
        taken: list[MapEntry] = []
        with self._lock:
            for entry in list(self._entries.values()):
                if entry.is_primary:
                    if member in entry.nodes:
                        entry.nodes = tuple(node for node in entry.nodes if node != member)
                        needing.append(entry)
                elif member == entry.primary:
                    self._lose_owner(entry, member, taken)
                elif entry.primary is None and member in entry.nodes:
                    self._forget_if_nowhere(entry, member)
        for entry in taken:
            if self.owner is not None:
                self.owner.made_primary(entry.key, entry.value)
        self._republish(needing + taken)

    def _lose_owner(self, entry: MapEntry, member: Member, taken: list[MapEntry]) -> None:
        """The owner is gone: the node that holds the value takes its place, the others wait for its word."""
        entry.primary = None
        holders = [node for node in entry.nodes if node != member]
        if entry.role is Role.BACKUP and entry.holds_value and holders[:1] == [self.local]:
            entry.apply(Event.OWNER_LOST, self.local, ())
            taken.append(entry)
        else:
            self._forget_if_nowhere(entry, member)

    def _forget_if_nowhere(self, entry: MapEntry, member: Member) -> None:
        if not any(node != member for node in entry.nodes) and not entry.holds_value:
            self._entries.pop(entry.key, None)
