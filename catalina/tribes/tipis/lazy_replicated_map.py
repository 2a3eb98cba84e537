"""A map with one owner and one backup for each entry (Tomcat: tribes/tipis/LazyReplicatedMap.java).

Every node knows every key. The owner and one other node, chosen in turn, have the value; all other nodes know which
these are. A node that needs an entry becomes its owner: the backup without asking, any other node by one question.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalina.tribes.channel import Delivery
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.map_claims import MapClaims
from catalina.tribes.tipis.map_entry import Event, MapEntry
from catalina.tribes.tipis.map_message import MSG_BACKUP, MSG_NOTIFY_MAPMEMBER, MSG_PROXY, MSG_STATE, MapMessage

__all__ = ["LazyReplicatedMap", "OneBackup"]


class OneBackup:
    """Keeps the value at its owner and at one other node."""

    def __init__(self, claims: MapClaims) -> None:
        self.claims = claims
        self.table = claims.table
        self.link = claims.link

    def announce(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Give the value to the next node in turn; if that one cannot be reached, to the one after it."""
        told = self.link.delivery()
        left_out = set(avoid)
        with self.link.lock:
            candidates = [member for member in self.table.members.in_turn() if member not in left_out]
            candidates += [member for member in self.table.members.all if member in left_out]
        self._try_backup(entry, candidates, told)
        return told

    def _try_backup(self, entry: MapEntry, candidates: list[Member], told: Delivery) -> None:
        with self.link.lock:
            # some members may have gone since
            candidates = [member for member in candidates if member in self.table.members]
            owns = self.table.owns(entry)
            if owns:
                has_backup = bool(candidates) and entry.value is not None
                entry.nodes = (candidates[0],) if has_backup else ()
                if not has_backup:  # no member could be reached: the first that is heard again becomes the backup
                    self.link.owe(self.table.members.all, entry.id)
            if not owns or not entry.nodes:
                message = None
            else:
                message = self.table.about(MSG_BACKUP, entry)
        if message is None:
            told.finish()
            return

        def failed(_: Iterable[Member]) -> None:
            with self.link.lock:
                self.table.own(entry, self.link.now_us)
            self._try_backup(entry, candidates[1:], told)

        self.claims.spread(entry, self.claims.with_value(message, entry), told, failed)

    def tell(self, member: Member, entry: MapEntry) -> Delivery:
        """See :class:`Placement`; an entry without a backup gets one."""
        with self.link.lock:
            is_holder = member in entry.nodes
            message = self.table.about(MSG_BACKUP if is_holder else MSG_PROXY, entry)
        if not entry.nodes:
            return self.claims.publish(entry)
        return self.claims.tell_one(member, entry, self.claims.with_value(message, entry) if is_holder else message)

    def member_added(self, member: Member) -> None:
        self.claims.republish([entry for entry in self._all() if entry.is_primary and not entry.nodes])

    def member_gone(self, member: Member) -> None:
        needing: list[MapEntry] = []
        taken: list[MapEntry] = []
        with self.link.lock:
            for entry in self.table.entries.values():
                if entry.is_primary:
                    if member in entry.nodes:
                        needing.append(entry)
                elif member == entry.primary:
                    entry.primary = None
                    if entry.holds_value and not entry.is_stale:
                        taken.append(entry)
                    else:
                        self.table.note_owner(entry)
            for entry in taken:
                self.table.own(entry, self.link.now_us)
        for entry in taken:
            self.claims.made_primary(entry)
        self.claims.republish(needing + taken)

    def recipients(self, entry: MapEntry) -> tuple[Member, ...]:
        """See :class:`Placement`."""
        return entry.nodes

    def holders_missed(self, entry: MapEntry, faulty: Iterable[Member]) -> Delivery:
        """Give another node the whole value."""
        return self.claims.publish(entry, avoid=faulty)

    def claim(self, entry: MapEntry) -> None:
        """See :class:`Placement`."""
        self.claims.publish(entry)
        self.claims.made_primary(entry)

    def take_over(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        """See :class:`Placement`."""
        with self.link.lock:
            entry.nodes = nodes
        if not nodes:
            self.announce(entry)
            return

        def failed(faulty: Iterable[Member]) -> None:
            self.claims.publish(entry, avoid=faulty).add_done_callback(lambda _: told.finish())

        told = self.link.delivery()
        self.claims.spread(entry, self.table.about(MSG_NOTIFY_MAPMEMBER, entry), told, failed)

    def event_of(self, message: MapMessage) -> Event:
        """See :class:`Placement`."""
        if message.type == MSG_BACKUP or self.table.local in (message.nodes or ()):
            return Event.BACKUP_RECEIVED
        return Event.PROXY_RECEIVED

    def _all(self) -> list[MapEntry]:
        with self.link.lock:
            return list(self.table.entries.values())


class LazyReplicatedMap(AbstractReplicatedMap):
    """A map that scales with the number of nodes, because only two of them have each value."""

    replicate_message_type = MSG_BACKUP
    state_message_type = MSG_STATE
    placement_class = OneBackup
