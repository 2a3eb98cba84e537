"""How this node comes to own an entry, and what it tells the others about it.

No method waits but :meth:`MapOwnership.get` when it must fetch the value; what is sent is handed to the channel, and
its outcome comes back in the event loop's thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from catalina.errors import ProtocolError
from catalina.tribes.channel import Delivery
from catalina.tribes.group.rpc_channel import FIRST_REPLY, Response
from catalina.tribes.io.java import dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_base import Countdown, Done, MapBase
from catalina.tribes.tipis.map_entry import Event, MapEntry, comes_first
from catalina.tribes.tipis.map_message import (
    MSG_ACCESS,
    MSG_NOTIFY_MAPMEMBER,
    MSG_PROXY,
    MSG_REMOVE,
    MSG_RETRIEVE_BACKUP,
    MapMessage,
)
from catalina.tribes.tipis.map_values import is_diffable

__all__ = ["MapOwnership"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Entries whose new backup is under way at once: a join must not put every session into the backlog.
WINDOW = 64
#: How often an entry that moves on is asked for where it went.
MAX_MOVES = 5


class MapOwnership(MapBase):
    """Reading and changing entries, and becoming their owner by it."""

    def get(self, key: Any) -> Any:
        """The value, None when there is none; this node owns the entry afterwards.

        Waits when another node has the value; in the event loop's thread another one takes over meanwhile.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.is_primary:
            return entry.value
        if entry.holds_value:
            self._claim(entry)
        else:
            self._fetch(entry)
        return entry.value if self._entries.get(key) is entry else None

    def put(self, key: Any, value: Any) -> Delivery:
        """Set a value here; the handle is done when the others know."""
        with self._lock:
            old = self._entries.get(key)
            entry = MapEntry(key, value)
            if old is not None:
                entry.role, entry.primary, entry.nodes = old.role, old.primary, old.nodes
            entry.apply(Event.CLAIMED, self.local, ())
            self._entries[key] = entry
            if self._removed is not None:
                self._removed.discard(key)
        if is_diffable(value):
            value.take_diff()  # the others get it whole
        return self._publish(entry)

    def remove(self, key: Any) -> Any:
        """Remove an entry from all nodes; returns the value if it was here."""
        with self._lock:
            entry = self._entries.pop(key, None)
            self._note_removed(key)
            members = self._members.all
        if entry is None:
            return None
        told = self._delivery()

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, key)
            told.finish()

        self._send(members, MapMessage(self.map_id, MSG_REMOVE, dumps(key)), done)
        return entry.value

    def replicate(self, key: Any, complete: bool = False) -> Delivery | None:
        """Tell the holders what has changed in a value; None when there is nothing to tell, or nobody.

        Args:
            complete: tell the whole value if it cannot say what changed.
        """
        entry = self._entries.get(key)
        if entry is None or entry.value is None:
            return None
        value = entry.value
        diff = value.take_diff() if is_diffable(value) else None
        if not entry.is_primary:
            if diff is None and not complete:
                return None
            self._claim_silently(entry)  # another node claimed it while a request was changing it here
            return self._publish(entry)
        if not entry.nodes:
            with self._lock:
                alone = not self._members
            return None if alone or (diff is None and not complete) else self._publish(entry)
        message = self._change_message(entry, diff, complete)
        return None if message is None else self._tell_nodes(entry, message)

    def _change_message(self, entry: MapEntry, diff: bytes | None, complete: bool) -> MapMessage | None:
        key, value = dumps(entry.key), entry.value
        kind = self.replicate_message_type
        if diff is not None:
            return MapMessage(self.map_id, kind, key, None, diff, entry.primary, entry.nodes)
        if complete:
            encoded = self.codec.encode(value, MEMBER_IMPL_SUIDS[0])
            return MapMessage(self.map_id, kind, key, encoded, None, entry.primary, entry.nodes)
        if is_diffable(value) and value.access_due():
            return MapMessage(self.map_id, MSG_ACCESS, key, None, None, entry.primary, entry.nodes)
        return None

    def _tell_nodes(self, entry: MapEntry, message: MapMessage) -> Delivery:
        told = self._delivery()
        self._claims(entry)  # it names the owner, too

        def done(faulty: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            if faulty and entry.is_primary:
                # A holder that missed a change has an old value: it gets the whole, or another one does.
                self._publish(entry, avoid=faulty).add_done_callback(lambda _: told.finish())
            else:
                told.finish()

        self._send(entry.nodes, message, done)
        return told

    def _publish(self, entry: MapEntry, avoid: Iterable[Member] = ()) -> Delivery:
        """Tell everybody that this node owns the entry, and give the value to whoever shall hold it."""
        raise NotImplementedError

    def _claim_silently(self, entry: MapEntry) -> None:
        with self._lock:
            entry.apply(Event.CLAIMED, self.local, ())
            self._entries.setdefault(entry.key, entry)

    def _claim(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value is here."""
        self._claim_silently(entry)
        self._publish(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, entry.value)

    def _claims(self, entry: MapEntry, messages: int = 1) -> None:
        """Messages that name this node as the owner are about to be sent; any thread, so it is under the lock."""
        with self._lock:
            entry.claims += messages

    def _claim_arrived(self, entry: MapEntry) -> None:
        """A claim of this node has arrived everywhere; if the entry is another's by now, that one must hear it."""
        with self._lock:
            entry.claims -= 1
            is_last = not entry.claims
        if is_last and entry.gave_way:
            self._concede(entry)

    def _take_back(self, entry: MapEntry) -> None:
        """The entry was removed by another node while our claim was on its way: some may have heard the two in turn."""
        key = dumps(entry.key)
        current = self._entries.get(entry.key)
        if current is None:
            with self._lock:
                members = self._members.all
            self._send(members, MapMessage(self.map_id, MSG_REMOVE, key, primary=self.local))
        elif not current.is_primary and not current.claims:  # else it is said when those have arrived
            self._concede(current)

    def _concede(self, entry: MapEntry) -> None:
        """Tell the one who has the entry now that it is his: some may have heard our claim after his."""
        entry.gave_way = False
        if self._entries.get(entry.key) is not entry:
            self._take_back(entry)
            return
        winner = entry.primary
        if winner is not None and winner != self.local:
            key = dumps(entry.key)
            self._send([winner], MapMessage(self.map_id, MSG_NOTIFY_MAPMEMBER, key, None, None, winner, entry.nodes))

    def _claim_again(self, entry: MapEntry, nodes: tuple[Member, ...]) -> None:
        """Another node, which had claimed the entry at the same time, says that it is ours."""
        if entry.is_primary:
            self._republish([entry])
        elif entry.holds_value:
            self._claim_whole(entry)
        else:
            self._ask_for_value(entry, [node for node in nodes if node != self.local], self._claim_whole)

    def _claim_whole(self, entry: MapEntry) -> None:
        """Become the owner, and give the value to its holders whatever they have of it."""
        self._claim_silently(entry)
        self._publish(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, entry.value)

    def _collides(self, entry: MapEntry, primary: Member | None) -> bool:
        """Whether this node has claimed the entry at the same time, and keeps it."""
        return bool(
            entry.is_primary
            and entry.claims
            and primary is not None
            and primary != self.local
            and comes_first(self.local, primary)
        )

    def _fetch(self, entry: MapEntry) -> None:
        """Become the owner of an entry whose value another node has; of several threads one asks."""
        with self._lock:
            fetched = self._fetching.get(entry.key)
            asks = fetched is None
            if fetched is None:
                fetched = self._fetching[entry.key] = threading.Event()
        if not asks:
            with self.channel.running_reactor.blocking():
                fetched.wait(self.rpc_timeout_ms / 1000 + 5)
            return
        try:
            self._fetch_value(entry)
        finally:
            with self._lock:
                self._fetching.pop(entry.key, None)
            fetched.set()

    def _fetch_value(self, entry: MapEntry) -> None:
        asked: list[Member] = []
        value, is_gone = None, True
        for _ in range(MAX_MOVES):
            holders = self._holders(entry)
            if value is not None or entry.holds_value or holders == asked:
                break
            asked = holders  # while one is asked, the entry may move on to another
            value, is_gone = self._retrieve(entry.key, holders)
        if value is None and is_gone and not entry.holds_value:
            value, is_gone = self._retrieve(entry.key, list(self.members))  # what we know of it may be old
        if entry.holds_value:  # it came here by itself
            self._claim(entry)
            return
        if value is None:
            log.warning("Unable to retrieve remote object for key:[%s]", entry.key)
            with self._lock:
                if is_gone and self._entries.get(entry.key) is entry and not entry.is_primary:
                    del self._entries[entry.key]
            return
        if self.owner is not None:
            self.owner.value_received(entry.key, value)
        with self._lock:
            if self._entries.get(entry.key) is not entry:
                return  # removed meanwhile
            nodes = entry.nodes
            entry.value = value
            entry.apply(Event.CLAIMED, self.local, nodes)
        self._take_over(entry)
        if self.owner is not None:
            self.owner.made_primary(entry.key, value)

    def _holders(self, entry: MapEntry) -> list[Member]:
        """Who has the value, as far as this node knows."""
        members = (*entry.nodes, entry.primary)
        return list(dict.fromkeys(member for member in members if member is not None and member != self.local))

    def _take_over(self, entry: MapEntry) -> None:
        """The holders keep the value under a new owner; everybody else learns who that is."""
        with self._lock:
            nodes = tuple(node for node in entry.nodes if node in self._members)
            entry.nodes = nodes
        if not nodes:
            self._publish(entry)
            return
        key = dumps(entry.key)
        told = self._delivery()
        self._claims(entry, 2)
        arrived = Countdown(2, told.finish)

        def one_done(_: dict[Member, BaseException]) -> None:
            self._claim_arrived(entry)
            arrived()

        def done(faulty: dict[Member, BaseException]) -> None:
            if faulty and entry.is_primary:
                self._publish(entry, avoid=faulty)
            one_done(faulty)

        self._send(nodes, MapMessage(self.map_id, MSG_NOTIFY_MAPMEMBER, key, None, None, self.local, nodes), done)
        self._tell_others(entry, key, nodes, one_done)

    def _tell_others(self, entry: MapEntry, key: bytes, nodes: tuple[Member, ...], told: Done | None = None) -> None:
        """Say PROXY to those who hold nothing."""
        with self._lock:
            others = self._members.except_for(nodes)

        def done(faulty: dict[Member, BaseException]) -> None:
            self._owe(faulty, entry.key)
            if told is not None:
                told(faulty)

        self._send(others, MapMessage(self.map_id, MSG_PROXY, key, None, None, self.local, nodes), done)

    def _retrieve(self, key: Any, holders: list[Member]) -> tuple[Any, bool]:
        """Ask each holder in turn for the value; None when none has it, and whether all have said so."""
        rpc = self.rpc
        if rpc is None:
            return None, False
        answered = 0
        question = MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, dumps(key))
        for holder in holders:
            answers = rpc.send(
                [holder], self._encoded(question, holder), FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000
            )
            answered += len(answers)
            for answer in answers:
                value = self._value_in(answer)
                if value is not None:
                    return value, False
        return None, answered == len(holders)

    def _value_in(self, answer: Response) -> Any:
        if answer.message.class_name == "null":
            return None
        try:
            data = MapMessage.decode(answer.message.to_stream()).value
            return None if data is None else self.codec.decode(data)
        except ProtocolError as error:
            log.error("Unable to deserialize the value from %s: %s", answer.source.name, error)
            return None

    def _ask_for_value(self, entry: MapEntry, holders: list[Member], then: Callable[[MapEntry], None]) -> None:
        """Ask for the value without waiting; ``then(entry)`` when it has come and is still wanted."""
        rpc = self.rpc
        role = entry.role

        def done(answers: list[Response]) -> None:
            for answer in answers:
                value = self._value_in(answer)
                if value is not None and entry.value is None and entry.role is role:
                    entry.value = value
                    if self.owner is not None:
                        self.owner.value_received(entry.key, value)
                    then(entry)

        if rpc is not None and holders:
            question = MapMessage(self.map_id, MSG_RETRIEVE_BACKUP, dumps(entry.key)).to_encoded()
            rpc.request(holders, question, FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000, done)

    def _republish(self, entries: list[MapEntry]) -> None:
        """Give many entries new holders, some at a time."""
        waiting = iter(entries)

        def next_one(_: Delivery | None = None) -> None:
            for entry in waiting:
                if entry.is_primary and self._entries.get(entry.key) is entry:
                    self._publish(entry).add_done_callback(next_one)
                    return

        for _ in range(min(WINDOW, len(entries))):
            next_one()
