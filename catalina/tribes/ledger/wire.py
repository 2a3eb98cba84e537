"""Records, ends and the messages of a comparison as bytes, between nodes of this software (docs/wire.md 8.2).

Everything is big-endian. A text is its length in bytes (u32) and UTF-8; lone surrogates are written as such. A version
is an index (u32) into the table of versions at the beginning, 0 for none::

    message   kind (u8), body
    table     n (u32), n x 16 bytes

    1 sums       u8 flags (1: the sender starts), 64 x u64
    2 groups     u32 records of the sender, u8 n, n x [u8 group, 64 x u64]
    3 listing    u8 flags (1: others follow), u16 n,
                 n x [u16 bucket, u32 m, m x (u64 hash of the key, u64 digest, u64 clock)]
    4 wanted     u16 n, n x [u16 bucket, u32 m, m x u64 hash of the key]
    5 settled    u8 flags (1: nothing differed)
    6 records    table, field names, values, u32 n, n x record
    7 ends       table, u32 n, n x [key, version, u8 final, access, names]
    8 question   id

    field names  u32 n, n x [u8 kind (0 an attribute, else 1 + the number of the kind), name]
    values       u32 n, n x [u32 length, value]: those of fields that are no attributes, each different one once
    record       u32 length of the id, u32 length of the key (0: the bare id), id version, born, access, floor,
                 i64 created (ms), u32 idle (ms), u8 flags (1: new, 2: names are given), u32 n, id, key,
                 [names], n x field; without names, the key is the only one
    names        u32 n, n x [name, version that replaced it]
    field        u32 index of its name, version, u32 value (0: removed, else 1 + the length of an attribute's, 1 + the
                 index of another one), [the attribute's value]
    value        the one object of a Java stream, without the stream's header

A state has hundreds of thousands of records, so the code reads each with few Python calls.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Generic, TypeVar

from catalina.errors import ProtocolError
from catalina.tribes.io.java import EncodedValue
from catalina.tribes.io.java.grammar import DEFAULT_LIMITS, STREAM_HEADER
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.skim import skim
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.reconciler import (
    GROUP_SIZE,
    GROUPS,
    GroupSums,
    Listed,
    Listing,
    Message,
    Settled,
    TopSums,
    Wanted,
)
from catalina.tribes.ledger.record import BUCKETS, Field, Record, Snapshot, bare_id
from catalina.tribes.ledger.version import NO_VERSION, VERSION_SIZE, Version

__all__ = [
    "Copies",
    "Copy",
    "Ends",
    "Question",
    "decode",
    "encode",
    "encode_copies",
    "encode_ends",
    "encode_question",
    "is_start",
]

_U8 = struct.Struct(">B")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_SUMS = struct.Struct(f">{GROUP_SIZE}Q")
_LISTED = struct.Struct(">QQQ")
_BUCKET = struct.Struct(">HI")
_RECORD = struct.Struct(">IIIIIIqIBI")
_FIELD = struct.Struct(">III")

SUMS, GROUPS_KIND, LISTING, WANTED, SETTLED, RECORDS, ENDS, QUESTION = range(1, 9)

MAX_IDLE_MS = 2**32 - 1
_NEW, _NAMED = 1, 2


_Whole = TypeVar("_Whole", Snapshot, Record)


@dataclass(slots=True)
class Copy(Generic[_Whole]):
    """A record, and the times that only a live session knows.

    Args:
        snapshot: the record as it was read; for writing, the :class:`Record` itself can stand here.
        created_ms: milliseconds since the epoch.
        idle_ms: since the last use, at the moment of sending.
    """

    snapshot: _Whole
    created_ms: int = 0
    idle_ms: int = 0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Copies:
    """Whole records of a peer."""

    copies: tuple[Copy[Snapshot], ...]


@dataclass(frozen=True, slots=True)
class Ends:
    """Records that have ended at a peer."""

    graves: tuple[Grave, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A peer asks for a whole record."""

    id: str


