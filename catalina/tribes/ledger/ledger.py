"""The table of records of one node, as a pure machine.

Invariants, whatever the order in which messages come, and however often:

- A record is one object for its whole life, found by its key. All its names are entries of ``_aliases`` (the key itself
  needs none); a name leads to at most one record or grave.
- A field's version never falls. Two nodes that have taken the same changes have the same record.
- A record and a grave of one key are never there together. A final end stays: nothing that happened before it brings
  the record back. An end for idleness gives way to a use that was not known where it was decided.
- A record that is not born yet (its changes have overtaken the news of it) is in ``_unborn``, bounded in number and
  time, and is no record to anybody but the ledger.
- Every version that is taken here was heard by the clock: what this node changes next is later.

The carrier owns the ledger: one thread at a time calls it, under the carrier's lock where there are several. Changes of
this node come in by the methods without ``heard_`` and return what has to be sent; what other nodes say comes in by the
``heard_`` methods, which return commands.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from catalina.tribes.io.java import EncodedValue
from catalina.tribes.ledger.commands import Ask, Born, Changed, Command, Ended, Peer, Renamed, Tell, TellEnded, Used
from catalina.tribes.ledger.graves import Grave, Graves
from catalina.tribes.ledger.record import BUCKETS, Field, FieldChange, Merged, Record, Snapshot, bare_id, bucket_of
from catalina.tribes.ledger.version import NO_VERSION, Version, VersionClock

__all__ = ["Change", "Ledger"]

Change = tuple[Field, EncodedValue | None]

#: Records that are not born yet, and seconds for which each is kept.
MAX_UNBORN = 10_000
UNBORN_SECONDS = 10.0
#: Bytes of the values of one record that is not born yet.
MAX_UNBORN_BYTES = 2**20


class Ledger:
    """Records, ends and names.

    Args:
        clock: makes this node's versions.
        graves: remembers the ends.
    """

    def __init__(self, clock: VersionClock, graves: Graves | None = None) -> None:
        self.clock = clock
        self.graves = Graves() if graves is None else graves
        self._table: list[dict[str, Record] | None] = [None] * BUCKETS
        self._count = 0
        self._aliases: dict[str, str] = {}
        self._unborn: OrderedDict[str, tuple[float, Record]] = OrderedDict()
        #: Buckets in which something has changed since the last look (``reconciler.py``).
        self.changed_buckets: set[int] = set()

    # -- looking -------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        for bucket in range(BUCKETS):
            yield from self.in_bucket(bucket)

    def in_bucket(self, bucket: int) -> list[Record]:
        """The records of a bucket."""
        records = self._table[bucket]
        return [] if records is None else list(records.values())

    def find(self, full_id: str) -> Record | None:
        """The record that a client with this id may use, whatever the route behind its dot."""
        bare = bare_id(full_id)
        record = self._at(self._aliases.get(bare, bare))
        return record if record is not None and record.leads_here(bare) else None

    def addressed(self, full_id: str) -> Record | None:
        """The record that a peer means by this id, which may have been replaced since."""
        bare = bare_id(full_id)
        return self._at(self._aliases.get(bare, bare))

    def grave_of(self, full_id: str) -> Grave | None:
        """The end of the record that had this id."""
        bare = bare_id(full_id)
        return self.graves.get(self._aliases.get(bare, bare))

    def _at(self, key: str) -> Record | None:
        records = self._table[bucket_of(key)]
        return None if records is None else records.get(key)

    # -- what happens here ---------------------------------------------------------------------------------------

    def create(self, full_id: str, now_us: int) -> Record:
        """A new record of this node.

        Raises:
            ValueError: a record of that bare id is there.
        """
        if self.addressed(full_id) is not None:
            raise ValueError(f"expected a new id, got {full_id!r}, which a record has")
        version = self.clock.tick(now_us)
        record = Record(full_id, version)
        self._open_grave(record)
        self._add(record)
        return record

    def change(self, record: Record, changes: Iterable[tuple[Any, ...]], now_us: int) -> Version:
        """This node has changed fields of a record, and so used it; the version of the change, for the message."""
        version = self.clock.tick(now_us)
        record.put(changes, version)
        self.changed_buckets.add(record.bucket)
        return version

    def change_all(self, entries: Iterable[tuple[Record, Sequence[tuple[Any, ...]]]], now_us: int) -> list[Version]:
        """:meth:`change` for the records of many requests; the version of each. One without changes was used.

        The records share a version; only a record that comes again takes another.
        """
        version = NO_VERSION
        versions = []
        for record, changes in entries:
            if record.access >= version:
                version = self.clock.tick(now_us)
            if changes:
                record.put(changes, version)
                self.changed_buckets.add(record.bucket)
            else:
                record.access = version
            versions.append(version)
        return versions

    def use(self, record: Record, now_us: int) -> Version:
        """This node has used a record without a change; the version of the use."""
        record.access = version = self.clock.tick(now_us)
        return version

    def rename(self, record: Record, new_id: str, now_us: int) -> Version:
        """This node gives a record another id; the version of the change.

        Raises:
            ValueError: another record has that bare id.
        """
        other = self.addressed(new_id)
        if other is not None and other is not record:
            raise ValueError(f"expected a new id, got {new_id!r}, which another record has")
        version = self.clock.tick(now_us)
        record.rename(record.id, new_id, version)
        self._index(record)
        self.changed_buckets.add(record.bucket)
        return version

    def end(self, record: Record, now_us: int, now: float, is_idle: bool = False) -> Grave:
        """This node ends a record; with ``is_idle`` because nobody seems to use it. The grave is for the message."""
        version = self.clock.tick(now_us)
        return self._bury(record, version, record.access if is_idle else None, now)

    def forget(self, now: float) -> int:
        """Drop what is too old; returns how many records were never born."""
        for grave in self.graves.forget(now):
            self._drop_names(grave.names, grave.key)
        lost = 0
        while self._unborn and next(iter(self._unborn.values()))[0] <= now:
            self._unborn.popitem(last=False)
            lost += 1
        return lost

    def clear(self) -> None:
        """Forget everything: this node's application stops."""
        self._table = [None] * BUCKETS
        self._count = 0
        self._aliases.clear()
        self._unborn.clear()
        self.changed_buckets.clear()

    # -- what other nodes say ------------------------------------------------------------------------------------

    def heard_created(self, peer: Peer, full_id: str, born: Version, now: float) -> list[Command]:
        """A peer has made a record. A resend changes nothing."""
        self.clock.heard(born)
        if self.addressed(full_id) is not None:
            return []
        grave = self.grave_of(full_id)
        if grave is not None and grave.holds_against(born, born):
            return [TellEnded(peer, grave)]
        record = Record(full_id, born)
        self._open_grave(record)
        return self._be_born(record)

    def heard_changes(
        self, peer: Peer, full_id: str, changes: Sequence[Change], version: Version, now: float, *, can_ask: bool = True
    ) -> list[Command]:
        """A peer has changed fields of a record.

        Args:
            can_ask: the peer can be asked for the whole record. Otherwise the change waits a moment for the record.
        """
        self.clock.heard(version)
        record = self.addressed(full_id)
        if record is None:
            return self._heard_of_unknown(peer, full_id, changes, version, now, can_ask)
        taken = self.take(record, changes, version)
        return [Changed(record, taken)] if taken else [Used(record)]

    def take(self, record: Record, changes: Iterable[Change], version: Version) -> list[FieldChange]:
        """:meth:`heard_changes` for a record that the carrier has found: the changes that were taken."""
        self.clock.heard(version)
        versions, values, floor = record.versions, record.values, record.floor
        taken: list[FieldChange] = []
        for name, value in changes:
            if value is None or type(name) is not str:
                old = record.value_of(name)
                if record.take(name, value, version):
                    taken.append((name, old, value))
            elif version >= versions.get(name, floor):  # an attribute that is set, as nearly all are
                taken.append((name, values.get(name), value))
                versions[name] = version
                values[name] = value
        if taken:
            record.touch()
            self.changed_buckets.add(record.bucket)
        if version > record.access:
            record.access = version
        return taken

    def heard_use(
        self, peer: Peer, full_id: str, version: Version, now: float, *, can_ask: bool = True
    ) -> list[Command]:
        """A peer has used a record without changing it."""
        self.clock.heard(version)
        record = self.addressed(full_id)
        if record is None:
            return self._heard_of_unknown(peer, full_id, (), version, now, can_ask)
        record.access = max(record.access, version)
        return [Used(record)]

    def heard_rename(
        self, peer: Peer, old_id: str, new_id: str, version: Version, now: float, *, can_ask: bool = True
    ) -> list[Command]:
        """A peer has given a record another id."""
        self.clock.heard(version)
        record = self.addressed(old_id) or self.addressed(new_id)
        if record is None:
            grave = self.grave_of(old_id) or self.grave_of(new_id)
            if grave is not None:
                return self._heard_of_ended(peer, old_id, grave, version)
            return [Ask(peer, new_id)] if can_ask else self._keep_unborn_rename(old_id, new_id, version, now)
        other = self.addressed(new_id)
        if other is not None and other is not record:
            return []  # two records cannot become one: the peer's copy is compared with ours later
        return self._renamed(record, record.rename(old_id, new_id, version))

    def heard_end(
        self, peer: Peer, full_id: str, version: Version, access: Version | None, now: float
    ) -> list[Command]:
        """A peer has ended a record: finally, or with ``access`` because it knows of no later use than that."""
        self.clock.heard(version)
        record = self.addressed(full_id)
        if record is None:
            bare = bare_id(full_id)
            self._unborn.pop(bare, None)
            self._dig(self._aliases.get(bare, bare), version, access, {bare: NO_VERSION}, now)
            return []
        if record.born > version:
            return []  # it ended an earlier record of that id
        if access is not None and record.access > access:
            return [Tell(peer, record)]
        self._bury(record, version, access, now)
        return [Ended(record)]

    def heard_grave(self, peer: Peer, grave: Grave, now: float) -> list[Command]:
        """A peer says that a record has ended, with all its names. Java may have given it here under one of them."""
        record = self.addressed(grave.key) or next(filter(None, map(self.addressed, grave.names)), None)
        key = grave.key if record is None else record.key
        commands = self.heard_end(peer, key, grave.version, grave.access, now)
        if self.graves.get(key) is not None:
            self._dig(grave.key, grave.version, grave.access, grave.names, now)
        return commands

    def heard_record(self, peer: Peer, snapshot: Snapshot, now: float, *, can_ask: bool = True) -> list[Command]:
        """A peer gives its copy of a record.

        Args:
            can_ask: the peer understands whole records; it is told what it lacks.
        """
        self._hear_all(snapshot)
        key = snapshot.key
        record = self._at(key)
        if record is None and (self._aliases or len(snapshot.names) > 1):
            record = next(filter(None, map(self.addressed, snapshot.names)), None)
        if record is None:
            grave = None
            if self.graves:
                grave = next(filter(None, map(self.grave_of, (key, *snapshot.names))), None)
            if grave is not None and grave.holds_against(snapshot.born, snapshot.access):
                return [TellEnded(peer, grave)] if can_ask else []
            if max(snapshot.access, snapshot.born) < self.graves.horizon:
                return [TellEnded(peer, Grave(key, self.graves.horizon, snapshot.access, snapshot.names))]
            if grave is None and snapshot.is_plain:  # as nearly all are, and a state has many
                return self._be_born(Record.plain(snapshot))
            record = Record(snapshot.id, snapshot.born, key)
            if grave is not None:
                self._open_grave(record)
            record.merge(snapshot)
            return self._be_born(record)
        merged = record.merge(snapshot)
        if key < record.key:
            self._rekey(record, key)
        commands = self._unite(record, merged)
        self._index(record)
        if merged.old_id is not None:
            commands.append(Renamed(record, merged.old_id))
        if merged.changed:
            commands.append(Changed(record, merged.changed))
        if record.is_touched:  # also by a name alone
            self.changed_buckets.add(record.bucket)
        if can_ask and (merged.has_newer or record.key != key):
            commands.append(Tell(peer, record))
        return commands

    def heard_question(self, peer: Peer, full_id: str) -> list[Command]:
        """A peer asks for a whole record."""
        record = self.addressed(full_id)
        if record is not None:
            return [Tell(peer, record)]
        grave = self.grave_of(full_id)
        return [] if grave is None else [TellEnded(peer, grave)]

    # -- within ----------------------------------------------------------------------------------------------------

    def _hear_all(self, snapshot: Snapshot) -> None:
        heard = self.clock.heard
        heard(max(snapshot.id_version, snapshot.born, snapshot.access, snapshot.floor, *snapshot.names.values()))
        heard(max(snapshot.versions.values(), default=NO_VERSION))

    def _heard_of_unknown(
        self, peer: Peer, full_id: str, changes: Sequence[Change], version: Version, now: float, can_ask: bool
    ) -> list[Command]:
        grave = self.grave_of(full_id)
        if grave is not None:
            return self._heard_of_ended(peer, full_id, grave, version)
        if can_ask:
            return [Ask(peer, full_id)]
        record = self._unborn_of(full_id, now)
        if record is not None:
            for name, value in changes:
                record.take(name, value, version)
            record.access = max(record.access, version)
        return []

    def _heard_of_ended(self, peer: Peer, full_id: str, grave: Grave, version: Version) -> list[Command]:
        """A peer goes on with a record that has ended: it is told so, or has a use to show that was not known."""
        if grave.is_final or (grave.access is not None and version <= grave.access):
            return [TellEnded(peer, grave)]
        return [Ask(peer, full_id)]

    def _unborn_of(self, full_id: str, now: float) -> Record | None:
        bare = bare_id(full_id)
        _, record = self._unborn.get(bare, (0.0, None))
        if record is None:
            record = Record(full_id)
            self._unborn[bare] = (now + UNBORN_SECONDS, record)
            if len(self._unborn) > MAX_UNBORN:
                self._unborn.popitem(last=False)
        size = sum(len(value.data) for value in (*record.values.values(), *record.extras.values()))
        return record if size <= MAX_UNBORN_BYTES else None

    def _keep_unborn_rename(self, old_id: str, new_id: str, version: Version, now: float) -> list[Command]:
        record = self._unborn_of(old_id, now)
        if record is not None:
            record.rename(old_id, new_id, version)
        return []

    def _be_born(self, record: Record) -> list[Command]:
        """A record that another node made is here, with what had overtaken the news of it."""
        if self._unborn:
            for name in [record.key, *record.names]:
                _, early = self._unborn.pop(name, (0.0, None))
                if early is not None:
                    record.merge(early.snapshot())
        self._add(record)
        return [Born(record)]

    def _add(self, record: Record) -> None:
        records = self._table[record.bucket]
        if records is None:
            records = self._table[record.bucket] = {}
        records[record.key] = record
        self._count += 1
        if self._aliases:
            self._aliases.pop(record.key, None)  # of one that has ended
        self._index(record)
        self.changed_buckets.add(record.bucket)

    def _rekey(self, record: Record, key: str) -> None:
        """A Java node has handed the record on under its present id only, so nodes know it by different keys."""
        records = self._table[record.bucket]
        if records is not None and records.pop(record.key, None) is not None:
            self._count -= 1
        self.changed_buckets.add(record.bucket)
        self._aliases.pop(key, None)
        record.rekey(key)
        self._add(record)

    def _unite(self, record: Record, merged: Merged) -> list[Command]:
        """A name that was learned may be the key of another record: a Java node gave it here as one of its own."""
        commands: list[Command] = []
        for name in record.names if record.is_renamed else ():
            other = self._at(name)
            if other is None or other is record:
                continue
            records = self._table[other.bucket]
            if records is not None and records.pop(other.key, None) is not None:
                self._count -= 1
            self.changed_buckets.add(other.bucket)
            merged.changed += record.merge(other.snapshot()).changed
            commands.append(Ended(other))
        return commands

    def _index(self, record: Record) -> None:
        if record.is_renamed:
            names = record.names
            for name in names:
                if name != record.key:
                    self._aliases[name] = record.key

    def _renamed(self, record: Record, old_id: str | None) -> list[Command]:
        self._index(record)
        self.changed_buckets.add(record.bucket)
        return [] if old_id is None else [Renamed(record, old_id)]

    def _open_grave(self, record: Record) -> None:
        """A record of an id that had another one before: what was said about that one does not touch it."""
        grave = self.graves.open(record.key)
        if grave is not None:
            self._drop_names(grave.names, grave.key)
            if record.born > grave.version:
                record.floor = max(record.floor, grave.version)
            else:
                record.learn_names(grave.names)

    def _bury(self, record: Record, version: Version, access: Version | None, now: float) -> Grave:
        records = self._table[record.bucket]
        if records is not None and records.pop(record.key, None) is not None:
            self._count -= 1
        self.changed_buckets.add(record.bucket)
        return self._dig(record.key, version, access, record.names, now)

    def _dig(
        self, key: str, version: Version, access: Version | None, names: Mapping[str, Version], now: float
    ) -> Grave:
        grave, gone = self.graves.dig(key, version, access, names, now)
        for name in grave.names:
            if name != key:
                self._aliases[name] = key
        for each in gone:
            self._drop_names(each.names, each.key)
        return grave

    def _drop_names(self, names: Iterable[str], key: str) -> None:
        for name in names:
            if self._aliases.get(name) == key:
                del self._aliases[name]
