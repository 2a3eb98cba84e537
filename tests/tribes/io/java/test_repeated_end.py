from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import dumps
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.object_form import ObjectForm, ObjectSink
from catalina.tribes.io.java.repeated_end import RepeatedEnd

FORM = ObjectForm(describe("Change", 1, fields="I kind, [B diff, [B key, [B map, Ljava/lang/String; owner, [B value"))


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
