"""How this node comes to own an entry, and what it tells the others about it.

No method waits but :meth:`MapOwnership.get` when it must fetch the value; what is sent is handed to the channel, and
its outcome comes back in the event loop's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_base import Countdown, Done
from catalina.tribes.tipis.map_entry import Event, MapEntry
from catalina.tribes.tipis.map_fetching import Fetched, MapFetching
from catalina.tribes.tipis.map_graves import Grave, final_end
from catalina.tribes.tipis.map_message import MSG_ACCESS, MSG_NOTIFY_MAPMEMBER, MSG_PROXY, MSG_REMOVE, MapMessage
from catalina.tribes.tipis.map_stamp import Stamp
from catalina.tribes.tipis.map_values import is_diffable, is_mergeable

__all__ = ["MapOwnership"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Entries that are told at once: a join must not put every session into the backlog.
WINDOW = 64
#: How often an entry that moves on is asked for where it went.
MAX_MOVES = 5


class MapOwnership(MapFetching):
    """Reading and changing entries, and becoming their owner by it."""

    # ---- for whoever uses the map

    def get(self, key: Any) -> Any:
        """The value, None when there is none; this node owns the entry afterwards.

        Waits when another node has the value; in the event loop's thread another one takes over meanwhile.
        """
        entry = self.entry(key)
        if entry is None:
            return None
        if entry.is_primary:
            return entry.value
        if entry.holds_value and not entry.is_stale:
            self._claim(entry)
        else:
            self._fetch(entry)
        return entry.value if self.entry(key) is entry else None

    def put(self, key: Any, value: Any) -> Delivery:
        """Set a value here; the handle is done when the others know."""
        with self._lock:
            id = self._bare(key) if self._bare is not None else key
            entry = self._entries.get(id)
            if entry is None:
                entry = self._entries[id] = MapEntry(key, id=id)
            self._forget_names(entry, key)
            entry.value = value
            self._own(entry, is_born=True)
            self._graves.fill(id)
        if is_diffable(value):
            value.take_diff()  # the others get it whole
        return self._announce(entry)

    def remove(self, key: Any, is_idle: bool = False) -> Any:
        """Remove an entry from all nodes; returns the value if it was here.

        Args:
            is_idle: nobody seems to use it. A node that knows of a later claim or change keeps it, and gives it back.
        """
        with self._lock:
            entry = self._entries.get(self._id_of(key))
            if entry is None:
                return None
            birth = entry.birth or self._tick()
            end = entry.stamp if is_idle and entry.birth and entry.content else final_end(birth)
            self._bury(entry, end, is_ours=True)
            members = self._members.all
        told = self._delivery()
        self._say_removed(members, entry.id, told.finish)
        return entry.value

    def _bury(self, entry: MapEntry, end: Stamp, is_ours: bool = False) -> None:
        self._drop(entry)
        self._graves.dig(entry.id, Grave(end, self._clock(), is_ours, entry.key, self._names_of(entry)))

    def rename(self, key: Any, new_key: str) -> Delivery:
        """Give an entry another key, on every node.

        Raises:
            ValueError: another entry has that name.
        """
        with self._lock:
            entry, other = self._entries.get(self._id_of(key)), self._entries.get(self._id_of(new_key))
            if other is not None and other is not entry:
                raise ValueError(f"expected a new key, got {new_key!r}, which another entry has")
            if entry is None or self._bare is None:
                return Delivery(0)
            old_key = entry.key
            self._take_names(entry, self._known_names(entry).renamed(new_key, self._tick(), self._bare))
            owns = entry.holds_value and not entry.is_stale
            if owns:
                self._own(entry)
        self._show_key(entry)
        if not owns:  # its owner tells it on
            return self._tell_names(entry)
        self._say_replaced(entry, old_key)
        return self._announce(entry)

    def _say_replaced(self, entry: MapEntry, old_key: Any) -> None:
        """Let Java forget an entry's old key. Nodes of this software hear of the new one with its claim."""
        message = MapMessage(self.map_id, MSG_REMOVE, dumps(old_key), names=self._names_of(entry, is_whole=True))
        told = self._delivery()
        with self._lock:
            members = self._members.all
        self._send(members, message, lambda _: told.finish())

    def _tell_names(self, entry: MapEntry) -> Delivery:
        """Tell the owner of an entry names that it does not know."""
        owner, told = entry.primary, self._delivery()
        if owner is None or owner == self.local:
            told.finish()
            return told

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, entry.id)
            told.finish()

        message = replace(self._earlier(entry, owner), type=MSG_NOTIFY_MAPMEMBER)
        self._send([owner], message, done)
        return told

    def replicate(self, key: Any, complete: bool = False, changed: Any = None) -> Delivery | None:
        """Tell the holders what has changed in a value; None when there is nothing to tell, or nobody.

        Args:
            complete: tell the whole value if it cannot say what changed.
            changed: the value that was changed, if it need not be the entry's any more: another node may have taken
                the entry over meanwhile.
        """
        entry = self._entries.get(self._id_of(key))
        if entry is None:
            return None
        if changed is not None and changed is not entry.value:
            return self._give_back(entry, changed)
        if entry.value is None:
            return None
        value = entry.value
        diff = value.take_diff() if is_diffable(value) else None
        if diff is None and not complete:
            return self._say_used(entry) if entry.is_primary else None
        if not entry.is_primary:  # another node claimed it while a request was changing it here
            told = self._publish(entry, is_changed=True)
            self._made_primary(entry)
            return told
        return self._say_changed(entry, diff)

    def _give_back(self, entry: MapEntry, changed: Any) -> Delivery | None:
        """A request has changed a value of which another node has become the owner: that one gets the change."""
        diff, held, owner = changed.take_diff(), entry.value, entry.primary
        if diff is None:
            return None
        if held is not None:
            held.merge_diff(diff)
        if entry.is_primary:
            return self._say_changed(entry, None)
        told = self._delivery()
        if owner is None or owner not in self._members:
            self._take_back(entry, changed, told)
            return told
        number = self._note_handed(entry, changed)

        def done(faulty: dict[Member, BaseException]) -> None:
            self._handed_over(entry, owner, number, faulty)
            if faulty:
                self._take_back(entry, changed, told)
            else:
                told.finish()

        self._send([owner], replace(self._earlier(entry, owner), diff=diff), done)
        return told

    def _take_back(self, entry: MapEntry, changed: Any, told: Delivery) -> None:
        """The owner of an entry cannot be given a change: this node owns it, with the value that has the change."""
        with self._lock:
            is_here = self._is_here(entry)
            if is_here and entry.value is None:
                entry.value = changed
            if is_here:
                self._own(entry, is_changed=True)
        if not is_here:
            told.finish()
            return
        self._show_key(entry)
        self._announce(entry).add_done_callback(lambda _: told.finish())
        self._made_primary(entry)

    def note_change(self, key: Any) -> None:
        """A value has changed while there was nobody to tell: it is no longer what others may still have."""
        with self._lock:
            entry = self._entries.get(self._id_of(key))
            if entry is not None and entry.is_primary:
                entry.content = self._tick()

    # ---- changes

    def _say_used(self, entry: MapEntry) -> Delivery | None:
        value, to = entry.value, self._recipients(entry)
        if not to or not is_diffable(value) or not value.access_due():
            return None
        return self._tell_holders(entry, to, self._about(MSG_ACCESS, entry, has_names=False))

    def _say_changed(self, entry: MapEntry, diff: bytes | None) -> Delivery | None:
        with self._lock:
            base, entry.content = entry.content, self._tick()
            to = self._recipients(entry)
            message = self._about(self.replicate_message_type, entry, has_names=diff is None)
            is_alone = not self._members
        if not to:
            return None if is_alone else self._publish(entry)
        if diff is None:
            return self._tell_holders(entry, to, self._with_value(message, entry))
        stamp = message.stamp._replace(base=base)
        return self._tell_holders(entry, to, replace(message, diff=diff, stamp=stamp))

    def _with_value(self, message: MapMessage, entry: MapEntry) -> MapMessage:
        """The message with the whole value; its stamp was read before, so that no change is taken for told."""
        return replace(message, value=self.codec.encode(entry.value, MEMBER_IMPL_SUIDS[0]))

    def _recipients(self, entry: MapEntry) -> tuple[Member, ...]:
        """Who hears of changes."""
        return entry.nodes

    def _tell_holders(self, entry: MapEntry, to: Sequence[Member], message: MapMessage) -> Delivery:
        told = self._delivery()

        def done(faulty: dict[Member, BaseException]) -> None:
            if faulty and entry.is_primary:
                self._holders_missed(entry, faulty).add_done_callback(lambda _: told.finish())
            else:
                told.finish()

        self._send_claim(entry, to, message, done)
        return told

    def _holders_missed(self, entry: MapEntry, faulty: Iterable[Member]) -> Delivery:
        """A holder that missed a change has an old value: it gets the whole, or another one does."""
        return self._publish(entry, avoid=faulty)

    # ---- claims

    def _own(self, entry: MapEntry, *, is_born: bool = False, is_changed: bool = False) -> None:
        """Claim the entry, later than all that is known of it, unless it was removed meanwhile; under the lock."""
        if not self._is_here(entry):
            return
        version = self._tick()
        holders = (*entry.former, *entry.nodes, entry.primary)
        entry.former = tuple(
            dict.fromkeys(node for node in holders if node is not None and node != self.local and node in self._members)
        )
        if is_born or not entry.birth:
            entry.birth = version
        entry.claim = version
        if is_born or is_changed or not entry.content:
            entry.content = version
        entry.is_stale = False
        entry.apply(Event.CLAIMED, self.local, ())
        self._orphans.pop(entry.id, None)
        self._wanted.discard(entry.id)

    def _announce(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Tell everybody that this node owns the entry, and give the value to whoever shall hold it."""
        raise NotImplementedError

    def _publish(self, entry: MapEntry, avoid: Iterable[Member] = (), *, is_changed: bool = False) -> Delivery:
        """Claim the entry and tell it, with the value."""
        with self._lock:
            self._own(entry, is_changed=is_changed)
        return self._announce(entry, avoid)

    def _made_primary(self, entry: MapEntry) -> None:
        if self.owner is not None and self._owns(entry):
            self.owner.made_primary(entry.key, entry.value)

    def _owns(self, entry: MapEntry) -> bool:
        """Whether this node owns the entry, and it was not removed meanwhile."""
        return entry.is_primary and self._is_here(entry)

    def _claim(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value is here."""
        self._publish(entry)
        self._made_primary(entry)

    def _send_claim(self, entry: MapEntry, to: Sequence[Member], message: MapMessage, then: Done) -> None:
        """Send what names this node as the owner."""
        with self._lock:
            entry.pending += 1

        def done(faulty: dict[Member, BaseException]) -> None:
            with self._lock:
                entry.pending -= 1
            then(faulty)

        self._send(to, message, done)

    def _spread(
        self, entry: MapEntry, message: MapMessage, told: Delivery, failed: Callable[[Iterable[Member]], None]
    ) -> None:
        """Tell the holders, and PROXY to everybody else; who held the value before lets go of it last.

        Args:
            message: for the holders, which are its nodes.
            failed: goes on when a holder cannot be reached and the entry is still claimed as the message says.
        """
        nodes = message.nodes or ()
        with self._lock:
            others = self._members.except_for(nodes)
            former = entry.former
        at_once = [member for member in others if member not in former]
        afterwards = [member for member in others if member in former]
        arrived = Countdown(2, told.finish)

        def holders_told(faulty: dict[Member, BaseException]) -> None:
            with self._lock:
                is_current = entry.is_primary and entry.rank == message.stamp.rank
                if is_current and not faulty:
                    entry.former = ()
            if is_current and faulty:
                failed(faulty)
            elif is_current:
                self._tell_others(entry, message, afterwards, arrived)
            else:
                arrived()

        self._send_claim(entry, nodes, message, holders_told)
        self._tell_others(entry, message, at_once, arrived)

    def _tell_others(
        self, entry: MapEntry, message: MapMessage, others: Sequence[Member], then: Callable[[], None]
    ) -> None:
        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, entry.id)
            then()

        self._send_claim(entry, others, replace(message, type=MSG_PROXY, value=None), done)

    def _take_over(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        """The holders keep the value under a new owner; everybody else learns who that is."""
        with self._lock:
            entry.nodes = nodes
        if not nodes:
            self._announce(entry)
            return

        def failed(faulty: Iterable[Member]) -> None:
            self._publish(entry, avoid=faulty).add_done_callback(lambda _: told.finish())

        told = self._delivery()
        self._spread(entry, self._about(MSG_NOTIFY_MAPMEMBER, entry), told, failed)

    # ---- values that another node has

    def _fetch(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value another node has; of several threads one asks."""
        with self._lock:
            fetched = self._fetching.get(entry.id)
            asks = fetched is None
            if fetched is None:
                fetched = self._fetching[entry.id] = self.channel.running_reactor.event()
        if not asks:
            with self.channel.running_reactor.blocking():
                fetched.wait(self.rpc_timeout_ms / 1000 + 5)
            return
        try:
            self._fetch_value(entry)
        finally:
            with self._lock:
                self._fetching.pop(entry.id, None)
            fetched.set()

    def _fetch_value(self, entry: MapEntry) -> None:
        asked: list[Member] = []
        found, is_gone = None, True
        for _ in range(MAX_MOVES):
            holders = self._holders(entry)
            if found is not None or self._has_come(entry) or holders == asked:
                break
            asked = holders  # while one is asked, the entry may move on to another
            found, is_gone = self._retrieve(entry, holders)
        if found is None and is_gone and not entry.holds_value:
            found, is_gone = self._retrieve(entry, list(self.members))  # what we know of it may be old
        if self._has_come(entry) or (found is None and entry.holds_value):  # by itself, or the old one is all there is
            self._claim(entry)
        elif found is None:
            log.warning("Unable to retrieve remote object for key:[%s]", entry.key)
            self._forget(entry, is_gone)
        else:
            self._take_fetched(entry, found)

    @staticmethod
    def _has_come(entry: MapEntry) -> bool:
        return entry.holds_value and not entry.is_stale

    def _forget(self, entry: MapEntry, is_gone: bool) -> None:
        with self._lock:
            if is_gone and self._is_here(entry) and not entry.is_primary:
                self._drop(entry)

    def _take_fetched(self, entry: MapEntry, found: Fetched) -> None:
        """Own an entry with another node's value; its holders need not be told the value if they have the same."""
        held = entry.value
        merges = held is not None and is_mergeable(held)
        if merges:  # an old copy, of which something may not have reached anybody
            held.merge_value(found.value)
        with self._lock:
            if not self._is_here(entry):
                return  # removed meanwhile
            self._learn_names(entry, found.names)
            nodes = tuple(node for node in entry.nodes if node in self._members and node != self.local)
            entry.value, entry.content = held if merges else found.value, found.stamp.content
            entry.birth = max(entry.birth, found.stamp.birth)
            self._own(entry, is_changed=merges)
        if not merges and self.owner is not None:
            self.owner.value_received(entry.key, entry.value)
        if self._take_handed(entry, entry.id):
            merges = True
            with self._lock:
                self._own(entry, is_changed=True)
        self._show_key(entry)
        if found.stamp.content and not merges:
            self._take_over(entry, nodes)
        else:
            self._announce(entry)
        self._made_primary(entry)

    def _holders(self, entry: MapEntry) -> list[Member]:
        """Who has the value, as far as this node knows."""
        members = (*entry.nodes, entry.primary)
        holders = dict.fromkeys(member for member in members if member is not None and member != self.local)
        return sorted(holders, key=lambda member: member in self._silent)

    # ---- telling again

    def _tell(self, member: Member, entry: MapEntry) -> Delivery:
        """Tell one member the claim that it may not have heard."""
        raise NotImplementedError

    def _tell_one(self, member: Member, entry: MapEntry, message: MapMessage) -> Delivery:
        told = Delivery(1, b"", self.channel.running_reactor)

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, entry.id)
            told.finish()

        self._send_claim(entry, [member], message, done)
        return told

    def _republish(self, entries: list[MapEntry]) -> None:
        """Give many entries new holders, some at a time."""
        self._some_at_a_time(entries, self._publish)

    def _some_at_a_time(self, entries: Sequence[MapEntry], step: Callable[[MapEntry], Delivery]) -> None:
        waiting = iter(entries)

        def next_one(_: Delivery | None = None) -> None:
            for entry in waiting:
                if self._owns(entry):
                    told = step(entry)
                    if not told.done:
                        told.add_done_callback(next_one)
                        return

        for _ in range(min(WINDOW, len(entries))):
            next_one()

    def _settle(self, member: Member) -> None:
        """A member is heard: tell it what it could not be told before."""
        with self._lock:
            ids = self._owed.pop(member, set())
            owned = [self._entries[id] for id in ids if id in self._entries]
            removed = [id for id in ids if id not in self._entries and self._graves.get(id).end.birth]
        for id in removed:
            self._say_removed([member], id)
        self._some_at_a_time(owned, lambda entry: self._tell(member, entry))
