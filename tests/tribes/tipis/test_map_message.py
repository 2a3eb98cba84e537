from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps, loads
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import (
    MSG_BACKUP,
    MSG_PROXY,
    MapMessage,
    MapState,
    decode_entries,
    encode_entries,
)
from tests.tribes.wire import cases

CASES = [case for case in cases("map") if MapMessage.matches(bytes.fromhex(case["hex"]))]
WIRES = [bytes.fromhex(case["hex"]) for case in CASES]
ME = Member(b"\x7f\0\0\x01", 4000, unique_id=b"1" * 16)
OTHER = Member(b"\x7f\0\0\x01", 4001, unique_id=b"2" * 16)


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
