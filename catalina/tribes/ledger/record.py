"""One record of a ledger, and how two copies of it become the same.

A record is a set of fields. Each field has the version of its last change, and the later version of a field holds. Two
nodes that change different fields at the same time therefore keep both changes, and two that change the same field end
with the same, later value, in whatever order they hear of each other. A removed field keeps its version without a
value.

A record is known by its key, the bare id (the id up to the first dot) that it was made with, for its whole life. The id
that clients see is a field, too: a route behind the dot is presentation, and a changed bare id is one more name of the
same record. A name that was replaced no longer leads a client to the record.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalina.tribes.io.java import EncodedValue
from catalina.tribes.ledger.version import NO_VERSION, Version

__all__ = ["BUCKETS", "MAX_REMOVED", "Field", "FieldChange", "Merged", "Record", "Snapshot", "bare_id", "bucket_of"]

#: An attribute's name, or the kind and name of something else that belongs to the record.
Field = str | tuple[int, str]

#: A field that another node has changed, its value before, and its value now; None for no value.
FieldChange = tuple[Field, EncodedValue | None, EncodedValue | None]

BUCKETS = 4096
#: The numbers of the buckets, so that all records of a bucket share one int object.
_BUCKETS = tuple(range(BUCKETS))
#: Removed fields whose versions are remembered one by one. Earlier removals are known only by ``floor``, their latest
#: version.
MAX_REMOVED = 64


def bare_id(full_id: str) -> str:
    """An id without its route."""
    return full_id.partition(".")[0]


def bucket_of(key: str) -> int:
    """The bucket of a key, 0 to 4095: the same on every node."""
    return _BUCKETS[zlib.crc32(key.encode("utf-8", "surrogatepass")) & (BUCKETS - 1)]


@dataclass(slots=True)
class Snapshot:
    """A whole record as it travels.

    Args:
        names: every bare id of the record, with the version that replaced it, ``NO_VERSION`` while it is in use.
        access: the version of the last use.
        versions: of every field; one without a value was removed.
        values: of the attributes.
        extras: the values of all other fields.
        floor: fields that are not listed were removed, or never there, up to this version.
    """

    key: str
    id: str
    id_version: Version
    born: Version
    access: Version
    names: dict[str, Version]
    versions: dict[Field, Version]
    values: dict[str, EncodedValue]
    extras: dict[Field, EncodedValue]
    floor: Version = NO_VERSION

    def value_of(self, name: Field) -> EncodedValue | None:
        """A field's value, None when it was removed."""
        return self.values.get(name) if type(name) is str else self.extras.get(name)

    @property
    def is_plain(self) -> bool:
        """True when there is no history to merge: the record has one name and few removed fields."""
        removed = len(self.versions) - len(self.values) - len(self.extras)
        return not self.floor and len(self.names) == 1 and self.key in self.names and removed <= MAX_REMOVED


@dataclass(slots=True)
class Merged:
    """The outcome of :meth:`Record.merge`.

    Args:
        changed: the fields whose value is now a different one.
        old_id: the id that was replaced, None when it stays.
        has_newer: the record here has something that the snapshot lacked.
    """

    changed: list[FieldChange] = field(default_factory=list)
    old_id: str | None = None
    has_newer: bool = False