class _Writer:
    """Collects the parts of a body and the versions of its table."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.versions: dict[Version, int] = {NO_VERSION: 0}

    def text(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self.parts.append(_U32.pack(len(data)))
        self.parts.append(data)

    def index(self, version: Version) -> int:
        return self.versions.setdefault(version, len(self.versions))

    def names(self, names: Iterable[tuple[str, Version]]) -> None:
        listed = list(names)
        self.parts.append(_U32.pack(len(listed)))
        for name, replaced in listed:
            self.text(name)
            self.parts.append(_U32.pack(self.index(replaced)))

    def finish(self, kind: int, parts: Sequence[bytes]) -> bytes:
        versions = list(self.versions)[1:]
        return b"".join((_U8.pack(kind), _U32.pack(len(versions)), *versions, *parts))


def encode_copies(copies: Sequence[Copy[Snapshot]] | Sequence[Copy[Record]]) -> bytes:
    """A message with whole records."""
    writer = _Writer()
    names: dict[Field, int] = {}
    values: dict[bytes, int] = {}
    for copy in copies:
        _write_copy(writer, names, values, copy)
    records, writer.parts = writer.parts, []
    writer.parts.append(_U32.pack(len(names)))
    for name in names:
        kind, text = (0, name) if isinstance(name, str) else (1 + name[0], name[1])
        writer.parts.append(_U8.pack(kind))
        writer.text(text)
    writer.parts.append(_U32.pack(len(values)))
    for value in values:
        writer.parts += (_U32.pack(len(value)), value)
    writer.parts.append(_U32.pack(len(copies)))
    return writer.finish(RECORDS, (*writer.parts, *records))


def _write_copy(
    writer: _Writer, names: dict[Field, int], shared: dict[bytes, int], copy: Copy[Snapshot] | Copy[Record]
) -> None:
    record, versions, parts = copy.snapshot, writer.versions, writer.parts
    full_id = record.id.encode("utf-8", "surrogatepass")
    key = b"" if record.key == bare_id(record.id) else record.key.encode("utf-8", "surrogatepass")
    is_named = len(record.names) > 1 or record.key not in record.names
    index = versions.setdefault
    fields = record.versions
    head = _RECORD.pack(
        len(full_id), len(key),
        index(record.id_version, len(versions)), index(record.born, len(versions)),
        index(record.access, len(versions)), index(record.floor, len(versions)),
        copy.created_ms, min(max(copy.idle_ms, 0), MAX_IDLE_MS),
        (_NEW if copy.is_new else 0) | (_NAMED if is_named else 0), len(fields),
    )  # fmt: skip
    parts += (head, full_id, key)
    if is_named:
        writer.names(record.names.items())
    values, extras = record.values, record.extras
    for name, version in fields.items():
        data, size = b"", 0
        if type(name) is str:
            value = values.get(name)
            if value is not None:
                data = value.data
                size = 1 + len(data)
        else:
            value = extras.get(name)
            if value is not None:
                size = 1 + shared.setdefault(value.data, len(shared))
        parts.append(_FIELD.pack(names.setdefault(name, len(names)), index(version, len(versions)), size))
        parts.append(data)


def encode_ends(graves: Sequence[Grave]) -> bytes:
    """A message with ends."""
    writer = _Writer()
    for grave in graves:
        writer.text(grave.key)
        access = NO_VERSION if grave.access is None else grave.access
        writer.parts.append(struct.pack(">IBI", writer.index(grave.version), grave.is_final, writer.index(access)))
        writer.names(grave.names.items())
    return writer.finish(ENDS, (_U32.pack(len(graves)), *writer.parts))


def encode_question(full_id: str) -> bytes:
    """A question for a whole record."""
    writer = _Writer()
    writer.text(full_id)
    return _U8.pack(QUESTION) + b"".join(writer.parts)


def encode(message: Message, records: int = 0) -> bytes:
    """A message of a comparison.

    Args:
        records: the number of records here, from which a node that starts computes its progress.
    """
    match message:
        case TopSums(sums, is_starting):
            return struct.pack(f">BB{GROUPS}Q", SUMS, is_starting, *sums)
        case GroupSums(groups):
            head = struct.pack(">BIB", GROUPS_KIND, records, len(groups))
            return head + b"".join(_U8.pack(group) + _SUMS.pack(*sums) for group, sums in groups.items())
        case Listing(listed_buckets, is_last):
            parts = [struct.pack(">BBH", LISTING, not is_last, len(listed_buckets))]
            for bucket, listed in listed_buckets.items():
                parts.append(_BUCKET.pack(bucket, len(listed)))
                parts += [_LISTED.pack(each.key_hash, each.digest, each.clock) for each in listed]
            return b"".join(parts)
        case Wanted(wanted_buckets):
            parts = [struct.pack(">BH", WANTED, len(wanted_buckets))]
            for bucket, hashes in wanted_buckets.items():
                parts.append(_BUCKET.pack(bucket, len(hashes)))
                parts.append(struct.pack(f">{len(hashes)}Q", *hashes))
            return b"".join(parts)
        case Settled(is_equal):
            return struct.pack(">BB", SETTLED, is_equal)


def is_start(data: bytes) -> bool:
    """True when this is the first message of a node that starts and waits for an answer."""
    return len(data) > 1 and data[0] == SUMS and bool(data[1] & 1)


class _Reader:
    """Reads a body, and checks every length against the bytes at hand before it makes anything of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 1
        self.versions: list[Version] = [NO_VERSION]

    def read(self, form: struct.Struct) -> tuple[int, ...]:
        end = self.position + form.size
        if end > len(self.data):
            raise ProtocolError(f"expected {form.size} bytes, got {len(self.data) - self.position}", self.position)
        values: tuple[int, ...] = form.unpack_from(self.data, self.position)
        self.position = end
        return values

    def number(self, form: struct.Struct) -> int:
        return self.read(form)[0]

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise ProtocolError(f"expected {size} bytes, got {len(self.data) - self.position}", self.position)
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def count(self, form: struct.Struct, smallest: int) -> int:
        """The number of things that follow, each of which takes at least so many bytes."""
        start = self.position
        count = self.number(form)
        if count * smallest > len(self.data) - self.position:
            raise ProtocolError(f"{count} entries cannot be in {len(self.data) - self.position} bytes", start)
        return count

    def text(self) -> str:
        start = self.position
        try:
            return self.take(self.number(_U32)).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ProtocolError(f"expected UTF-8: {error.reason}", start) from None

    def table(self) -> None:
        count = self.count(_U32, VERSION_SIZE)
        table = self.take(count * VERSION_SIZE)
        self.versions += [table[at : at + VERSION_SIZE] for at in range(0, len(table), VERSION_SIZE)]

    def version(self) -> Version:
        index = self.number(_U32)
        if index >= len(self.versions):
            raise ProtocolError(f"expected a version below {len(self.versions)}, got {index}", self.position)
        return self.versions[index]

    def names(self) -> dict[str, Version]:
        return {self.text(): self.version() for _ in range(self.count(_U32, 8))}

    def end(self) -> None:
        if self.position != len(self.data):
            raise ProtocolError(f"{len(self.data) - self.position} bytes behind the message", self.position)


