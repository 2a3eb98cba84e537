"""Asks the nodes that hold an entry for its value, and hands on changes that an owner lacks."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from catalina.errors import ProtocolError
from catalina.tribes.group.rpc_channel import Response
from catalina.tribes.io.java import dumps
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import BACKUP, COPY, MapEntry
from catalina.tribes.tipis.map_link import MapLink
from catalina.tribes.tipis.map_message import MSG_RETRIEVE_BACKUP, MapMessage
from catalina.tribes.tipis.map_names import Names
from catalina.tribes.tipis.map_stamp import NO_STAMP, NO_VERSION, Stamp
from catalina.tribes.tipis.map_table import MapTable
from catalina.tribes.tipis.map_values import MapOwner, Merge, ValueCodec, is_mergeable

__all__ = ["Fetched", "MapFetching"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Values that are asked for again at one heartbeat.
MAX_WANTED = 200


class Fetched(NamedTuple):
    """A value of another node and its versions. Without a claim it is an old value; without any version it is
    Java's.
    """

    value: object
    stamp: Stamp
    names: tuple[Names, bool] | None = None


class MapFetching:
    """Asks for values, answers such questions, and hands on changes that an owner lacks."""

    def __init__(self, table: MapTable, link: MapLink, owner: MapOwner | None, codec: ValueCodec) -> None:
        self.table = table
        self.link = link
        self.owner = owner
        self.codec = codec

    def reply(self, request: MapMessage) -> EncodedValue | None:
        key = self.table.key_of(request)
        with self.link.lock:
            id = self.table.id_in(self.table.names_in(request, key), key) if key is not None else None
            entry = self.table.entries.get(id) if id is not None else None
            if entry is None or entry.value is None:
                return None
            value, names = entry.value, self.table.names_of(entry, is_whole=True)
            stamp = entry.stamp._replace(claim=NO_VERSION) if entry.is_stale else entry.stamp
        data = self.codec.encode(value, MEMBER_IMPL_SUIDS[0])
        # The answer has the entry's present key; the question may have used an old one.
        return MapMessage(
            self.table.map_id, MSG_RETRIEVE_BACKUP, dumps(entry.key), data, stamp=stamp, names=names
        ).to_encoded()

    def value_in(self, answer: Response) -> Fetched | None:
        if answer.message.class_name == "null":
            return None
        try:
            message = MapMessage.decode(answer.message.to_stream())
            if message.value is None:
                return None
            with self.link.lock:
                self.table.versions.heard(message.stamp)
            key = self.table.key_of(message)
            return Fetched(self.codec.decode(message.value), message.stamp, self.table.names_in(message, key))
        except ProtocolError as error:
            log.error("Unable to deserialize the value from %s: %s", answer.source.name, error)
            return None

    @staticmethod
    def newest(found: Iterable[Fetched | None]) -> Fetched | None:
        values = [each for each in found if each is not None]
        return max(values, key=lambda each: (each.stamp.birth, each.stamp.content)) if values else None

    def retrieve(self, entry: MapEntry, holders: list[Member]) -> tuple[Fetched | None, bool]:
        """Ask each holder in turn; returns the value or None, and True if all holders have said that they do not have
        it.
        """
        if self.link.rpc is None:
            return None, False
        answered = 0
        found: list[Fetched | None] = []
        for holder in holders:
            answers = self.link.ask(holder, self.table.question(entry))
            answered += len(answers)
            for fetched in map(self.value_in, answers):
                if fetched is None or (fetched.stamp.birth and fetched.stamp.birth < entry.birth):
                    continue  # this value was put before the entry that is asked for
                if fetched.stamp.claim or fetched.stamp == NO_STAMP:
                    return fetched, False
                found.append(fetched)  # an old value: another holder may have a newer one
        best = self.newest(found)
        return best, best is None and answered == len(holders)

    def want(self, entry: MapEntry) -> None:
        """The value here is older than the owner's: ask the owner now, and again at each heartbeat until it has
        come.
        """
        with self.link.lock:
            self.table.wanted.add(entry.id)
            owner = entry.primary
            question = self.table.question(entry)
        if owner is None or owner not in self.table.members:
            return

        def done(answers: list[Response]) -> None:
            for fetched in map(self.value_in, answers):
                if fetched is not None:
                    self._take_wanted(entry, fetched)

        self.link.request(owner, question, done)

    def _take_wanted(self, entry: MapEntry, fetched: Fetched) -> None:
        with self.link.lock:
            is_other = bool(fetched.stamp.birth and entry.birth) and fetched.stamp.rank != entry.rank
            if is_other or not self._is_wanted(entry):
                return
            held = entry.value
            merges = held is not None and is_mergeable(held)
            entry.value = held if merges else fetched.value
            entry.content, entry.is_stale = fetched.stamp.content, False
            self.table.wanted.discard(entry.id)
            self.table.learn_names(entry, fetched.names)
        if merges:
            self.tell_newer(entry, held.merge_value(fetched.value))
        elif self.owner is not None:
            self.owner.value_received(entry.key, fetched.value)
        self.take_handed(entry, entry.id)
        self.show_key(entry)

    def hand_over(self, entry: MapEntry, held: object, owner: Member) -> None:
        """Send a change to the node that has claimed the entry without it.

        The change was the last one made here. It travels under this node's former claim, so it reaches the new owner as
        an earlier claim and is merged there. This node keeps it until it has arrived, even if the value moves to other
        holders meanwhile.
        """
        number = self.note_handed(entry, held)
        data = self.codec.encode(held, MEMBER_IMPL_SUIDS[0])
        message = self.table.earlier(entry, owner)._replace(value=data)
        self.link.send([owner], message, lambda faulty: self.handed_over(entry, owner, number, faulty))

    def note_handed(self, entry: MapEntry, held: object) -> int:
        """Note that a change is on its way to the entry's owner; returns a number that tells it from later ones."""
        with self.link.lock:
            number = self.table.handed.get(entry.id, (None, 0))[1] + 1
            self.table.handed[entry.id] = (held, number)
        return number

    def handed_over(self, entry: MapEntry, owner: Member, number: int, faulty: dict[Member, BaseException]) -> None:
        with self.link.lock:
            is_last = self.table.handed.get(entry.id, (None, 0))[1] == number
            if is_last and not faulty and entry.primary == owner:
                del self.table.handed[entry.id]

    def hand_over_again(self) -> None:
        """Send changes that have not arrived since the last heartbeat to the present owners of their entries."""
        with self.link.lock:
            handed = list(self.table.handed.items())[:MAX_WANTED]
        for id, (held, _) in handed:
            entry = self.table.entries.get(id)
            if entry is None or entry.is_primary:
                self.take_handed(entry, id)
            elif entry.primary is not None and entry.primary in self.table.members:
                self.hand_over(entry, held, entry.primary)

    def take_handed(self, entry: MapEntry | None, id: Hashable) -> bool:
        """Merge a change that was handed over, and may not have arrived, into the value that came from another node.

        Returns:
            True when the value was changed by that.
        """
        with self.link.lock:
            held, _ = self.table.handed.get(id, (None, 0))
            if entry is None or entry.is_primary:
                self.table.handed.pop(id, None)
        if entry is None or held is None or entry.value is None or held is entry.value:
            return False
        return bool(entry.value.merge_value(held).is_changed)

    def tell_newer(self, entry: MapEntry, merge: Merge) -> None:
        """After a merge, hand over to the owner what its copy lacks: a change was lost on its way there, or crossed
        this copy.
        """
        if merge.has_newer and entry.birth and entry.primary is not None and not entry.is_primary:
            self.hand_over(entry, entry.value, entry.primary)

    def _is_wanted(self, entry: MapEntry) -> bool:
        return self.table.is_here(entry) and entry.is_stale and entry.role in (BACKUP, COPY)

    def want_again(self) -> None:
        """Ask for the values that have not come since the last heartbeat."""
        with self.link.lock:
            ids = list(self.table.wanted)[:MAX_WANTED]
        for id in ids:
            entry = self.table.entries.get(id)
            if entry is not None and self._is_wanted(entry):
                self.want(entry)
            else:
                with self.link.lock:
                    self.table.wanted.discard(id)

    def show_key(self, entry: MapEntry) -> None:
        """Give the value the entry's present key. Not under the lock."""
        if entry.names is not None and is_mergeable(entry.value):
            entry.value.renamed(entry.key, entry.names.version)
