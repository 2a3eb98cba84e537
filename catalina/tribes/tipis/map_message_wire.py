"""Writes and reads the bytes of a MapMessage without a tree of nodes, because every replicated request sends one.

The class is always described in the same bytes, so a message is a constant head and eight fields. The first byte[], the
first Member[] and the first member describe their class; later ones refer to it by a handle, whose number follows from
the handles before it. A message that is written in any other way is left to the general reader.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import BYTE_ARRAY
from catalina.tribes.io.java.encoded_value import EncodedValue, reference
from catalina.tribes.io.java.node_writer import encode_node, write_block
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.member_object import MEMBER_ARRAY, MEMBER_IMPL_SUIDS, member_desc
from catalina.tribes.member import Member

__all__ = ["MapFields", "MapMessageWire"]

_FIXED = struct.Struct(">?i")
_LENGTH = struct.Struct(">i")
_BYTE_ARRAY = b"\x75" + encode_node(BYTE_ARRAY).data
_MEMBER_ARRAY = b"\x75" + encode_node(MEMBER_ARRAY).data
_MEMBERS = {suid: b"\x73" + encode_node(member_desc(suid)).data for suid in MEMBER_IMPL_SUIDS}
_NULL = 0x70


class _Records:
    """The records of recently seen members: the same few occur in every message."""

    LIMIT = 256

    def __init__(self) -> None:
        self._written: dict[int, tuple[Member, bytes]] = {}
        self._read: dict[bytes, Member] = {}

    def write(self, member: Member) -> bytes:
        """The block data of a member."""
        known = self._written.get(id(member))
        if known is not None and known[0] is member:
            return known[1]
        record = member.encode()
        out = bytearray()
        write_block(out, _LENGTH.pack(len(record)) + record)
        out.append(0x78)
        if len(self._written) >= self.LIMIT:
            self._written.clear()
        self._written[id(member)] = (member, bytes(out))
        return bytes(out)

    def read(self, record: bytes) -> Member:
        """The member with this record."""
        member = self._read.get(record)
        if member is None:
            if len(self._read) >= self.LIMIT:
                self._read.clear()
            member = self._read[record] = Member.decode(record)
        return member


_records = _Records()


class MapFields(NamedTuple):
    """The fields of a message in the order of the wire, and the serialVersionUID of its members."""

    is_diff: bool
    type: int
    diff: bytes | None
    key: bytes | None
    map_id: bytes | None
    nodes: tuple[Member, ...] | None
    primary: Member | None
    value: bytes | None
    suid: int | None = None


class MapMessageWire:
    """Writes and reads objects of MapMessage, as one class descriptor describes it.

    Args:
        desc: the descriptor, as a node; its fields are in Java's order.
    """

    def __init__(self, desc: ClassDesc) -> None:
        described = encode_node(desc)
        self.head = b"\x73" + described.data
        self._head_fixups = tuple(at + 1 for at in described.fixups)
        self._handles = described.handles + 1  # one more for the object
        #: The bytes with which the second byte[] begins.
        self._second = b"\x75\x71" + reference(self._handles)

        #: The bytes behind the key of a difference, which are the same in every message about the entries of one
        #: backup. The writer finds them by the fields, the reader finds the fields by the bytes.
        self._tails: dict[tuple[object, ...], bytes] = {}
        self._fields_of_tail: dict[bytes, MapFields] = {}

    def encode_diff(self, fields: MapFields) -> bytes:
        """A message with a difference, a key and an owner but without a value; most requests send such a message."""
        by = (fields.map_id, fields.nodes, fields.primary, fields.suid)
        tail = self._tails.get(by)
        diff, key = fields.diff or b"", fields.key or b""
        if tail is None:
            whole = self.encode(fields).data
            tail = whole[len(self.head) + _FIXED.size + len(_BYTE_ARRAY) + 4 + len(diff) + 6 + 4 + len(key) :]
            if len(self._tails) >= _Records.LIMIT:
                self._tails.clear()
            self._tails[by] = tail
            return whole
        return b"".join(
            (
                self.head,
                _FIXED.pack(True, fields.type),
                _BYTE_ARRAY,
                _LENGTH.pack(len(diff)),
                diff,
                self._second,
                _LENGTH.pack(len(key)),
                key,
                tail,
            )
        )

    def encode(self, fields: MapFields) -> EncodedValue:
        """The message as a value that stands alone."""
        writer = _Writer(self.head, self._handles, self._head_fixups)
        writer.out += _FIXED.pack(fields.is_diff, fields.type)
        writer.byte_array(fields.diff)
        writer.byte_array(fields.key)
        writer.byte_array(fields.map_id)
        suid = fields.suid or MEMBER_IMPL_SUIDS[0]
        writer.members(fields.nodes, suid)
        writer.member(fields.primary, suid)
        writer.byte_array(fields.value)
        return EncodedValue(bytes(writer.out), writer.handles, tuple(writer.fixups))

    def _decode_diff(self, data: bytes, at: int) -> MapFields | None:
        """Read a message whose class description and tail occurred before; None for any other message.

        If a size in it is too large, nothing remains for the tail, so the message counts as another one.
        """
        first = at + _FIXED.size
        if not data.startswith(_BYTE_ARRAY, first):
            return None
        diff_at = first + len(_BYTE_ARRAY) + 4
        diff_end = diff_at + int.from_bytes(data[diff_at - 4 : diff_at], "big")
        if not data.startswith(self._second, diff_end):
            return None
        key_at = diff_end + len(self._second) + 4
        key_end = key_at + int.from_bytes(data[key_at - 4 : key_at], "big")
        known = self._fields_of_tail.get(data[key_end:])
        if known is None:
            return None
        is_diff, kind = _FIXED.unpack_from(data, at)
        diff, key = data[diff_at:diff_end], data[key_at:key_end]
        return MapFields(is_diff, kind, diff, key, known.map_id, known.nodes, known.primary, None, known.suid)

    def decode(self, data: bytes, start: int) -> MapFields | None:
        """Read a message with which a stream begins; None when it is written in another way, or is no message."""
        if not data.startswith(self.head, start):
            return None
        usual = self._decode_diff(data, start + len(self.head))
        if usual is not None:
            return usual
        reader = _Reader(data, start + len(self.head), self._handles)
        try:
            is_diff, kind = _FIXED.unpack(reader.take(_FIXED.size))
            diff, key = reader.byte_array(), reader.byte_array()
            tail = data[reader.position :] if diff is not None and key is not None else b""
            known = self._fields_of_tail.get(tail)
            if known is not None:
                return MapFields(is_diff, kind, diff, key, known.map_id, known.nodes, known.primary, None, known.suid)
            map_id, nodes = reader.byte_array(), reader.members()
            primary, value = reader.member(), reader.byte_array()
        except (_UnusualError, ProtocolError, struct.error, IndexError):
            return None
        if reader.position != len(data):
            return None
        fields = MapFields(is_diff, kind, diff, key, map_id, nodes, primary, value, reader.suid)
        if tail and value is None:
            if len(self._fields_of_tail) >= _Records.LIMIT:
                self._fields_of_tail.clear()
            self._fields_of_tail[tail] = fields
        return fields


class _Writer:
    """Appends fields; describes each class once."""

    def __init__(self, head: bytes, handles: int, fixups: tuple[int, ...]) -> None:
        self.out = bytearray(head)
        self.handles = handles
        self.fixups = list(fixups)
        self._known: dict[bytes, bytes] = {}

    def _begin(self, first: bytes) -> None:
        """Append the code of an array or object and its class: the description, or later a reference to it."""
        known = self._known.get(first)
        if known is None:
            self._known[first] = reference(self.handles)
            self.out += first
            self.handles += 2
        else:
            self.fixups.append(len(self.out) + 2)
            self.out += first[:1] + b"\x71" + known
            self.handles += 1

    def byte_array(self, data: bytes | None) -> None:
        if data is None:
            self.out.append(_NULL)
            return
        self._begin(_BYTE_ARRAY)
        self.out += _LENGTH.pack(len(data))
        self.out += data

    def members(self, members: tuple[Member, ...] | None, suid: int) -> None:
        if members is None:
            self.out.append(_NULL)
            return
        self._begin(_MEMBER_ARRAY)
        self.out += _LENGTH.pack(len(members))
        for member in members:
            self.member(member, suid)

    def member(self, member: Member | None, suid: int) -> None:
        if member is None:
            self.out.append(_NULL)
            return
        self._begin(_MEMBERS.get(suid, _MEMBERS[MEMBER_IMPL_SUIDS[0]]))
        self.out += _records.write(member)


class _UnusualError(Exception):
    """The bytes are not the usual ones, though perhaps legal."""


class _Reader:
    """Reads fields that :class:`_Writer` wrote."""

    def __init__(self, data: bytes, position: int, handles: int) -> None:
        self.data = data
        self.position = position
        self.handles = handles
        self.suid: int | None = None
        self._known: dict[bytes, bytes] = {}

    def take(self, size: int) -> bytes:
        start = self.position
        end = start + size
        if size < 0 or end > len(self.data):
            raise _UnusualError
        self.position = end
        return self.data[start:end]

    def _is_null(self) -> bool:
        if self.data[self.position] != _NULL:
            return False
        self.position += 1
        return True

    def _begin(self, first: bytes) -> bool:
        """Step over the code and the class; returns False if another class, or another form of it, stands here."""
        data, position = self.data, self.position
        known = self._known.get(first)
        if known is None:
            if not data.startswith(first, position):
                return False
            self._known[first] = reference(self.handles)
            self.handles += 2
            self.position = position + len(first)
            return True
        if data[position : position + 6] != first[:1] + b"\x71" + known:
            return False
        self.handles += 1
        self.position = position + 6
        return True

    def byte_array(self) -> bytes | None:
        if self._is_null():
            return None
        if not self._begin(_BYTE_ARRAY):
            raise _UnusualError
        return self.take(_LENGTH.unpack(self.take(4))[0])

    def members(self) -> tuple[Member, ...] | None:
        if self._is_null():
            return None
        if not self._begin(_MEMBER_ARRAY):
            raise _UnusualError
        (count,) = _LENGTH.unpack(self.take(4))
        if not 0 <= count <= len(self.data) - self.position:
            raise _UnusualError
        found = [self.member() for _ in range(count)]
        return tuple([member for member in found if member is not None])

    def member(self) -> Member | None:
        if self._is_null():
            return None
        for suid, first in _MEMBERS.items():
            if self.suid in (None, suid) and self._begin(first):
                self.suid = suid
                return self._record()
        raise _UnusualError

    def _record(self) -> Member:
        tag = self.take(1)
        size = self.take(1)[0] if tag == b"\x77" else _LENGTH.unpack(self.take(4))[0]
        block = self.take(size)
        if tag not in (b"\x77", b"\x7a") or size < 4 or self.take(1) != b"\x78":
            raise _UnusualError
        if _LENGTH.unpack_from(block)[0] != size - 4:
            raise _UnusualError
        return _records.read(block[4:])