def decode(data: bytes) -> tuple[Message | Copies | Ends | Question, int]:
    """Read any of the messages; returns it and the number of records that the sender says it has, 0 where it says
    nothing.

    Raises:
        ProtocolError: the bytes are no such message; nothing in them may be used.
    """
    read = _READERS.get(data[0] if data else 0)
    if read is None:
        raise ProtocolError(f"expected a message of the ledger, got {data[:1].hex() or 'nothing'}", 0)
    reader = _Reader(data)
    decoded = read(reader)
    reader.end()
    return decoded


def _read_sums(reader: _Reader) -> tuple[Message, int]:
    flags = reader.number(_U8)
    return TopSums(reader.read(_SUMS), bool(flags & 1)), 0


def _read_groups(reader: _Reader) -> tuple[Message, int]:
    records = reader.number(_U32)
    groups = {}
    for _ in range(reader.count(_U8, 1 + _SUMS.size)):
        group = reader.number(_U8)
        if group >= GROUPS:
            raise ProtocolError(f"expected a group below {GROUPS}, got {group}", reader.position)
        groups[group] = reader.read(_SUMS)
    return GroupSums(groups), records


def _read_bucket(reader: _Reader, size: int) -> tuple[int, int]:
    bucket = reader.number(_U16)
    if bucket >= BUCKETS:
        raise ProtocolError(f"expected a bucket below {BUCKETS}, got {bucket}", reader.position)
    return bucket, reader.count(_U32, size)


def _read_listing(reader: _Reader) -> tuple[Message, int]:
    is_last = not reader.number(_U8) & 1
    buckets: dict[int, tuple[Listed, ...]] = {}
    for _ in range(reader.count(_U16, _BUCKET.size)):
        bucket, count = _read_bucket(reader, _LISTED.size)
        buckets[bucket] = tuple([Listed(*reader.read(_LISTED)) for _ in range(count)])
    return Listing(buckets, is_last), 0


