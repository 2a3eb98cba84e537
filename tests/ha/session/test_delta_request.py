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
    TYPE_NOTE,
    TYPE_PRINCIPAL,
    DeltaAction,
    DeltaRequest,
)
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java import EncodedValue, ObjectOutputStream, decode_value, dumps, encode_value
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
        assert DeltaRequest.decode(delta.serialize()).actions == delta.actions
    else:
        assert delta.serialize() == wire


def captured(name: str) -> DeltaRequest:
    return DeltaRequest.decode(next(bytes.fromhex(case["hex"]) for case in CASES if case["name"].startswith(name)))


def test_values_that_share_objects_are_cut_out_whole() -> None:
    values = [decode_value(action.value) for action in captured("shared strings").actions if action.value]
    assert len(values) == 4
    assert len(captured("fifteen values")) == 15


def ours() -> DeltaRequest:
    return DeltaRequest("4F78BA5EE6AB23E141EED4B6B3C8002A")


def test_each_kind_of_change_is_written_as_java_writes_it() -> None:
    delta = ours()
    delta.set_new(True)
    delta.set_max_inactive_interval(1800)
    assert delta.serialize() == captured("new true").serialize()
    delta = ours()
    delta.set_auth_type("FORM")
    assert delta.serialize() == captured("auth type FORM").serialize()
    delta = ours()
    delta.set_auth_type(None)
    assert delta.serialize() == captured("auth type null").serialize()
    delta = ours()
    delta.set_principal(SerializablePrincipal("joe", ("a", "b")).encode())
    assert delta.serialize() == captured("principal joe").serialize()
    delta = ours()
    delta.set_principal(None)
    assert delta.serialize() == captured("principal null").serialize()
    delta = ours()
    delta.set_note("n", encode_value("v"))
    delta.remove_note("m")
    assert delta.serialize() == captured("note set and removed").serialize()
    delta = ours()
    delta.remove_attribute("gone")
    assert delta.serialize() == captured("remove attribute").serialize()
    assert ours().serialize() == captured("empty").serialize()


def test_listeners_are_kept_and_sent_on() -> None:
    for action in captured("listener added").actions:
        assert action.type == TYPE_LISTENER
        assert action.value is not None
        delta = ours()
        if action.action == ACTION_SET:
            delta.add_session_listener(action.value)
        else:
            delta.remove_session_listener(action.value)
        assert DeltaRequest.decode(delta.serialize()).actions == [action]


def test_a_name_that_is_set_again_moves_to_the_end() -> None:
    delta = DeltaRequest("s")
    delta.set_attribute("a", encode_value(1))
    delta.set_attribute("b", encode_value(2))
    delta.set_attribute("a", encode_value(3))
    assert [(action.name, action.plain) for action in delta.actions] == [("b", 2), ("a", 3)]


def test_one_name_is_one_action_whatever_its_type() -> None:
    delta = DeltaRequest("s")
    delta.set_attribute("a", encode_value(1))
    delta.set_note("a", encode_value(2))
    assert [action.type for action in delta.actions] == [TYPE_NOTE]


def test_all_actions_are_kept_in_order_when_asked_to() -> None:
    delta = DeltaRequest("s", record_all_actions=True)
    delta.set_attribute("a", encode_value(1))
    delta.remove_attribute("a")
    delta.set_attribute("a", encode_value(2))
    again = DeltaRequest.decode(delta.serialize())
    assert [action.action for action in again.actions] == [ACTION_SET, ACTION_REMOVE, ACTION_SET]
    assert len(again) == 3


def test_nothing_is_left_after_a_reset() -> None:
    delta = captured("fifteen values")
    delta.reset()
    assert len(delta) == 0
    assert delta.actions == []


@pytest.mark.parametrize(
    ("value", "plain"), [(True, True), (1800, 1800), ("FORM", "FORM"), ([1], None), (1.5, None), (None, None)]
)
def test_the_value_of_a_fixed_action_is_plain_or_ignored(value: object, plain: object) -> None:
    assert DeltaAction(TYPE_ISNEW, ACTION_SET, "x", encode_value(value)).plain == plain


def test_an_action_without_value_has_none() -> None:
    assert DeltaAction(TYPE_AUTHTYPE, ACTION_REMOVE, "x").plain is None
    assert DeltaAction(TYPE_PRINCIPAL, ACTION_SET, "x", SerializablePrincipal("joe").encode()).plain is None


def test_a_timeout_that_java_cannot_read_is_refused() -> None:
    delta = DeltaRequest("s")
    delta.set_max_inactive_interval(-1)
    assert delta.actions[0].type == TYPE_MAXINTERVAL
    with pytest.raises(ValueError, match="32 bits"):
        delta.set_max_inactive_interval(2**31)


def test_bytes_behind_the_last_action_are_ignored() -> None:
    assert DeltaRequest.decode(WIRES[1] + b"whatever").serialize() == WIRES[1]


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
    delta = DeltaRequest("session")
    for name, value in attributes.items():
        delta.set_attribute(name, value)
    again = DeltaRequest.decode(delta.serialize())
    assert again.actions == [DeltaAction(TYPE_ATTRIBUTE, ACTION_SET, name, value) for name, value in attributes.items()]


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
    assert DeltaRequest.decode(delta.serialize()).actions == delta.actions