class Record:
    """One record.

    ``values`` and ``versions`` may be read by anybody; only the ledger changes them. ``values`` has the attributes, so
    that a live object can share the dictionary; ``extras`` has the values of all other fields.
    """

    __slots__ = (
        "_digest",
        "_names",
        "access",
        "born",
        "bucket",
        "extras",
        "floor",
        "id",
        "id_version",
        "key",
        "values",
        "versions",
    )

    def __init__(self, full_id: str, born: Version = NO_VERSION, key: str | None = None) -> None:
        self.key = bare_id(full_id) if key is None else key
        self.bucket = bucket_of(self.key)
        self.id = full_id
        self.id_version = born
        self.born = born
        self.access = born
        #: None while the key is the only name, which is the usual case.
        self._names: dict[str, Version] | None = None
        self.values: dict[str, EncodedValue] = {}
        self.extras: dict[Field, EncodedValue] = {}
        self.versions: dict[Field, Version] = {}
        self.floor: Version = NO_VERSION
        self._digest: int | None = None

    def __repr__(self) -> str:
        return f"Record({self.id!r}, key={self.key!r}, {len(self.versions)} fields)"

    # -- fields ----------------------------------------------------------------------------------------------------

    def value_of(self, name: Field) -> EncodedValue | None:
        """A field's value, None when it is not set."""
        return self.values.get(name) if type(name) is str else self.extras.get(name)

    def take(self, name: Field, value: EncodedValue | None, version: Version) -> bool:
        """Take a change of one field unless a later one is known; returns True if it was taken.

        A change with exactly the known version is taken again: it is the same change.
        """
        if version < self.versions.get(name, self.floor):
            return False
        if value is None and version == self.floor and name not in self.versions:
            return False  # the floor is this removal, or one of the same change
        self.versions[name] = version
        self._digest = None
        if type(name) is str:
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value
        elif value is None:
            self.extras.pop(name, None)
        else:
            self.extras[name] = value
        if value is None:
            self._forget_removed()
        return True

    def put(self, changes: Iterable[tuple[Any, ...]], version: Version) -> None:
        """Take changes whose version is later than all known ones; this node's own changes always are.

        Args:
            changes: each ends with a field and its value; items before these two belong to the carrier.
        """
        versions, values = self.versions, self.values
        for change in changes:
            name, value = change[-2], change[-1]
            if value is None or type(name) is not str:
                self.take(name, value, version)
            else:
                versions[name] = version
                values[name] = value
        self._digest = None
        self.access = version

    @property
    def is_touched(self) -> bool:
        """True when the record has changed since its digest was computed."""
        return self._digest is None

    def touch(self) -> None:
        """Mark the digest as out of date: a version has changed."""
        self._digest = None

    def _forget_removed(self) -> None:
        """Bound the memory of removed fields, because an application may remove ever new names."""
        if len(self.versions) - len(self.values) - len(self.extras) <= MAX_REMOVED:
            return
        removed = [name for name in self.versions if self.value_of(name) is None]
        oldest = min(removed, key=lambda name: self.versions[name])
        self.floor = max(self.floor, self.versions.pop(oldest))

    # -- names -----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> dict[str, Version]:
        """Every bare id of the record, with the version that replaced it, ``NO_VERSION`` while it is in use."""
        return {self.key: NO_VERSION} if self._names is None else self._names

    @property
    def is_renamed(self) -> bool:
        """True when it has, or had, other names than its key."""
        return self._names is not None

    def leads_here(self, bare: str) -> bool:
        """True when a client that sends this bare id may use the record."""
        return (bare == self.key) if self._names is None else self._names.get(bare) == NO_VERSION

    def rename(self, old_id: str, new_id: str, version: Version) -> str | None:
        """Take a change of the id; returns the id that it replaced here, None when the id here stays.

        Two nodes may change one id at the same time. Both new names then lead to the record, and the record shows the
        later.
        """
        before = self.id
        old, new = bare_id(old_id), bare_id(new_id)
        if old != new:
            names = dict(self.names)
            names[old] = max(names.get(old, NO_VERSION), version)
            names.setdefault(new, NO_VERSION)
            self._names = names
            self._digest = None
        self._take_id(new_id, version)
        return None if self.id == before else before

    def learn_names(self, others: Mapping[str, Version]) -> None:
        """Take what another node knows of the names."""
        self._merge_names(others)
        self._show_name_in_use()

    def _merge_names(self, others: Mapping[str, Version]) -> None:
        if others == self.names:
            return
        names = dict(self.names)
        for name, replaced in others.items():
            names[name] = max(names.get(name, NO_VERSION), replaced)
        self._names = names
        self._digest = None

    def _take_id(self, new_id: str, version: Version) -> None:
        if (version, new_id) >= (self.id_version, self.id):
            self.id_version, self.id = version, new_id
            self._digest = None
        self._show_name_in_use()

    def _show_name_in_use(self) -> None:
        """Never show an id that leads nowhere.

        A new route and a new name may have crossed; both hold, but the shown id must use the bare id that is in use.
        """
        names = self._names
        bare, dot, route = self.id.partition(".")
        if names is None or not names.get(bare):
            return
        in_use = [name for name, replaced in names.items() if not replaced]
        if in_use:
            self.id_version, self.id = max(self.id_version, names[bare]), f"{max(in_use)}{dot}{route}"
            self._digest = None

    # -- whole copies ----------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The record as it is now."""
        return Snapshot(
            self.key, self.id, self.id_version, self.born, self.access, dict(self.names),
            self.versions.copy(), self.values.copy(), self.extras.copy(), self.floor,
        )  # fmt: skip

    @classmethod
    def plain(cls, copy: Snapshot) -> Record:
        """A new record from another node's ``is_plain`` copy; quicker than merging the copy into an empty record."""
        record = cls(copy.id, copy.born, copy.key)
        record.id_version = max(copy.born, copy.id_version)
        record.access = max(copy.born, copy.access)
        record.versions, record.values, record.extras = copy.versions.copy(), copy.values.copy(), copy.extras.copy()
        return record

    def merge(self, other: Snapshot) -> Merged:
        """Take everything that is later in another node's copy."""
        merged = Merged()
        merged.has_newer = self.has_newer_than(other)
        for name, version in other.versions.items():
            if version == self.versions.get(name, NO_VERSION):
                continue
            old, new = self.value_of(name), other.value_of(name)
            if self.take(name, new, version):
                merged.changed.append((name, old, new))
        self._take_birth(other)
        self._take_floor(other, merged)
        before = self.id
        self._merge_names(other.names)
        self._take_id(other.id, other.id_version)
        merged.old_id = before if self.id != before else None
        self.access = max(self.access, other.access)
        return merged

    def _take_birth(self, other: Snapshot) -> None:
        """Choose between two births. The earlier birth holds within one life; after the other's end, the later birth is
        a new life.
        """
        if other.born > self.born:
            if other.floor >= self.born:
                self.born = other.born
        elif self.floor < other.born:
            self.born = other.born

    def _take_floor(self, other: Snapshot, merged: Merged) -> None:
        """Remove fields that the other node has removed so long ago that it has forgotten their single versions.

        That holds whichever floor is the later one: what the other node would not take, :meth:`take`, does not stay
        here, else the copies would differ for ever.
        """
        if not other.floor:
            return
        if other.floor > self.floor:
            self.floor = other.floor
            self._digest = None
        for name in [each for each, version in self.versions.items() if version <= other.floor]:
            old = self.value_of(name)
            if name not in other.versions and (old is None or self.versions[name] < other.floor):
                if old is not None:
                    merged.changed.append((name, old, None))
                del self.versions[name]
                (self.values if type(name) is str else self.extras).pop(name, None)  # type: ignore[arg-type]
                self._digest = None

    def has_newer_than(self, other: Snapshot) -> bool:
        """True when another node's copy lacks something that is known here; a later use alone does not count."""
        if self.id_version > other.id_version or self.floor > other.floor:
            return True
        for name, version in self.versions.items():
            if version > other.versions.get(name, other.floor):
                return True
        return any(replaced > other.names.get(name, NO_VERSION) for name, replaced in self.names.items()) or any(
            name not in other.names for name in self.names
        )

    @property
    def latest(self) -> Version:
        """The latest version in the record, apart from its use."""
        return max(self.born, self.id_version, self.floor, *self.versions.values())

    def rekey(self, key: str) -> None:
        """Use another key. Two nodes have made this record under different keys, and both now take this one."""
        self._names = dict(self.names)
        self._names.setdefault(key, NO_VERSION)
        self.key = key
        self.bucket = bucket_of(key)
        self._digest = None

    def digest(self) -> int:
        """64 bits over everything but the last use: equal where two nodes have the same record."""
        if self._digest is None:
            parts = [_bytes(self.key), _bytes(self.id), self.id_version]
            parts += sorted(_bytes(name) + replaced for name, replaced in self.names.items())
            parts += sorted(_bytes(_text(name)) + version for name, version in self.versions.items())
            self._digest = int.from_bytes(hashlib.blake2b(b"\0".join(parts), digest_size=8).digest(), "big")
        return self._digest


def _text(name: Field) -> str:
    return name if isinstance(name, str) else f"\0{name[0]}\0{name[1]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