def _read_wanted(reader: _Reader) -> tuple[Message, int]:
    buckets: dict[int, tuple[int, ...]] = {}
    for _ in range(reader.count(_U16, _BUCKET.size)):
        bucket, count = _read_bucket(reader, 8)
        buckets[bucket] = struct.unpack(f">{count}Q", reader.take(8 * count))
    return Wanted(buckets), 0


def _read_settled(reader: _Reader) -> tuple[Message, int]:
    return Settled(bool(reader.number(_U8) & 1)), 0


def _read_copies(reader: _Reader) -> tuple[Copies, int]:
    reader.table()
    names: list[Field] = []
    for _ in range(reader.count(_U32, 5)):
        kind, text = reader.number(_U8), reader.text()
        names.append((kind - 1, text) if kind else intern(text))
    values = [_read_value(reader) for _ in range(reader.count(_U32, 5))]
    return Copies(tuple([_read_copy(reader, names, values) for _ in range(reader.count(_U32, _RECORD.size))])), 0


def _read_copy(reader: _Reader, names: list[Field], shared: list[EncodedValue]) -> Copy[Snapshot]:
    start = reader.position
    try:
        return _read_fields(reader, names, shared)
    except (struct.error, IndexError):
        raise ProtocolError("a record ends early, or names what its message has not", start) from None
    except UnicodeDecodeError as error:
        raise ProtocolError(f"expected UTF-8: {error.reason}", start) from None


def _read_fields(reader: _Reader, names: list[Field], shared: list[EncodedValue]) -> Copy[Snapshot]:
    data, table = reader.data, reader.versions
    id_size, key_size, id_version, born, access, floor, created_ms, idle_ms, flags, count = _RECORD.unpack_from(
        data, reader.position
    )
    at = reader.position + _RECORD.size
    reader.take(id_size + key_size + _RECORD.size)
    full_id = data[at : at + id_size].decode("utf-8", "surrogatepass")
    at += id_size
    key = data[at : at + key_size].decode("utf-8", "surrogatepass") if key_size else bare_id(full_id)
    replaced = reader.names() if flags & _NAMED else {key: NO_VERSION}
    at = reader.position
    versions: dict[Field, Version] = {}
    values: dict[str, EncodedValue] = {}
    extras: dict[Field, EncodedValue] = {}
    for _ in range(count):
        name_index, version, size = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        name = names[name_index]
        versions[name] = table[version]
        if not size:
            continue
        if type(name) is not str:
            extras[name] = shared[size - 1]
            continue
        end = at + size - 1
        values[name] = _value_in(data, at, end)
        at = end
    reader.position = at
    snapshot = Snapshot(
        key, full_id, table[id_version], table[born], table[access], replaced, versions, values, extras, table[floor]
    )
    return Copy(snapshot, created_ms, idle_ms, bool(flags & _NEW))


def _read_value(reader: _Reader) -> EncodedValue:
    start = reader.position + _U32.size
    reader.take(reader.number(_U32))
    return _value_in(reader.data, start, reader.position)


def _value_in(data: bytes, start: int, end: int) -> EncodedValue:
    """A value that stands alone. It is checked to its end, because others will read it as a part of longer streams."""
    if end > len(data):
        raise ProtocolError(f"expected {end - start} bytes, got {len(data) - start}", start)
    cut = skim(data, start, 0, DEFAULT_LIMITS.depth)
    if cut is None:
        stream = ObjectInputStream(STREAM_HEADER + data[start:end])
        cut = stream.read_encoded(), start + stream.position - len(STREAM_HEADER)
    value, reached = cut
    if reached != end:
        raise ProtocolError(f"expected one value of {end - start} bytes, got one of {reached - start}", start)
    return value


def _read_ends(reader: _Reader) -> tuple[Ends, int]:
    reader.table()
    graves = []
    for _ in range(reader.count(_U32, 17)):
        key, version = reader.text(), reader.version()
        is_final, access = reader.number(_U8), reader.version()
        graves.append(Grave(key, version, None if is_final else access, reader.names()))
    return Ends(tuple(graves)), 0


def _read_question(reader: _Reader) -> tuple[Question, int]:
    return Question(reader.text()), 0


_READERS: dict[int, Callable[[_Reader], tuple[Message | Copies | Ends | Question, int]]] = {
    SUMS: _read_sums,
    GROUPS_KIND: _read_groups,
    LISTING: _read_listing,
    WANTED: _read_wanted,
    SETTLED: _read_settled,
    RECORDS: _read_copies,
    ENDS: _read_ends,
    QUESTION: _read_question,
}
