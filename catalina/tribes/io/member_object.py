"""A member inside a Java object stream (Tomcat: membership/MemberImpl.java, writeExternal; docs/wire.md 4.5).

::

    class org.apache.catalina.tribes.membership.MemberImpl       StaticMember has MemberImpl as super descriptor
        block data: int length, MEMBER record

Its serialVersionUID is computed from the shape of the class, so it changed between versions, and Java compares it. A
node that talks to members of two versions must answer each with its own number. It learns the number from what the peer
writes, and begins with the newest.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.grammar import TC_ARRAY, TC_BLOCKDATA, TC_BLOCKDATALONG, TC_ENDBLOCKDATA, TC_OBJECT
from catalina.tribes.io.java.node_writer import write_block
from catalina.tribes.io.java.nodes import BlockData, ClassDesc, JavaArray, JavaObject, ProxyDesc
from catalina.tribes.io.java.object_form import NULL_BYTE, ClassHead, FieldKind, ObjectSink, ObjectSource, UnusualError
from catalina.tribes.member import Member

__all__ = ["MEMBER_IMPL_SUIDS", "MEMBER_KINDS", "MemberObject", "member_objects"]

CLASS_NAME = "org.apache.catalina.tribes.membership.MemberImpl"
STATIC_CLASS_NAME = "org.apache.catalina.tribes.membership.StaticMember"

#: serialVersionUID of MemberImpl, newest first: 10.1.40 and 11.0.6 on; 10.1.0 to 10.1.39 and 11.0.0 to 11.0.5; 9.0.
MEMBER_IMPL_SUIDS = (-8901659902996040089, 6004750745337223678, 3323947316117794076)

_HEADS = {suid: ClassHead.of(TC_OBJECT, describe(CLASS_NAME, suid, EXTERNALIZABLE)) for suid in MEMBER_IMPL_SUIDS}
_NEWEST_HEAD = _HEADS[MEMBER_IMPL_SUIDS[0]]
_ARRAY_HEAD = ClassHead.of(TC_ARRAY, describe("[Lorg.apache.catalina.tribes.Member;", 6828688949895838012))
_LENGTH = struct.Struct(">i")
_END = bytes((TC_ENDBLOCKDATA,))


class MemberObject(NamedTuple):
    """A member as an object.

    Args:
        suid: the serialVersionUID of its MemberImpl; a number that nobody is known to have is written as the newest,
            and so is None.
    """

    member: Member
    suid: int | None = MEMBER_IMPL_SUIDS[0]


def member_objects(members: tuple[Member, ...] | None, suid: int) -> tuple[MemberObject, ...] | None:
    """The members, all of one version of MemberImpl."""
    return None if members is None else tuple([MemberObject(member, suid) for member in members])


class _Records:
    """Records of the members seen lately: the same few stand in every message."""

    LIMIT = 256

    def __init__(self) -> None:
        self._written: dict[int, tuple[Member, bytes]] = {}
        self._read: dict[bytes, Member] = {}

    def write(self, member: Member) -> bytes:
        """The content of a member's object: its record as block data, and the end."""
        known = self._written.get(id(member))
        if known is not None and known[0] is member:
            return known[1]
        record = member.encode()
        out = bytearray()
        write_block(out, _LENGTH.pack(len(record)) + record)
        out += _END
        if len(self._written) >= self.LIMIT:
            self._written.clear()
        self._written[id(member)] = (member, bytes(out))
        return bytes(out)

    def read(self, record: bytes) -> Member:
        """The member of a record."""
        member = self._read.get(record)
        if member is None:
            if len(self._read) >= self.LIMIT:
                self._read.clear()
            member = self._read[record] = Member.decode(record)
        return member


_records = _Records()


class _MemberKind:
    """A field of type Member; its values are :class:`MemberObject`."""

    def alone(self, value: MemberObject | None) -> bytes:
        if value is None:
            return NULL_BYTE
        sink = ObjectSink()
        self.write(sink, value)
        return bytes(sink.out)

    def write(self, sink: ObjectSink, value: MemberObject) -> None:
        sink.append_common(_HEADS.get(value.suid or 0, _NEWEST_HEAD), _records.write(value.member), value)

    def read(self, source: ObjectSource) -> MemberObject:
        for suid, head in _HEADS.items():
            if source.begins(head):
                return MemberObject(self._record(source), suid)
        raise UnusualError

    @staticmethod
    def _record(source: ObjectSource) -> Member:
        tag = source.take(1)[0]
        size = source.number(_LENGTH) if tag == TC_BLOCKDATALONG else source.take(1)[0]
        block = source.take(size)
        if tag not in (TC_BLOCKDATA, TC_BLOCKDATALONG) or source.take(1) != _END:
            raise UnusualError
        if _LENGTH.unpack_from(block)[0] != size - _LENGTH.size:
            raise UnusualError
        return _records.read(block[_LENGTH.size :])

    def of_node(self, node: object, name: str) -> MemberObject | None:
        if node is None:
            return None
        if not isinstance(node, JavaObject) or node.class_name not in (CLASS_NAME, STATIC_CLASS_NAME):
            raise ProtocolError(f"{name}: expected a {CLASS_NAME}, got {node!r}")
        block = b"".join([item for item in node.annotation() if isinstance(item, BlockData)])
        if len(block) < _LENGTH.size or _LENGTH.unpack_from(block)[0] != len(block) - _LENGTH.size:
            raise ProtocolError(f"{CLASS_NAME}: expected a length and a record, got {len(block)} bytes")
        return MemberObject(Member.decode(block, _LENGTH.size), _suid_of(node))


def _suid_of(node: JavaObject) -> int | None:
    """The serialVersionUID with which a member was written."""
    desc: ClassDesc | ProxyDesc | None = node.desc
    while isinstance(desc, ClassDesc) and desc.name != CLASS_NAME:
        desc = desc.super_desc  # a StaticMember
    return desc.suid if isinstance(desc, ClassDesc) else None


class _MembersKind:
    """A field of type Member[]; a null in it is left out."""

    def alone(self, value: tuple[MemberObject, ...] | None) -> bytes:
        if value is None:
            return NULL_BYTE
        sink = ObjectSink()
        self.write(sink, value)
        return bytes(sink.out)

    def write(self, sink: ObjectSink, value: tuple[MemberObject, ...]) -> None:
        sink.append(_ARRAY_HEAD, _LENGTH.pack(len(value)))
        for member in value:
            _MEMBER.write(sink, member)

    def read(self, source: ObjectSource) -> tuple[MemberObject, ...]:
        if not source.begins(_ARRAY_HEAD):
            raise UnusualError
        count = source.number(_LENGTH)
        if not 0 <= count <= len(source.data) - source.at:
            raise UnusualError
        return tuple([_MEMBER.read(source) for _ in range(count)])

    def of_node(self, node: object, name: str) -> tuple[MemberObject, ...] | None:
        if node is None:
            return None
        if not isinstance(node, JavaArray) or not isinstance(node.values, list):
            raise ProtocolError(f"{name}: expected an array of members, got {node!r}")
        found = [_MEMBER.of_node(item, name) for item in node.values]
        return tuple([member for member in found if member is not None])


_MEMBER = _MemberKind()
#: For the forms of messages with members in them.
MEMBER_KINDS: dict[str, FieldKind] = {
    "Lorg/apache/catalina/tribes/Member;": _MEMBER,
    "[Lorg/apache/catalina/tribes/Member;": _MembersKind(),
}
