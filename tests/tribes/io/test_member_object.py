from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe, integer, string
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, ClassData, JavaArray, JavaObject
from catalina.tribes.io.member_object import (
    MEMBER_ARRAY,
    MEMBER_IMPL,
    MEMBER_IMPL_SUIDS,
    member_desc,
    member_node,
    member_of,
    members_of,
    suid_of,
)
from catalina.tribes.member import Member

MEMBER = Member(b"\x0a\x00\x00\x07", 4000, unique_id=bytes(range(16)), domain=b"d")


def with_block(data: bytes) -> JavaObject:
    return JavaObject(MEMBER_IMPL, [ClassData(MEMBER_IMPL, {}, [BlockData(data)])])


def test_a_member_comes_back_with_all_its_fields() -> None:
    node = NodeReader(encode_node(member_node(MEMBER)).data).read_node()
    assert repr(member_of(node)) == repr(MEMBER)


@pytest.mark.parametrize("suid", MEMBER_IMPL_SUIDS)
def test_each_version_is_answered_with_its_own_number(suid: int) -> None:
    node = NodeReader(encode_node(member_node(MEMBER, suid)).data).read_node()
    assert suid_of(node) == suid
    assert member_of(node) == MEMBER


def test_a_number_that_no_version_has_is_not_repeated() -> None:
    assert member_desc(12345) is MEMBER_IMPL


def test_a_static_member_tells_its_superclass() -> None:
    desc = describe(
        "org.apache.catalina.tribes.membership.StaticMember",
        1,
        EXTERNALIZABLE,
        super_desc=member_desc(MEMBER_IMPL_SUIDS[1]),
    )
    plain = member_node(MEMBER)
    assert plain is not None
    node = JavaObject(desc, [ClassData(desc, {}, plain.data[0].annotation)])
    assert member_of(node) == MEMBER
    assert suid_of(node) == MEMBER_IMPL_SUIDS[1]


def test_an_array_of_members_has_one_number() -> None:
    array = JavaArray(MEMBER_ARRAY, [member_node(MEMBER), member_node(MEMBER)])
    assert members_of(array) == (MEMBER, MEMBER)
    assert suid_of(array) == MEMBER_IMPL_SUIDS[0]
    assert suid_of(JavaArray(MEMBER_ARRAY, [])) is None


def test_nothing_stays_nothing() -> None:
    assert member_node(None) is None
    assert member_of(None) is None
    assert members_of(None) is None
    assert suid_of(None) is None


@pytest.mark.parametrize(
    "node",
    [string("x"), integer(1), with_block(b""), with_block(b"\0\0\0\x05abc"), with_block(b"\0\0\0\x03abc")],
)
def test_what_is_no_member_is_refused(node: object) -> None:
    with pytest.raises(ProtocolError):
        member_of(node)


def test_what_is_no_array_of_members_is_refused() -> None:
    with pytest.raises(ProtocolError):
        members_of(string("x"))
    with pytest.raises(ProtocolError):
        members_of(JavaArray(MEMBER_ARRAY, [string("x")]))


@given(st.binary(max_size=120))
def test_any_record_gives_a_member_or_the_error(record: bytes) -> None:
    try:
        member_of(with_block(len(record).to_bytes(4, "big") + record))
    except ProtocolError:
        pass
