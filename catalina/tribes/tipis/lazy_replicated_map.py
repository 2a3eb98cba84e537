"""A map with one owner and one backup for each entry (Tomcat: tribes/tipis/LazyReplicatedMap.java).

Every node knows every key. The value is at its owner and at one other node, chosen in turn; the rest know where. A node
that needs an entry becomes its owner: from the backup without asking, elsewhere by one question.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.channel import Delivery
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_message import MSG_BACKUP, MSG_PROXY, MSG_STATE

__all__ = ["LazyReplicatedMap"]


class LazyReplicatedMap(AbstractReplicatedMap):
    """Scales with the number of nodes: a value is in two of them."""

    replicate_message_type = MSG_BACKUP
    state_message_type = MSG_STATE

    def _announce(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Give the value to one other node, the next in turn; if it cannot be reached, to the one after it."""
        told = self._delivery()
        left_out = set(avoid)
        with self._lock:
            candidates = [member for member in self._members.in_turn() if member not in left_out]
            candidates += [member for member in self._members.all if member in left_out]
        self._try_backup(entry, candidates, told)
        return told

    def _try_backup(self, entry: MapEntry, candidates: list[Member], told: Delivery) -> None:
        with self._lock:
            candidates = [member for member in candidates if member in self._members]  # some may have gone since
            owns = self._owns(entry)
            if owns:
                has_backup = bool(candidates) and entry.value is not None
                entry.nodes = (candidates[0],) if has_backup else ()
                if not has_backup:  # nobody could be reached: whoever is heard again becomes the backup
                    self._owe(self._members.all, entry.id)
            if not owns or not entry.nodes:
                message = None
            else:
                message = self._about(MSG_BACKUP, entry)
        if message is None:
            told.finish()
            return

        def failed(_: Iterable[Member]) -> None:
            with self._lock:
                self._own(entry)
            self._try_backup(entry, candidates[1:], told)

        self._spread(entry, self._with_value(message, entry), told, failed)

    def _tell(self, member: Member, entry: MapEntry) -> Delivery:
        """See :class:`MapOwnership`; an entry that has no backup gets one."""
        with self._lock:
            is_holder = member in entry.nodes
            message = self._about(MSG_BACKUP if is_holder else MSG_PROXY, entry)
        if not entry.nodes:
            return self._publish(entry)
        return self._tell_one(member, entry, self._with_value(message, entry) if is_holder else message)

    def _map_member_added(self, member: Member) -> None:
        self._republish([entry for entry in self.entries() if entry.is_primary and not entry.nodes])

    def _map_member_gone(self, member: Member) -> None:
        needing: list[MapEntry] = []
        taken: list[MapEntry] = []
        with self._lock:
            for entry in self._entries.values():
                if entry.is_primary:
                    if member in entry.nodes:
                        needing.append(entry)
                elif member == entry.primary:
                    entry.primary = None
                    if entry.holds_value and not entry.is_stale:
                        taken.append(entry)
                    else:
                        self._note_owner(entry)
            for entry in taken:
                self._own(entry)
        for entry in taken:
            self._made_primary(entry)
        self._republish(needing + taken)
