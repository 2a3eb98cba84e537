"""Makes this node the owner of entries, and tells the other nodes about them.

Only :meth:`MapClaims.get` waits, when it must fetch the value. Every other method hands its messages to the channel,
and their outcome comes back in the event loop's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from catalina.tribes.channel import Delivery
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import Event, MapEntry
from catalina.tribes.tipis.map_fetching import Fetched, MapFetching
from catalina.tribes.tipis.map_graves import final_end
from catalina.tribes.tipis.map_link import Countdown, Done, MapLink
from catalina.tribes.tipis.map_message import MSG_ACCESS, MSG_NOTIFY_MAPMEMBER, MSG_PROXY, MSG_REMOVE, MapMessage
from catalina.tribes.tipis.map_table import MapTable
from catalina.tribes.tipis.map_values import is_diffable, is_mergeable

if TYPE_CHECKING:
    from catalina.reactor import Waitable

__all__ = ["MapClaims", "Placement"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Entries that are told at the same time, so that a join does not put every session into the backlog.
WINDOW = 64
#: The number of times that an entry is followed to its next owner.
MAX_MOVES = 5


class Placement(Protocol):
    """Decides which nodes hold an entry's value beside its owner. In this the kinds of maps differ."""

    def announce(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Tell all nodes that this node owns the entry, and give the value to its future holders."""

    def claim(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value is here."""

    def take_over(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        """Let the holders keep the value under a new owner, and tell all other nodes who that is."""

    def tell(self, member: Member, entry: MapEntry) -> Delivery:
        """Tell one member the claim, which it may not have heard."""

    def recipients(self, entry: MapEntry) -> tuple[Member, ...]:
        """The members that hear of changes."""

    def holders_missed(self, entry: MapEntry, faulty: Iterable[Member]) -> Delivery:
        """Handle a change that did not reach a holder: its value is old, so it gets the whole value, or another node
        does.
        """

    def event_of(self, message: MapMessage) -> Event:
        """The event that another node's claim is for this node."""

    def member_added(self, member: Member) -> None:
        """Let a new member hold values that have no holder yet."""

    def member_gone(self, member: Member) -> None:
        """A member has gone: find an owner for its entries, and another holder for entries of this node that it
        held.
        """


class MapClaims:
    """Reads and changes entries, and makes this node their owner."""

    placement: Placement

    def __init__(self, table: MapTable, link: MapLink, fetching: MapFetching) -> None:
        self.table = table
        self.link = link
        self.fetching = fetching
        self.owner = fetching.owner
        self.codec = fetching.codec
        #: By id of an entry whose value is being fetched: an event, set when the value is here or nowhere.
        self.under_way: dict[Any, Waitable] = {}

    # ---- the methods of the map

    def get(self, key: Hashable) -> object:
        """The value, None when there is none; this node owns the entry afterwards.

        Waits when another node has the value. If the event loop's thread waits, another thread takes over the loop
        meanwhile.
        """
        entry = self.table.entry(key)
        if entry is None:
            return None
        if entry.is_primary:
            return entry.value
        if entry.holds_value and not entry.is_stale:
            self.placement.claim(entry)
        else:
            self.fetch(entry)
        return entry.value if self.table.entry(key) is entry else None

    def put(self, key: Hashable, value: object) -> Delivery:
        """Set a value here; the returned Delivery is done when the other nodes know of it."""
        with self.link.lock:
            id: Any = key
            if self.table.bare is not None:
                id = self.table.bare(id)
            entry = self.table.entries.get(id)
            if entry is None:
                entry = self.table.entries[id] = MapEntry(key, id=id)
            self.table.forget_names(entry, key)
            entry.value = value
            self.table.own(entry, self.link.now_us, is_born=True)
            self.table.graves.fill(id)
        if is_diffable(value):
            value.take_diff()  # the other nodes get the whole value, so the difference is not needed
        return self.placement.announce(entry)

    def remove(self, key: Hashable, is_idle: bool = False) -> object:
        """Remove an entry from all nodes; returns the value if it was here.

        Args:
            is_idle: the entry is removed for idleness. A node that knows of a later claim or change keeps the entry,
                and gives it back.
        """
        with self.link.lock:
            entry = self.table.entries.get(self.table.id_of(key))
            if entry is None:
                return None
            birth = entry.birth or self.table.tick(self.link.now_us)
            end = entry.stamp if is_idle and entry.birth and entry.content else final_end(birth)
            self.table.bury(entry, end, self.link.clock(), is_ours=True)
            members = self.table.members.all
        told = self.link.delivery()
        self.link.say_removed(members, entry.id, told.finish)
        return entry.value

    def rename(self, key: Hashable, new_key: str) -> Delivery:
        """Give an entry another key, on every node.

        Raises:
            ValueError: another entry has that name.
        """
        with self.link.lock:
            entries, id_of = self.table.entries, self.table.id_of
            entry, other = entries.get(id_of(key)), entries.get(id_of(new_key))
            if other is not None and other is not entry:
                raise ValueError(f"expected a new key, got {new_key!r}, which another entry has")
            if entry is None or self.table.bare is None:
                return Delivery(0)
            old_key = entry.key
            self.table.give_key(entry, new_key, self.link.now_us)
            owns = entry.holds_value and not entry.is_stale
            if owns:
                self.table.own(entry, self.link.now_us)
        self.fetching.show_key(entry)
        if not owns:  # the owner passes the new key on
            return self.tell_names(entry)
        self.say_replaced(entry, old_key)
        return self.placement.announce(entry)

    def say_replaced(self, entry: MapEntry, old_key: Hashable) -> None:
        """Let Java nodes forget an entry's old key. Nodes of this software hear of the new key with the claim."""
        message = MapMessage(
            self.table.map_id, MSG_REMOVE, dumps(old_key), names=self.table.names_of(entry, is_whole=True)
        )
        told = self.link.delivery()
        with self.link.lock:
            members = self.table.members.all
        self.link.send(members, message, lambda _: told.finish())

    def tell_names(self, entry: MapEntry) -> Delivery:
        """Tell the owner of an entry names that it does not know."""
        owner, told = entry.primary, self.link.delivery()
        if owner is None or owner == self.table.local:
            told.finish()
            return told

        def done(faulty: dict[Member, BaseException]) -> None:
            self.link.owe(faulty, entry.id)
            told.finish()

        message = self.table.earlier(entry, owner)._replace(type=MSG_NOTIFY_MAPMEMBER)
        self.link.send([owner], message, done)
        return told

    def replicate(self, key: Hashable, complete: bool = False, changed: object = None) -> Delivery | None:
        """Tell the holders what has changed in a value; returns None when nothing or nobody has to be told.

        Args:
            complete: tell the whole value if it cannot say what changed.
            changed: the value that was changed. It may differ from the entry's value when another node has taken over
                the entry meanwhile.
        """
        entry = self.table.entries.get(self.table.id_of(key))
        if entry is None:
            return None
        if changed is not None and changed is not entry.value:
            return self._give_back(entry, changed)
        if entry.value is None:
            return None
        value = entry.value
        diff = value.take_diff() if is_diffable(value) else None
        if diff is None and not complete:
            return self.say_used(entry) if entry.is_primary else None
        if not entry.is_primary:  # another node claimed the entry while a request here was changing it
            told = self.publish(entry, is_changed=True)
            self.made_primary(entry)
            return told
        return self.say_changed(entry, diff)

    def _give_back(self, entry: MapEntry, changed: Any) -> Delivery | None:
        """A request has changed a value after another node became the owner: send the owner the change."""
        diff, held, owner = changed.take_diff(), entry.value, entry.primary
        if diff is None:
            return None
        if held is not None:
            held.merge_diff(diff)
        if entry.is_primary:
            return self.say_changed(entry, None)
        told = self.link.delivery()
        if owner is None or owner not in self.table.members:
            self._take_back(entry, changed, told)
            return told
        number = self.fetching.note_handed(entry, changed)

        def done(faulty: dict[Member, BaseException]) -> None:
            self.fetching.handed_over(entry, owner, number, faulty)
            if faulty:
                self._take_back(entry, changed, told)
            else:
                told.finish()

        self.link.send([owner], self.table.earlier(entry, owner)._replace(diff=diff), done)
        return told

    def _take_back(self, entry: MapEntry, changed: object, told: Delivery) -> None:
        """The owner cannot be given a change: become the owner, with the value that has the change."""
        with self.link.lock:
            is_here = self.table.is_here(entry)
            if is_here and entry.value is None:
                entry.value = changed
            if is_here:
                self.table.own(entry, self.link.now_us, is_changed=True)
        if not is_here:
            told.finish()
            return
        self.fetching.show_key(entry)
        self.placement.announce(entry).add_done_callback(lambda _: told.finish())
        self.made_primary(entry)

    def note_change(self, key: Hashable) -> None:
        """Note that a value has changed while nobody could be told: copies on other nodes are now out of date."""
        with self.link.lock:
            entry = self.table.entries.get(self.table.id_of(key))
            if entry is not None and entry.is_primary:
                entry.content = self.table.tick(self.link.now_us)

    # ---- changes

    def say_used(self, entry: MapEntry) -> Delivery | None:
        value, to = entry.value, self.placement.recipients(entry)
        if not to or not is_diffable(value) or not value.access_due():
            return None
        return self.tell_holders(entry, to, self.table.about(MSG_ACCESS, entry, has_names=False))

    def say_changed(self, entry: MapEntry, diff: bytes | None) -> Delivery | None:
        with self.link.lock:
            base, entry.content = entry.content, self.table.tick(self.link.now_us)
            to = self.placement.recipients(entry)
            message = self.table.about(self.table.kind, entry, has_names=diff is None)
            is_alone = not self.table.members
        if not to:
            return None if is_alone else self.publish(entry)
        if diff is None:
            return self.tell_holders(entry, to, self.with_value(message, entry))
        stamp = message.stamp._replace(base=base)
        return self.tell_holders(entry, to, message._replace(diff=diff, stamp=stamp))

    def with_value(self, message: MapMessage, entry: MapEntry) -> MapMessage:
        """The message with the whole value. The value is encoded after the stamp was read, so the stamp never promises
        too much.
        """
        return message._replace(value=self.codec.encode(entry.value, MEMBER_IMPL_SUIDS[0]))

    def tell_holders(self, entry: MapEntry, to: Sequence[Member], message: MapMessage) -> Delivery:
        told = self.link.delivery()

        def done(faulty: dict[Member, BaseException]) -> None:
            if faulty and entry.is_primary:
                self.placement.holders_missed(entry, faulty).add_done_callback(lambda _: told.finish())
            else:
                told.finish()

        self.send_claim(entry, to, message, done)
        return told

    # ---- claims

    def publish(self, entry: MapEntry, avoid: Iterable[Member] = (), *, is_changed: bool = False) -> Delivery:
        """Claim the entry, and announce it with its value."""
        with self.link.lock:
            self.table.own(entry, self.link.now_us, is_changed=is_changed)
        return self.placement.announce(entry, avoid)

    def made_primary(self, entry: MapEntry) -> None:
        if self.owner is not None and self.table.owns(entry):
            self.owner.made_primary(entry.key, entry.value)

    def send_claim(self, entry: MapEntry, to: Sequence[Member], message: MapMessage, then: Done) -> None:
        """Send a message that names this node as the owner, and count it as pending until it has arrived or failed."""
        with self.link.lock:
            entry.pending += 1

        def done(faulty: dict[Member, BaseException]) -> None:
            with self.link.lock:
                entry.pending -= 1
            then(faulty)

        self.link.send(to, message, done)

    def spread(
        self, entry: MapEntry, message: MapMessage, told: Delivery, failed: Callable[[Iterable[Member]], None]
    ) -> None:
        """Send the message to the holders, and PROXY to everybody else.

        Nodes that held the value before hear it last, after the new holders have it: until then they keep the value.

        Args:
            message: the message for the holders, which its ``nodes`` lists.
            failed: continues when a holder cannot be reached and the entry is still claimed as the message says.
        """
        nodes = message.nodes or ()
        with self.link.lock:
            others = self.table.members.except_for(nodes)
            former = entry.former
        at_once = [member for member in others if member not in former]
        afterwards = [member for member in others if member in former]
        arrived = Countdown(2, told.finish)

        def holders_told(faulty: dict[Member, BaseException]) -> None:
            with self.link.lock:
                is_current = entry.is_primary and entry.rank == message.stamp.rank
                if is_current and not faulty:
                    entry.former = ()
            if is_current and faulty:
                failed(faulty)
            elif is_current:
                self._tell_others(entry, message, afterwards, arrived)
            else:
                arrived()

        self.send_claim(entry, nodes, message, holders_told)
        self._tell_others(entry, message, at_once, arrived)

    def _tell_others(
        self, entry: MapEntry, message: MapMessage, others: Sequence[Member], then: Callable[[], None]
    ) -> None:
        def done(faulty: dict[Member, BaseException]) -> None:
            self.link.owe(faulty, entry.id)
            then()

        self.send_claim(entry, others, message._replace(type=MSG_PROXY, value=None), done)

    # ---- values that another node has

    def fetch(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value another node has. When several threads want it, one asks."""
        with self.link.lock:
            fetched = self.under_way.get(entry.id)
            asks = fetched is None
            if fetched is None:
                fetched = self.under_way[entry.id] = self.link.channel.running_reactor.event()
        if not asks:
            with self.link.channel.running_reactor.blocking():
                fetched.wait(self.link.timing.rpc_seconds + 5)
            return
        try:
            self._fetch_value(entry)
        finally:
            with self.link.lock:
                self.under_way.pop(entry.id, None)
            fetched.set()

    def _fetch_value(self, entry: MapEntry) -> None:
        asked: list[Member] = []
        found, is_gone = None, True
        for _ in range(MAX_MOVES):
            holders = self._holders(entry)
            if found is not None or self._has_come(entry) or holders == asked:
                break
            asked = holders  # the entry may move on to another owner while one is asked
            found, is_gone = self.fetching.retrieve(entry, holders)
        if found is None and is_gone and not entry.holds_value:  # the known holders may be out of date
            found, is_gone = self.fetching.retrieve(entry, list(self.table.members.all))
        # it came by itself, or the old value is all there is
        if self._has_come(entry) or (found is None and entry.holds_value):
            self.placement.claim(entry)
        elif found is None:
            log.warning("Unable to retrieve remote object for key:[%s]", entry.key)
            self.forget(entry, is_gone)
        else:
            self.take_fetched(entry, found)

    @staticmethod
    def _has_come(entry: MapEntry) -> bool:
        return entry.holds_value and not entry.is_stale

    def forget(self, entry: MapEntry, is_gone: bool) -> None:
        with self.link.lock:
            if is_gone and self.table.is_here(entry) and not entry.is_primary:
                self.table.drop(entry)

    def take_fetched(self, entry: MapEntry, found: Fetched) -> None:
        """Own an entry with another node's value. Holders that have the same value are only told of the new owner."""
        held = entry.value
        merges = held is not None and is_mergeable(held)
        if merges:  # a change in this old copy may not have reached any other node
            held.merge_value(found.value)
        with self.link.lock:
            if not self.table.is_here(entry):
                return  # the entry was removed meanwhile
            self.table.learn_names(entry, found.names)
            nodes = tuple(node for node in entry.nodes if node in self.table.members and node != self.table.local)
            entry.value, entry.content = held if merges else found.value, found.stamp.content
            entry.birth = max(entry.birth, found.stamp.birth)
            self.table.own(entry, self.link.now_us, is_changed=merges)
        if not merges and self.owner is not None:
            self.owner.value_received(entry.key, entry.value)
        if self.fetching.take_handed(entry, entry.id):
            merges = True
            with self.link.lock:
                self.table.own(entry, self.link.now_us, is_changed=True)
        self.fetching.show_key(entry)
        if found.stamp.content and not merges:
            self.placement.take_over(entry, nodes)
        else:
            self.placement.announce(entry)
        self.made_primary(entry)

    def _holders(self, entry: MapEntry) -> list[Member]:
        """The members that have the value, as far as this node knows."""
        members = (*entry.nodes, entry.primary)
        holders = dict.fromkeys(member for member in members if member is not None and member != self.table.local)
        return sorted(holders, key=lambda member: member in self.link.silent)

    # ---- telling again

    def tell_one(self, member: Member, entry: MapEntry, message: MapMessage) -> Delivery:
        told = Delivery(1, b"", self.link.channel.running_reactor)

        def done(faulty: dict[Member, BaseException]) -> None:
            self.link.owe(faulty, entry.id)
            told.finish()

        self.send_claim(entry, [member], message, done)
        return told

    def republish(self, entries: list[MapEntry]) -> None:
        """Give new holders to many entries, some at a time."""
        self.some_at_a_time(entries, self.publish)

    def some_at_a_time(self, entries: Sequence[MapEntry], step: Callable[[MapEntry], Delivery]) -> None:
        waiting = iter(entries)

        def next_one(_: Delivery | None = None) -> None:
            for entry in waiting:
                if self.table.owns(entry):
                    told = step(entry)
                    if not told.done:
                        told.add_done_callback(next_one)
                        return

        for _ in range(min(WINDOW, len(entries))):
            next_one()

    def settle(self, member: Member) -> None:
        """A member is heard again: tell it everything that it could not be told before."""
        with self.link.lock:
            ids = self.table.owed.pop(member, set())
            owned = [self.table.entries[id] for id in ids if id in self.table.entries]
            removed = [id for id in ids if id not in self.table.entries and self.table.graves.get(id).end.birth]
        for id in removed:
            self.link.say_removed([member], id)
        self.some_at_a_time(owned, lambda entry: self.placement.tell(member, entry))
