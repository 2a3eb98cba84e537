"""The table of records of one node, as a pure machine.

Invariants, whatever the order in which messages come, and however often:

- A record is one object for its whole life, found by its key. All its names are entries of ``_aliases`` (the key itself
  needs none); a name leads to at most one record or grave.
- A field's version never falls. Two nodes that have taken the same changes have the same record.
- The ledger never holds a record and a grave of the same key. A final end stays: nothing that happened before it brings
  the record back. An end for idleness gives way to a later use that the deciding node had not heard of.
- A record whose changes have overtaken the news of its creation is "not born yet". It is kept in ``_unborn``, bounded
  in number and time, and nobody but the ledger sees it.
- The clock has heard every version that was taken here, so the next change of this node is later than all of them.

The carrier owns the ledger and calls it from one thread at a time; a carrier with several threads holds its own lock.
This node's changes come in by the methods without ``heard_``, which return the version or grave to send. Other nodes'
messages come in by the ``heard_`` methods, which return commands.
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

#: The number of records that are not born yet, and the seconds for which each is kept.
MAX_UNBORN = 10_000
UNBORN_SECONDS = 10.0
#: Bytes of all values of one record that is not born yet.
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
        #: Buckets that have changed since the reconciler last computed sums (``reconciler.py``).
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
        """The record that a client with this id may use; the route behind the dot does not matter."""
        bare = bare_id(full_id)
        record = self._at(self._aliases.get(bare, bare))
        return record if record is not None and record.leads_here(bare) else None

    def addressed(self, full_id: str) -> Record | None:
        """The record that a peer means by this id. Its id here may have been replaced since."""
        bare = bare_id(full_id)
        return self._at(self._aliases.get(bare, bare))

    def grave_of(self, full_id: str) -> Grave | None:
        """The end of the record that once had this id."""
        bare = bare_id(full_id)
        return self.graves.get(self._aliases.get(bare, bare))

    def _at(self, key: str) -> Record | None:
        records = self._table[bucket_of(key)]
        return None if records is None else records.get(key)

    # -- changes of this node -------------------------------------------------------------------------------------

    def create(self, full_id: str, now_us: int) -> Record:
        """Make a new record of this node.

        Raises:
            ValueError: a record with that bare id exists.
        """
        if self.addressed(full_id) is not None:
            raise ValueError(f"expected a new id, got {full_id!r}, which a record has")
        version = self.clock.tick(now_us)
        record = Record(full_id, version)
        self._open_grave(record)
        self._add(record)
        return record

    def change(self, record: Record, changes: Iterable[tuple[Any, ...]], now_us: int) -> Version:
        """This node has changed, and so used, a record; returns the version of the change, for the message."""
        version = self.clock.tick(now_us)
        record.put(changes, version)
        self.changed_buckets.add(record.bucket)
        return version

    def change_all(self, entries: Iterable[tuple[Record, Sequence[tuple[Any, ...]]]], now_us: int) -> list[Version]:
        """:meth:`change` for the records of many requests; returns a version for each. A record without changes was
        only used.

        All records share one version. A record that occurs again gets a new one, so that its second change is the
        later.
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
        """This node has used a record without changing it; returns the version of the use."""
        record.access = version = self.clock.tick(now_us)
        return version

    def rename(self, record: Record, new_id: str, now_us: int) -> Version:
        """This node gives a record another id; returns the version of the change.

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
        """This node ends a record (``is_idle``: for idleness); returns the grave, for the message."""
        version = self.clock.tick(now_us)
        return self._bury(record, version, record.access if is_idle else None, now)

    def drop(self, record: Record) -> None:
        """Let go of this node's copy of a record, of which others have one: it has not ended."""
        records = self._table[record.bucket]
        if records is not None and records.get(record.key) is record:
            del records[record.key]
            self._count -= 1
            self.changed_buckets.add(record.bucket)
            self._drop_names(record.names, record.key)

    def forget(self, now: float) -> int:
        """Drop ends and unborn records that are too old; returns how many unborn records were dropped."""
        for grave in self.graves.forget(now):
            self._drop_names(grave.names, grave.key)
        lost = 0
        while self._unborn and next(iter(self._unborn.values()))[0] <= now:
            self._unborn.popitem(last=False)
            lost += 1
        return lost

    def clear(self) -> None:
        """Forget everything, because this node's application stops."""
        self._table = [None] * BUCKETS
        self._count = 0
        self._aliases.clear()
        self._unborn.clear()
        self.changed_buckets.clear()

    # -- messages of other nodes -----------------------------------------------------------------------------------

    def heard_created(self, peer: Peer, full_id: str, born: Version, now: float) -> list[Command]:
        """A peer has made a record. Hearing it twice changes nothing."""
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
            can_ask: the peer can be asked for a whole record. When it cannot, the change waits a moment for the news of
                the record.
        """
        self.clock.heard(version)
        record = self.addressed(full_id)
        if record is None:
            return self._heard_of_unknown(peer, full_id, changes, version, now, can_ask)
        taken = self.take(record, changes, version)
        return [Changed(record, taken)] if taken else [Used(record)]

    def take(self, record: Record, changes: Iterable[Change], version: Version) -> list[FieldChange]:
        """:meth:`heard_changes` for a record that the carrier has already found; returns the changes that were
        taken.
        """
        self.clock.heard(version)
        versions, values, floor = record.versions, record.values, record.floor
        taken: list[FieldChange] = []
        for name, value in changes:
            if value is None or type(name) is not str:
                old = record.value_of(name)
                if record.take(name, value, version):
                    taken.append((name, old, value))
            # The usual case, an attribute that is set, is written out: Record.take() would be a call for each value.
            elif version >= versions.get(name, floor):
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
            return []  # two records cannot become one here; the next comparison with the peer settles it
        return self._renamed(record, record.rename(old_id, new_id, version))

    def heard_end(
        self, peer: Peer, full_id: str, version: Version, access: Version | None, now: float
    ) -> list[Command]:
        """A peer has ended a record: for idleness if ``access``, the last use that it knows of, is given; else
        finally.
        """
        self.clock.heard(version)
        record = self.addressed(full_id)
        if record is None:
            bare = bare_id(full_id)
            self._unborn.pop(bare, None)
            self._dig(self._aliases.get(bare, bare), version, access, {bare: NO_VERSION}, now)
            return []
        if record.born > version:
            return []  # the peer ended an earlier record of that id
        if access is not None and record.access > access:
            return [Tell(peer, record)]
        self._bury(record, version, access, now)
        return [Ended(record)]

    def heard_grave(self, peer: Peer, grave: Grave, now: float) -> list[Command]:
        """A peer says that a record has ended, and lists all its names.

        This node may know the record under another of these names as its key, when a Java node has handed it on.
        """
        record = self.addressed(grave.key) or next(filter(None, map(self.addressed, grave.names)), None)
        key = grave.key if record is None else record.key
        commands = self.heard_end(peer, key, grave.version, grave.access, now)
        if self.graves.get(key) is not None:
            self._dig(grave.key, grave.version, grave.access, grave.names, now)
        return commands

    def heard_record(self, peer: Peer, snapshot: Snapshot, now: float, *, can_ask: bool = True) -> list[Command]:
        """A peer sends its copy of a record.

        Args:
            can_ask: the peer understands whole records, so it is sent ours if its copy lacks something.
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
            if grave is None and snapshot.is_plain:  # nearly all records are plain, and a state has many
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
        if record.is_touched:  # also when only a name was learned
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

    # -- internals -------------------------------------------------------------------------------------------------

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
        """A peer goes on with a record that has ended here.

        It is told of the end, unless it has used the record after the last use that was known when the record ended.
        """
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
        """Add a record that another node made, together with the changes that came before it."""
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
            self._aliases.pop(record.key, None)  # left from an ended record that had this key as a name
        self._index(record)
        self.changed_buckets.add(record.bucket)

    def _rekey(self, record: Record, key: str) -> None:
        """Let the smaller of two keys hold: a Java node passed the record on under its present id, so nodes had two
        keys.
        """
        records = self._table[record.bucket]
        if records is not None and records.pop(record.key, None) is not None:
            self._count -= 1
        self.changed_buckets.add(record.bucket)
        self._aliases.pop(key, None)
        record.rekey(key)
        self._add(record)

    def _unite(self, record: Record, merged: Merged) -> list[Command]:
        """Merge records that turned out to be one.

        A learned name may be the key of a second record here: a Java node has passed the same record on under that
        name.
        """
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
        """Drop the end of an earlier record with this key, so that nothing said about that one touches this one."""
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
