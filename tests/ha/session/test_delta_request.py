from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import (
    ACTION_REMOVE,
    ACTION_SET,
    TYPE_ATTRIBUTE,
    TYPE_AUTHTYPE,
    TYPE_ISNEW,
    TYPE_LISTENER,
    TYPE_MAXINTERVAL,
    TYPE_PRINCIPAL,
    DeltaAction,
    DeltaRequest,
    _read_any,
    _read_one,
    _read_usual,
    fixed_action,
    serialize,
)
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java import EncodedValue, ObjectOutputStream, decode_value, dumps, encode_value
from tests.ha.session.deltas import attribute, note
from tests.tribes.io.java.values import encoded_values
from tests.tribes.wire import cases

CASES = cases("delta_requests")
WIRES = [bytes.fromhex(case["hex"]) for case in CASES]
#: Java's values of one request share objects and descriptors; ours stand alone.
SHARING = ("same name twice", "recordAllActions", "shared strings", "fifteen values")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_delta_is_read_with_its_actions(case: dict[str, Any]) -> None:
    delta = DeltaRequest.decode(bytes.fromhex(case["hex"]))
    assert delta.session_id == case["id"]
    assert delta.record_all_actions is bool(case["record_all"])
    if case["actions"]:
        assert [list(action[:3]) for action in delta.actions] == case["actions"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_delta_is_written_to_the_byte_unless_its_values_share_objects(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    delta = DeltaRequest.decode(wire)
    if case["name"].startswith(SHARING):
        assert DeltaRequest.decode(serialize(*delta)).actions == delta.actions
    else:
        assert serialize(*delta) == wire


def captured(name: str) -> DeltaRequest:
    return DeltaRequest.decode(next(bytes.fromhex(case["hex"]) for case in CASES if case["name"].startswith(name)))


def test_values_that_share_objects_are_cut_out_whole() -> None:
    values = [decode_value(action.value) for action in captured("shared strings").actions if action.value]
    assert len(values) == 4
    assert len(captured("fifteen values").actions) == 15


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        (
            "new true",
            [fixed_action(TYPE_ISNEW, encode_value(True)), fixed_action(TYPE_MAXINTERVAL, encode_value(1800))],
        ),
        ("auth type FORM", [fixed_action(TYPE_AUTHTYPE, encode_value("FORM"))]),
        ("auth type null", [fixed_action(TYPE_AUTHTYPE, None)]),
        ("principal joe", [fixed_action(TYPE_PRINCIPAL, SerializablePrincipal("joe", ("a", "b")).encode())]),
        ("principal null", [fixed_action(TYPE_PRINCIPAL, None)]),
        ("note set and removed", [note("n", encode_value("v")), note("m", None)]),
        ("remove attribute", [attribute("gone", None)]),
        ("empty", []),
    ],
)
def test_each_kind_of_change_is_written_as_java_writes_it(name: str, actions: list[DeltaAction]) -> None:
    wire = next(bytes.fromhex(case["hex"]) for case in CASES if case["name"].startswith(name))
    assert serialize("4F78BA5EE6AB23E141EED4B6B3C8002A", False, actions) == wire


def test_listeners_are_kept_and_sent_on() -> None:
    actions = captured("listener added").actions
    assert {action.type for action in actions} == {TYPE_LISTENER}
    for action in actions:
        assert DeltaRequest.decode(serialize("s", False, [action])).actions == [action]


def test_all_actions_come_in_order() -> None:
    actions = [attribute("a", encode_value(1)), attribute("a", None), attribute("a", encode_value(2))]
    again = DeltaRequest.decode(serialize("s", True, actions))
    assert again == ("s", True, actions)
    assert [action.action for action in again.actions] == [ACTION_SET, ACTION_REMOVE, ACTION_SET]


def shifted(actions: list[DeltaAction], *, cut: int) -> bytes:
    """The delta with its block data in blocks of so many bytes."""
    out = ObjectOutputStream()

    def write(data: bytes) -> None:
        for start in range(0, len(data), cut):
            out.write_bytes(data[start : start + cut])
            out.flush()

    write(b"\0\1s" + b"\0" + len(actions).to_bytes(4, "big"))
    for kind, action, name, value in actions:
        text = name.encode()
        write(kind.to_bytes(4, "big") + action.to_bytes(4, "big") + len(text).to_bytes(2, "big") + text)
        write(b"\0" if value is None else b"\1")
        if value is not None:
            out.write_encoded(value)
    return out.getvalue()


@pytest.mark.parametrize("cut", [1, 2, 7, 300])
def test_block_data_may_be_cut_anywhere(cut: int) -> None:
    actions = [attribute("a", encode_value([1])), attribute("b" * 299, None), attribute("c", encode_value("x"))]
    assert DeltaRequest.decode(shifted(actions, cut=cut)).actions == actions


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_value_where_none_is_said_to_stand_is_the_documented_error(at: int) -> None:
    pieces = [b"\0\1s\0\0\0\0\1", b"\0\0\0\0\0\0\0\1", b"\0\1n\0"]
    out = ObjectOutputStream()
    for number, piece in enumerate(pieces):
        if number == at:
            out.write_encoded(encode_value(1))
        out.write_bytes(piece)
    with pytest.raises(ProtocolError):
        DeltaRequest.decode(out.getvalue())


def test_bytes_behind_the_last_action_are_ignored() -> None:
    for behind in (b"whatever", b"w", b"\x77\5", b"\x72\x72", b"Pv" + bytes(16)):
        assert DeltaRequest.decode(WIRES[1] + behind) == DeltaRequest.decode(WIRES[1])


def test_a_count_that_is_not_true_is_the_documented_error() -> None:
    for count in (2, 2**31 - 1, -1):
        out = ObjectOutputStream()
        out.write_utf("s")
        out.write_boolean(False)
        out.write_int(count)
        with pytest.raises(ProtocolError):
            DeltaRequest.decode(out.getvalue())


@pytest.mark.parametrize("data", [b"", b"\xac\xed\0\x05", dumps(1), b"nonsense"])
def test_what_is_no_delta_is_the_documented_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        DeltaRequest.decode(data)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.text(max_size=10), encoded_values, max_size=5))
def test_every_delta_comes_back(attributes: dict[str, EncodedValue]) -> None:
    actions = [DeltaAction(TYPE_ATTRIBUTE, ACTION_SET, name, value) for name, value in attributes.items()]
    assert DeltaRequest.decode(serialize("session", False, actions)).actions == actions


ONE = serialize("S.n1", False, [attribute("count", encode_value(7))])


@settings(max_examples=300)
@given(st.sampled_from([*WIRES, ONE, ONE + b"Pv" + bytes(16)]), st.data())
def test_the_reader_of_one_action_finds_what_the_others_find(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    found = _read_one(bytes(changed))
    assert found is None or found == (_read_usual(bytes(changed)) or _read_any(bytes(changed)))


def test_the_reader_of_one_action_reads_what_most_requests_send() -> None:
    assert _read_one(ONE) == DeltaRequest("S.n1", False, [attribute("count", encode_value(7))])


@settings(max_examples=300)
@given(st.sampled_from(WIRES), st.data())
def test_any_byte_changed_gives_a_delta_or_the_error(wire: bytes, data: st.DataObject) -> None:
    changed = bytearray(wire)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        delta = DeltaRequest.decode(bytes(changed))
    except ProtocolError:
        return
    assert DeltaRequest.decode(serialize(*delta)).actions == delta.actions
