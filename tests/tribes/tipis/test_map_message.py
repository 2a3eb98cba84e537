from __future__ import annotations

import timeit
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps, loads
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.object_form import ObjectForm, ObjectSink
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import (
    MSG_BACKUP,
    MSG_PROXY,
    MapMessage,
    MapState,
    RepeatedEnd,
    decode_entries,
    decode_key,
    encode_entries,
    encode_key,
)
from catalina.tribes.tipis.map_stamp import Stamp, stamp_key
from tests.tribes.wire import cases

CASES = [case for case in cases("map") if MapMessage.matches(bytes.fromhex(case["hex"]))]
WIRES = [bytes.fromhex(case["hex"]) for case in CASES]
ME = Member(b"\x7f\0\0\x01", 4000, unique_id=b"1" * 16)
OTHER = Member(b"\x7f\0\0\x01", 4001, unique_id=b"2" * 16)
FORM = ObjectForm(describe("Change", 1, fields="I kind, [B diff, [B key, [B map, Ljava/lang/String; owner, [B value"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_message_is_read_and_written_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    message = MapMessage.decode(wire)
    assert message.map_id == b"localhost#/app-map"
    assert message.type == case["input"].get("type", message.type)
    assert message.encode() == wire


def test_the_key_is_a_stream_of_its_own() -> None:
    message = next(MapMessage.decode(wire) for wire in WIRES if MapMessage.decode(wire).type == MSG_PROXY)
    assert message.key is not None
    assert loads(message.key) == "34D6BE381768BDDB9EC480B09221C403"
    assert message.primary is not None
    assert message.nodes is not None


def test_a_state_reply_is_a_list_of_entries_to_the_byte() -> None:
    replies = [
        MapMessage.decode(wire) for case, wire in zip(CASES, WIRES, strict=True) if "STATE reply" in case["name"]
    ]
    assert replies
    for reply in replies:
        assert reply.value is not None
        assert encode_entries(decode_entries(reply.value)) == reply.value


@pytest.mark.parametrize("state", ["NEW", "STATETRANSFERRED", "INITIALIZED", "DESTROYED"])
def test_a_ping_reply_tells_the_state_to_the_byte(state: str) -> None:
    wire = next(bytes.fromhex(case["hex"]) for case in CASES if case["name"] == f"MSG_PING reply {state}")
    message = MapMessage.decode(wire)
    assert MapState.decode(message.value) == state
    assert MapState.encode(state) == message.value


@pytest.mark.parametrize("value", [None, b"", dumps("INITIALIZED"), dumps(None)])
def test_what_is_no_state_is_none(value: bytes | None) -> None:
    assert MapState.decode(value) is None


def test_members_are_written_for_the_version_that_reads_them() -> None:
    for suid in MEMBER_IMPL_SUIDS:
        message = MapMessage.decode(MapMessage(b"m", MSG_BACKUP, dumps("k"), None, b"d", ME, (OTHER,)).encode(suid))
        assert message.suid == suid
        assert (message.primary, message.nodes, message.diff) == (ME, (OTHER,), b"d")


def test_an_answer_is_the_message_in_another_name() -> None:
    assert MapMessage(b"m", 8, primary=ME).with_primary(OTHER) == MapMessage(b"m", 8, primary=OTHER)


def test_a_list_with_something_else_in_it_keeps_the_entries() -> None:
    entries = [MapMessage(b"m", MSG_PROXY, dumps("k"))]
    assert decode_entries(encode_entries(entries)) == entries
    assert decode_entries(dumps(["x", 1])) == []


@pytest.mark.parametrize("data", [b"", b"xxxx", dumps(1), dumps([1]), dumps(None)])
def test_other_messages_are_refused(data: bytes) -> None:
    assert not MapMessage.matches(data)
    with pytest.raises(ProtocolError):
        MapMessage.decode(data)


@pytest.mark.parametrize("data", [b"", dumps(1), dumps({})])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_entries(data)


@settings(max_examples=200)
@given(st.sampled_from(WIRES), st.data())
def test_any_byte_changed_gives_a_message_or_the_error(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = MapMessage.decode(bytes(changed))
        if message.value is not None:
            MapState.decode(message.value)
            decode_entries(message.value)
    except ProtocolError:
        pass


members = st.builds(
    Member,
    st.binary(min_size=4, max_size=4),
    st.integers(1, 65535),
    unique_id=st.binary(min_size=16, max_size=16),
    payload=st.binary(max_size=300),
)
maybe_bytes = st.none() | st.binary(max_size=40)
messages = st.builds(
    lambda *fields: MapMessage(*fields),  # the others by their defaults
    st.binary(max_size=20),
    st.integers(0, 20),
    maybe_bytes,
    maybe_bytes,
    maybe_bytes,
    st.none() | members,
    st.none() | st.lists(members, max_size=3).map(tuple),
)


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


def written(kind: int, *others: object) -> bytes:
    """The message by the form alone."""
    return FORM.stream((kind,), others)


@pytest.fixture
def changes() -> RepeatedEnd:
    return RepeatedEnd(FORM, leading=2)


def stream(changes: RepeatedEnd, kind: int, diff: bytes, key: bytes, *rest: object) -> bytes:
    return changes.stream((kind,), (diff, key), lambda: rest, rest)


def test_messages_are_those_of_the_form_whether_their_end_is_known_or_not(changes: RepeatedEnd) -> None:
    for number in range(5):
        for rest in ((b"map", "me", None), (b"map", None, None), (b"other", "me", b"value")):
            diff, key = b"d" * number, b"k" * (number + 1)
            wire = stream(changes, number, diff, key, *rest)
            assert wire == written(number, diff, key, *rest)
            assert changes.read(wire) == FORM.read(wire) == [number, diff, key, *rest]


def test_the_values_of_an_end_are_asked_for_once(changes: RepeatedEnd) -> None:
    asked: list[str] = []

    def rest() -> tuple[object, ...]:
        asked.append("rest")
        return b"map", "me", None

    for number in range(3):
        changes.stream((number,), (b"d", b"k"), rest, "by")
    assert asked == ["rest"]


def test_a_message_without_the_first_fields_is_read_by_the_form(changes: RepeatedEnd) -> None:
    for leading in ((None, b"key"), (b"diff", None), (None, None)):
        wire = written(1, *leading, b"map", "me", None)
        assert changes.read(wire) == [1, *leading, b"map", "me", None]


def test_a_long_end_is_not_remembered(changes: RepeatedEnd) -> None:
    rest = (b"m" * RepeatedEnd.MAX_SIZE, None, None)
    wire = stream(changes, 1, b"d", b"k", *rest)
    assert changes.read(wire) == [1, b"d", b"k", *rest]
    assert not changes._written
    assert not changes._read


def test_as_many_ends_are_remembered_as_the_limit_says(changes: RepeatedEnd) -> None:
    for number in range(RepeatedEnd.LIMIT + 10):
        changes.read(stream(changes, 1, b"d", b"k", b"%d" % number, None, None))
    assert len(changes._written) == len(changes._read) == 10


def outcome(read: Any, wire: bytes) -> list[object] | None:
    try:
        values: list[object] = read(wire)
    except ProtocolError:
        return None
    return values


@settings(max_examples=200)
@given(st.data())
def test_a_broken_message_like_one_that_was_read_before_is_read_as_if_it_were_the_first(data: st.DataObject) -> None:
    changes = RepeatedEnd(FORM, leading=2)
    wire = written(1, b"difference", b"key", b"map", "me", None)
    changes.read(wire)
    at = data.draw(st.integers(0, len(wire) - 1))
    broken = wire[:at] + data.draw(st.binary(max_size=5)) + wire[at + data.draw(st.integers(0, 5)) :]
    assert outcome(changes.read, broken) == outcome(FORM.read, broken)


@pytest.mark.parametrize("data", [b"", b"xxxx", dumps(1), dumps("x")])
def test_other_messages_are_the_documented_error(changes: RepeatedEnd, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        changes.read(data)


def test_a_message_in_which_the_rest_refers_elsewhere_is_read_whole(changes: RepeatedEnd) -> None:
    changes.read(written(1, b"diff", b"key", b"map", "me", None))
    sink = ObjectSink()
    FORM.write(sink, (1,), (None, b"key", b"map", "me", None))
    assert changes.read(b"\xac\xed\0\5" + bytes(sink.out)) == [1, None, b"key", b"map", "me", None]


def test_several_messages_are_each_what_it_is_alone(changes: RepeatedEnd) -> None:
    rest = (b"map", "me", None)
    leading = [(b"d" * number, b"k" * (3 - number)) for number in range(3)]
    for _ in range(2):  # without and with a known end
        assert changes.streams((1,), leading, lambda: rest, rest) == [written(1, *each, *rest) for each in leading]


def test_changes_of_entries_with_the_same_holders_are_the_messages_of_each() -> None:
    stamp = Stamp(b"b" * 16, b"c" * 16, b"n" * 16, b"o" * 16)
    alike = MapMessage(b"map", MSG_BACKUP, primary=ME, nodes=(OTHER,))
    changes = [(b"diff %d" % number, encode_key(f"k{number}")) for number in range(3)]
    together = alike.encode_with([(diff, stamp_key(key, stamp)) for diff, key in changes], MEMBER_IMPL_SUIDS[0])
    assert together == [alike._replace(key=key, diff=diff, stamp=stamp).encode() for diff, key in changes]
