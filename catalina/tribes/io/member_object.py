"""A member inside a Java object stream: MemberImpl, Externalizable (Tomcat: membership/MemberImpl.java writeExternal).

::

    class org.apache.catalina.tribes.membership.MemberImpl       StaticMember has MemberImpl as super descriptor
        block data: int length, MEMBER record

Its serialVersionUID is computed from the shape of the class, so it changed between versions, and Java compares it. A
node that talks to members of two versions must answer each with its own number. It learns the number from what the peer
writes, and begins with the newest.
"""

from __future__ import annotations

import struct

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.nodes import BlockData, ClassData, ClassDesc, JavaArray, JavaObject, Node
from catalina.tribes.member import Member

__all__ = [
    "MEMBER_ARRAY",
    "MEMBER_IMPL",
    "MEMBER_IMPL_SUIDS",
    "member_desc",
    "member_node",
    "member_of",
    "members_of",
    "suid_of",
]

CLASS_NAME = "org.apache.catalina.tribes.membership.MemberImpl"
STATIC_CLASS_NAME = "org.apache.catalina.tribes.membership.StaticMember"

#: serialVersionUID of MemberImpl, newest first: 10.1.40 and 11.0.6 on; 10.1.0 to 10.1.39 and 11.0.0 to 11.0.5; 9.0.
MEMBER_IMPL_SUIDS = (-8901659902996040089, 6004750745337223678, 3323947316117794076)

#: By serialVersionUID. Each is one descriptor object, so that a second member of a stream refers to the first one's.
_descs = {suid: describe(CLASS_NAME, suid, EXTERNALIZABLE) for suid in MEMBER_IMPL_SUIDS}
MEMBER_IMPL = _descs[MEMBER_IMPL_SUIDS[0]]
MEMBER_ARRAY = describe("[Lorg.apache.catalina.tribes.Member;", 6828688949895838012)

_LENGTH = struct.Struct(">i")


def member_desc(suid: int) -> ClassDesc:
    """The descriptor with that serialVersionUID, the newest one for an unknown number."""
    return _descs.get(suid, MEMBER_IMPL)


def member_node(member: Member | None, suid: int = MEMBER_IMPL_SUIDS[0]) -> JavaObject | None:
    """The object of a member, null for None."""
    if member is None:
        return None
    record = member.encode()
    desc = member_desc(suid)
    return JavaObject(desc, [ClassData(desc, {}, [BlockData(_LENGTH.pack(len(record)) + record)])])


def member_of(node: object) -> Member | None:
    """The member in an object of any version; None for null.

    Raises:
        ProtocolError: the object is no member.
    """
    if node is None:
        return None
    if not isinstance(node, JavaObject) or node.class_name not in (CLASS_NAME, STATIC_CLASS_NAME):
        raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
    block = b"".join([item for item in node.annotation() if isinstance(item, BlockData)])
    if len(block) < _LENGTH.size or _LENGTH.unpack_from(block)[0] != len(block) - _LENGTH.size:
        raise ProtocolError(f"{CLASS_NAME}: expected a length and a record, got {len(block)} bytes")
    return Member.decode(block, _LENGTH.size)


def members_of(node: object) -> tuple[Member, ...] | None:
    """The members of a Member[]; None for null."""
    if node is None:
        return None
    if not isinstance(node, JavaArray) or not isinstance(node.values, list):
        raise ProtocolError(f"expected an array of members, got {node!r}")
    found = [member_of(item) for item in node.values]
    return tuple([member for member in found if member is not None])


def suid_of(node: Node) -> int | None:
    """The serialVersionUID with which a member was written; None when there is no member."""
    if isinstance(node, JavaArray) and isinstance(node.values, list) and node.values:
        return suid_of(node.values[0])
    desc = node.desc if isinstance(node, JavaObject) else None
    while isinstance(desc, ClassDesc) and desc.name != CLASS_NAME:
        desc = desc.super_desc  # a StaticMember
    return desc.suid if isinstance(desc, ClassDesc) else None
