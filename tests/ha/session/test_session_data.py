from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_data import SessionData, decode_sessions, encode_sessions
from catalina.tribes.io.java import ObjectInputStream, decode_value, dumps, encode_value
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.node_writer import NodeWriter, write_block
from tests.tribes.io.java.values import encoded_values
from tests.tribes.wire import cases

CASES = cases("sessions")
WIRES = [bytes.fromhex(case["hex"]) for case in CASES]
FIELDS = {
    "id": "id",
    "creationTime": "creation_time_ms",
    "lastAccessedTime": "last_accessed_time_ms",
    "maxInactiveInterval": "max_inactive_interval",
    "isNew": "is_new",
    "isValid": "is_valid",
    "thisAccessedTime": "this_accessed_time_ms",
    "version": "version",
}


def captured(start: str) -> list[SessionData]:
    return list(decode_sessions(next(bytes.fromhex(case["hex"]) for case in CASES if case["name"].startswith(start))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_captured_sessions_are_read_with_all_their_fields(case: dict[str, Any]) -> None:
    sessions = list(decode_sessions(bytes.fromhex(case["hex"])))
    assert len(sessions) == len(case["sessions"])
    for session, expected in zip(sessions, case["sessions"], strict=True):
        assert {name: getattr(session, field) for name, field in FIELDS.items()} == {
            name: expected[name] for name in FIELDS
        }
        assert set(expected["attributes"]) <= set(session.attributes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_was_read_comes_back_when_it_is_written(case: dict[str, Any]) -> None:
    sessions = list(decode_sessions(bytes.fromhex(case["hex"])))
    assert list(decode_sessions(encode_sessions(sessions))) == sessions


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_captured_blocks_are_written_again_to_the_byte_by_their_nodes(case: dict[str, Any]) -> None:
    if case["name"].startswith("attribute 'hold'"):
        return  # ends in an aborted write, which nobody writes on purpose
    wire = bytes.fromhex(case["hex"])
    stream = ObjectInputStream(wire)
    writer = NodeWriter(bytearray(STREAM_HEADER))
    while stream.position < len(wire):
        if wire[stream.position] == 0x77:
            write_block(writer.out, stream.read_bytes(wire[stream.position + 1]))
        else:
            writer.write_node(stream.read_node())
    assert bytes(writer.out) == wire


def test_an_empty_block_and_a_session_without_attributes_are_written_to_the_byte() -> None:
    for start in ("no sessions", "one session, 0 attributes"):
        wire = next(bytes.fromhex(case["hex"]) for case in CASES if case["name"].startswith(start))
        sessions = list(decode_sessions(wire))
        assert len(encode_sessions(sessions)) >= len(wire)
        assert list(decode_sessions(encode_sessions(sessions))) == sessions
    assert encode_sessions([]) == dumps(0)


def test_the_principal_comes_with_the_session() -> None:
    (session,) = captured("principal joe")
    assert session.principal is not None
    assert SerializablePrincipal.decode(session.principal) == SerializablePrincipal("joe", ("a", "b"))


def test_the_notes_of_a_form_login_are_kept_as_they_came() -> None:
    (session,) = captured("note of the expected session id")
    assert session.expected_session_id is not None
    assert decode_value(session.expected_session_id) == session.id
    (session,) = captured("note of a saved request")
    assert session.saved_request is not None
    assert session.saved_request.class_name == "org.apache.catalina.authenticator.SavedRequest"


def test_a_listener_is_kept_as_it_came() -> None:
    (session,) = captured("cluster single sign on listener")
    assert [value.class_name for value in session.listeners] == [
        "org.apache.catalina.ha.authenticator.ClusterSingleSignOnListener"
    ]


def test_an_attribute_that_its_writer_gave_up_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    (session,) = captured("attribute 'hold'")
    assert "hold" not in session.attributes
    assert decode_value(session.attributes["good"]) == "g"
    assert "hold" in caplog.text


def test_classes_of_a_java_application_are_kept_as_they_came() -> None:
    (session,) = captured("application classes")
    assert {value.class_name for value in session.attributes.values()} == {
        "Values$SubCart",
        "Values$Ext",
        "Values$Colour",
    }


def test_a_session_of_a_node_without_notes_is_read() -> None:
    (session,) = captured("one session, 0 attributes")
    with_notes = encode_sessions([session])
    text = b"\x74\x00\x20" + session.id.encode()
    assert text + b"\x70\x70" in with_notes
    assert list(decode_sessions(with_notes.replace(text + b"\x70\x70", text))) == [session]


def test_sessions_read_before_a_broken_one_are_whole() -> None:
    sessions = [SessionData(f"id{number}", attributes={"n": encode_value(number)}) for number in range(5)]
    wire = encode_sessions(sessions)
    broken = wire[: wire.index(b"id3") - 3]
    reader = decode_sessions(broken)
    assert [next(reader) for _ in range(3)] == sessions[:3]
    with pytest.raises(ProtocolError):
        next(reader)


def many(count: int) -> list[SessionData]:
    return [
        SessionData(
            f"{number:032X}",
            1_700_000_000_000 + number,
            1_700_000_001_000,
            1800,
            number % 2 == 0,
            True,
            1_700_000_002_000,
            number,
            SerializablePrincipal("joe").encode() if number % 3 == 0 else None,
            attributes={
                "text": encode_value("x" * 900),
                "number": encode_value(number),
                "list": encode_value([number, "a"]),
            },
        )
        for number in range(count)
    ]


def test_many_sessions_come_back() -> None:
    sessions = many(300)
    assert list(decode_sessions(encode_sessions(sessions))) == sessions


def test_twenty_thousand_sessions_take_seconds_not_minutes() -> None:
    sessions = many(20_000)
    started = time.monotonic()
    wire = encode_sessions(sessions)
    count = sum(1 for _ in decode_sessions(wire))
    assert count == 20_000
    assert time.monotonic() - started < 15  # measured 1.2 s; the bound is for a busy machine


@pytest.mark.parametrize("data", [b"", dumps("x"), dumps(1), dumps([1]), b"\xac\xed\0\x05"])
def test_what_is_no_block_is_the_documented_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(decode_sessions(data))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=10), encoded_values, max_size=3), max_size=4))
def test_every_block_comes_back(contents: list[dict[str, Any]]) -> None:
    sessions = [SessionData(f"s{number}", attributes=attributes) for number, attributes in enumerate(contents)]
    assert list(decode_sessions(encode_sessions(sessions))) == sessions


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*WIRES, encode_sessions(many(3))]), st.data())
def test_any_byte_changed_gives_sessions_or_the_error(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        for session in decode_sessions(bytes(changed)):
            assert isinstance(session.id, str)
    except ProtocolError:
        pass
