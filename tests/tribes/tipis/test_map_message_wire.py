from __future__ import annotations

import timeit
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import _WIRE, MSG_BACKUP, MapMessage, decode_key, encode_key
from tests.tribes.wire import cases

WIRES = [bytes.fromhex(case["hex"]) for case in cases("map") if MapMessage.matches(bytes.fromhex(case["hex"]))]

members = st.builds(
    Member,
    st.binary(min_size=4, max_size=4),
    st.integers(1, 65535),
    unique_id=st.binary(min_size=16, max_size=16),
    payload=st.binary(max_size=300),
)
maybe_bytes = st.none() | st.binary(max_size=40)
messages = st.builds(
    MapMessage,
    st.binary(max_size=20),
    st.integers(0, 20),
    maybe_bytes,
    maybe_bytes,
    maybe_bytes,
    st.none() | members,
    st.none() | st.lists(members, max_size=3).map(tuple),
)


@pytest.mark.parametrize("wire", WIRES)
def test_the_quick_way_and_the_general_one_agree(wire: bytes) -> None:
    assert MapMessage.decode(wire) == MapMessage.of(NodeReader(wire, 4).read_node())
    assert _WIRE.decode(wire, 4) is not None


@settings(max_examples=150)
@given(messages, st.sampled_from(MEMBER_IMPL_SUIDS))
def test_every_message_is_read_by_the_general_reader_too(message: MapMessage, suid: int) -> None:
    wire = message.encode(suid)
    quick = MapMessage.decode(wire)
    general = MapMessage.of(NodeReader(wire, 4).read_node())
    assert quick == general
    assert (quick.key, quick.value, quick.diff) == (message.key, message.value, message.diff)
    assert (quick.primary, quick.nodes) == (message.primary, message.nodes)
    assert quick.suid == (suid if message.primary or message.nodes else None)


@settings(max_examples=100)
@given(messages, st.integers(1, 100))
def test_the_value_stands_in_any_stream(message: MapMessage, handles: int) -> None:
    value = message.to_encoded()
    reader = NodeReader(value.at_handle(handles), 0, [None] * handles)
    assert MapMessage.of(reader.read_node()).key == message.key
    assert len(reader.handles) == handles + value.handles


@pytest.mark.parametrize("wire", WIRES)
def test_a_message_cut_anywhere_is_the_documented_error(wire: bytes) -> None:
    for end in range(0, len(wire), 5):
        with pytest.raises(ProtocolError):
            MapMessage.decode(wire[:end])


def test_members_of_two_versions_are_left_to_the_general_reader() -> None:
    member = Member(b"\x7f\0\0\1", 4000)
    wire = bytearray(MapMessage(b"m", 1, primary=member, nodes=(member,)).encode())
    assert _WIRE.decode(bytes(wire), 4) is not None
    assert _WIRE.decode(dumps([1]), 4) is None


def test_messages_about_several_entries_of_one_backup_differ_only_where_they_must() -> None:
    member, other = Member(b"\x7f\0\0\1", 4000), Member(b"\x7f\0\0\1", 4001)
    for number in range(5):
        message = MapMessage(b"m", 1, dumps(f"key{number}" * number), None, b"d" * number, member, (other,))
        assert message.encode() == message.to_encoded().to_stream()
        for _ in range(2):
            assert MapMessage.decode(message.encode()) == MapMessage.of(NodeReader(message.encode(), 4).read_node())
    another = MapMessage(b"m2", 1, dumps("k"), None, b"d", other, (member,))
    assert MapMessage.decode(another.encode()).primary == other


@settings(max_examples=200)
@given(st.data())
def test_a_broken_difference_like_one_that_was_read_before_is_read_as_if_it_were_the_first(data: st.DataObject) -> None:
    member, other = Member(b"\x7f\0\0\1", 4000), Member(b"\x7f\0\0\1", 4001)
    wire = MapMessage(b"m", 1, encode_key("key.n1"), None, b"difference", member, (other,)).encode()
    MapMessage.decode(wire)
    at = data.draw(st.integers(len(_WIRE.head), len(wire) - 1))
    broken = wire[:at] + data.draw(st.binary(max_size=5)) + wire[at + data.draw(st.integers(0, 5)) :]
    assert outcome(MapMessage.decode, broken) == outcome(
        lambda wire: MapMessage.of(NodeReader(wire, 4).read_node()), broken
    )


def outcome(read: Callable[[bytes], MapMessage], wire: bytes) -> MapMessage | None:
    try:
        return read(wire)
    except ProtocolError:
        return None


@pytest.mark.parametrize("key", ["", "k", "X.n1", "x" * 255, "x" * 256, "ä", "\0", 7, b"bytes", True])
def test_a_key_is_written_and_read_as_any_object_is(key: object) -> None:
    assert encode_key(key) == dumps(key)
    assert decode_key(dumps(key)) == key


@pytest.mark.parametrize("data", [b"", b"\xac\xed\0\5t\0", b"\xac\xed\0\5t\0\3ab", b"\xac\xed\0\5t\0\1\xff", b"plain"])
def test_bytes_that_are_no_key_are_the_documented_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_key(data)


def test_a_message_takes_a_few_microseconds() -> None:
    member = Member(b"\x7f\0\0\1", 4000)
    message = MapMessage(b"localhost#/app-map", MSG_BACKUP, dumps("x" * 32), None, b"x" * 150, member, (member,))
    wire = message.encode()
    seconds = min(timeit.repeat(lambda: (message.encode(), MapMessage.decode(wire)), number=200, repeat=5)) / 200
    assert seconds < 300e-6  # measured 25 us; the bound is for a busy machine
