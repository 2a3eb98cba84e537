from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.session.session_message import (
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    SessionMessage,
    decode_session_id,
    encode_session_id,
    stamp,
    stamp_of,
)
from catalina.tribes.io.java import ObjectInputStream, dumps
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc, JavaObject
from tests.tribes.wire import cases

MESSAGES = [case for case in cases("session_messages") if "event" in case["input"]]
IDS = [case for case in cases("session_messages") if "event" not in case["input"]]
WIRES = [bytes.fromhex(case["hex"]) for case in MESSAGES]


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case["name"])
def test_a_message_is_read_with_all_its_fields(case: dict[str, Any]) -> None:
    given_input = case["input"]
    message = SessionMessage.decode(bytes.fromhex(case["hex"]))
    assert message.event == given_input["event"]
    assert message.context_name == given_input["context"]
    assert message.session_id == given_input["sessionId"]
    assert message.unique_id == given_input["uniqueId"]
    assert message.timestamp_ms == (given_input["timestamp"] if given_input["timestampSet"] else None)
    session = given_input.get("session")
    assert message.session == (None if session is None else bytes.fromhex(session))
    if case["name"] != "null context":
        assert message.event_name == case["name"]


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case["name"])
def test_a_message_is_written_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    message = SessionMessage.decode(wire)
    if message.session_id == message.unique_id:  # Java had one String for both, and refers to it
        assert SessionMessage.decode(message.encode()) == message
    else:
        assert message.encode() == wire


def test_fields_in_another_order_are_read() -> None:
    node = ObjectInputStream(WIRES[0]).read_node()
    assert isinstance(node, JavaObject)
    assert isinstance(node.desc, ClassDesc)
    primitives, objects = node.desc.fields[:3], node.desc.fields[3:]
    node.desc.fields = (*reversed(primitives), *reversed(objects))
    wire = encode_node(node).to_stream()
    assert not wire.startswith(WIRES[0][:100])
    assert SessionMessage.decode(wire) == SessionMessage.decode(WIRES[0])


@pytest.mark.parametrize("text", ["", "/app", "caf\u00e9 \U0001f600\0", None])
def test_texts_of_all_kinds_come_back(text: str | None) -> None:
    message = SessionMessage(EVT_SESSION_CREATED, text, b"body", text, text, None)
    assert SessionMessage.decode(message.encode()) == message


def test_an_id_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535"):
        SessionMessage(1, "", None, "x" * 65536, "").encode()


@pytest.mark.parametrize("wire", WIRES)
def test_a_message_cut_anywhere_is_the_documented_error(wire: bytes) -> None:
    for end in range(0, len(wire), 7):
        with pytest.raises(ProtocolError):
            SessionMessage.decode(wire[:end])


@pytest.mark.parametrize("data", [b"", dumps("x"), dumps([1]), b"\xac\xed\0\x05"])
def test_other_messages_are_not_taken(data: bytes) -> None:
    assert not SessionMessage.matches(data)
    with pytest.raises(ProtocolError):
        SessionMessage.decode(data)


def test_its_own_messages_are_taken() -> None:
    assert all(SessionMessage.matches(wire) for wire in WIRES)


@pytest.mark.parametrize("case", IDS, ids=lambda case: case["input"]["id"])
def test_a_new_session_id_travels_alone(case: dict[str, Any]) -> None:
    assert encode_session_id(case["input"]["id"]).hex() == case["hex"]
    assert decode_session_id(bytes.fromhex(case["hex"])) == case["input"]["id"]


@settings(max_examples=300)
@given(st.sampled_from(WIRES), st.data())
def test_any_byte_changed_gives_a_message_or_the_error(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = SessionMessage.decode(bytes(changed))
    except ProtocolError:
        return
    assert SessionMessage.decode(message.encode()) == message


@given(st.integers(-(2**31), 2**31 - 1), st.binary(max_size=300), st.text(max_size=40))
def test_every_message_comes_back(event: int, session: bytes, text: str) -> None:
    message = SessionMessage(event, text, session, text, text, 5)
    assert SessionMessage.decode(message.encode()) == message
    assert SessionMessage(EVT_SESSION_DELTA, None, None, None, None) == SessionMessage.decode(
        SessionMessage(EVT_SESSION_DELTA, None, None, None, None).encode()
    )


def test_the_version_of_a_change_costs_eighteen_bytes_and_java_reads_none_of_them() -> None:
    delta, version = b"what Java reads", bytes(16)
    assert len(delta + stamp(version)) - len(delta) == 18
    assert stamp_of(delta + stamp(version)) == (version,)
