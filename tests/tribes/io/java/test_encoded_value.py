from __future__ import annotations

import pytest
from hypothesis import given, settings

from catalina.tribes.io.java import NULL, EncodedValue, ObjectInputStream, OpaqueValue, decode_value, encode_value
from tests.tribes.io.java.values import STREAMS, allow_here, encoded_values


def test_a_value_is_the_same_at_the_first_handle() -> None:
    value = encode_value([1, 2])
    assert value.fixups
    assert value.at_handle(0) is value.data


def test_references_move_with_the_value() -> None:
    value = encode_value([1, 2])
    moved = value.at_handle(7)
    changed = [at for at in range(len(moved)) if moved[at] != value.data[at]]
    assert changed == [at + 3 for at in value.fixups]
    assert all(moved[at] == value.data[at] + 7 for at in changed)


def test_equal_values_have_equal_encodings() -> None:
    assert encode_value({"a": [1, 2]}) == encode_value({"a": [1, 2]})
    assert encode_value({"a": [1, 2]}) != encode_value({"a": [1, 3]})


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (1, "java.lang.Integer"),
        ("x", "java.lang.String"),
        ("x" * 70000, "java.lang.String"),
        ([], "java.util.ArrayList"),
        (b"", "[B"),
        ((), "[B"),
    ],
)
def test_the_class_is_told_without_decoding(value: object, name: str) -> None:
    assert encode_value(value).class_name == name


@pytest.mark.parametrize("data", [b"", b"\x73", b"\x73\x71\0\x7e\0\0", b"\x73\x72\0", b"nonsense"])
def test_the_class_of_bytes_that_are_no_value_is_a_question_mark(data: bytes) -> None:
    assert EncodedValue(data, 0).class_name == "?"


@settings(max_examples=50)
@given(encoded_values, encoded_values)
def test_two_values_in_one_stream_come_out_as_they_went_in(first: EncodedValue, second: EncodedValue) -> None:
    data = first.to_stream() + second.at_handle(first.handles)
    stream = ObjectInputStream(data)
    assert stream.read_encoded() == first
    assert stream.read_encoded() == second
    assert stream.at_end


def test_an_opaque_value_is_told_by_its_class_and_goes_on_as_it_came() -> None:
    encoded = ObjectInputStream(dict(STREAMS)["bean"]).read_encoded()
    value = decode_value(encoded, allow_here)
    assert isinstance(value, OpaqueValue)
    assert "Values$Point" in repr(value)
    assert encode_value(value) == encoded
    assert value == decode_value(encoded)
    assert len({value, decode_value(encoded)}) == 1


def test_null_takes_no_handle() -> None:
    assert NULL.handles == 0
    assert NULL.to_stream() == bytes.fromhex("aced000570")
    assert repr(NULL) == "EncodedValue(null, 1 bytes)"
