from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe, integer, string
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.nodes import BlockData, ClassData, ClassDesc, JavaArray, JavaObject
from catalina.tribes.io.java.object_form import ObjectSink, ObjectSource, UnusualError
from catalina.tribes.io.member_object import CLASS_NAME, MEMBER_IMPL_SUIDS, MEMBER_KINDS, MemberObject, member_objects
from catalina.tribes.member import Member

MEMBER = Member(b"\x0a\x00\x00\x07", 4000, unique_id=bytes(range(16)), domain=b"d")
ONE, MANY = MEMBER_KINDS.values()
MEMBER_IMPL = describe(CLASS_NAME, MEMBER_IMPL_SUIDS[0], EXTERNALIZABLE)


def with_block(data: bytes, desc: ClassDesc = MEMBER_IMPL) -> JavaObject:
    return JavaObject(desc, [ClassData(desc, {}, [BlockData(data)])])


def block_of(member: Member) -> bytes:
    record = member.encode()
    return len(record).to_bytes(4, "big") + record


def test_a_member_comes_back_with_all_its_fields() -> None:
    wire = ONE.alone(MemberObject(MEMBER))
    found = ONE.of_node(NodeReader(wire).read_node(), "member")
    assert repr(found) == repr(ONE.read(ObjectSource(wire, 0))) == repr(MemberObject(MEMBER))


@pytest.mark.parametrize("suid", MEMBER_IMPL_SUIDS)
def test_each_version_is_answered_with_its_own_number(suid: int) -> None:
    wire = ONE.alone(MemberObject(MEMBER, suid))
    assert ONE.of_node(NodeReader(wire).read_node(), "member") == (MEMBER, suid)
    assert ONE.read(ObjectSource(wire, 0)) == (MEMBER, suid)


@pytest.mark.parametrize("suid", [12345, None])
def test_a_number_that_no_version_has_is_not_repeated(suid: int | None) -> None:
    assert ONE.alone(MemberObject(MEMBER, suid)) == ONE.alone(MemberObject(MEMBER))


def test_a_static_member_tells_its_superclass() -> None:
    above = describe(CLASS_NAME, MEMBER_IMPL_SUIDS[1], EXTERNALIZABLE)
    desc = describe("org.apache.catalina.tribes.membership.StaticMember", 1, EXTERNALIZABLE, super_desc=above)
    assert ONE.of_node(with_block(block_of(MEMBER), desc), "member") == (MEMBER, MEMBER_IMPL_SUIDS[1])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_of_members_comes_back(count: int) -> None:
    members = member_objects((MEMBER,) * count, MEMBER_IMPL_SUIDS[2])
    wire = MANY.alone(members)
    assert MANY.of_node(NodeReader(wire).read_node(), "nodes") == members
    assert MANY.read(ObjectSource(wire, 0)) == members


def test_a_member_with_a_long_record_is_read_quickly_too() -> None:
    long = MemberObject(Member(b"\x0a\0\0\x07", 4000, payload=b"p" * 300))
    assert ONE.read(ObjectSource(ONE.alone(long), 0)).member.payload == b"p" * 300


def test_members_that_objects_have_in_common_stand_once() -> None:
    sink = ObjectSink(shares=True)
    for _ in range(2):
        MANY.write(sink, (MemberObject(MEMBER),))
    assert bytes(sink.out).count(b"TRIBES-B") == 1


def test_nothing_stays_nothing() -> None:
    assert ONE.alone(None) == MANY.alone(None) == b"\x70"
    assert ONE.of_node(None, "member") is None
    assert MANY.of_node(None, "nodes") is None
    assert member_objects(None, 0) is None


@pytest.mark.parametrize(
    "node",
    [string("x"), integer(1), with_block(b""), with_block(b"\0\0\0\x05abc"), with_block(b"\0\0\0\x03abc")],
)
def test_what_is_no_member_is_refused(node: object) -> None:
    with pytest.raises(ProtocolError):
        ONE.of_node(node, "member")


def test_what_is_no_array_of_members_is_refused() -> None:
    with pytest.raises(ProtocolError):
        MANY.of_node(string("x"), "nodes")
    with pytest.raises(ProtocolError):
        MANY.of_node(JavaArray(describe("[Lorg.apache.catalina.tribes.Member;", 1), [string("x")]), "nodes")


@pytest.mark.parametrize("kind", [ONE, MANY])
def test_what_stands_there_in_another_way_is_left_to_the_general_reader(kind: object) -> None:
    with pytest.raises(UnusualError):
        kind.read(ObjectSource(b"\x74\0\0", 0))  # type: ignore[attr-defined]


@given(st.binary(max_size=120))
def test_any_record_gives_a_member_or_the_error(record: bytes) -> None:
    try:
        ONE.of_node(with_block(len(record).to_bytes(4, "big") + record), "member")
    except ProtocolError:
        pass
