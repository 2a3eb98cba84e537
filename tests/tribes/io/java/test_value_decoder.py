from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import (
    EncodedValue,
    JavaObject,
    Limits,
    ObjectInputStream,
    OpaqueValue,
    decode_value,
    dumps,
    encode_value,
    loads,
    stream_class_name,
    value_decoder,
)
from catalina.tribes.io.java.descriptors import integer, new_object, string
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc
from tests.support.narrowing import of_type
from tests.tribes.io.java.values import STREAMS, Cart, allow_here, array_list, encoded_values, strict

BY_NAME = dict(STREAMS)


def cut(name: str) -> EncodedValue:
    return ObjectInputStream(BY_NAME[name]).read_encoded()


def test_a_class_without_counterpart_stays_opaque_inside_of_what_has_one() -> None:
    value = loads(BY_NAME["bean array"])
    assert [type(item) for item in value] == [OpaqueValue, OpaqueValue]
    assert value[0].class_name == "Values$Point"
    again = decode_value(encode_value(value))
    assert again == value


def test_a_whole_stream_of_an_unknown_class_gives_its_node() -> None:
    node = loads(BY_NAME["bean"])
    assert isinstance(node, JavaObject)
    assert node.class_name == "Values$Point"


def test_a_class_that_is_not_allowed_stays_bytes_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    value_decoder._reported.clear()
    encoded = encode_value(strict(a=1))
    with caplog.at_level(logging.INFO):
        first = decode_value(encoded)
        second = decode_value(encoded)
    assert isinstance(first, OpaqueValue)
    assert first == second
    assert first.class_name == "tests.tribes.io.java.values.Strict"
    assert first.encoded == encoded
    assert caplog.text.count("Strict") == 1


def test_the_outermost_python_value_stays_opaque_with_all_inside() -> None:
    value = decode_value(encode_value({"ok": 1, "not": ("x", Cart("joe"))}))
    assert value["ok"] == 1
    assert isinstance(value["not"], OpaqueValue)


def test_no_code_of_a_class_runs_when_it_is_decoded() -> None:
    back = decode_value(encode_value(strict(a=[1])), allow_here)
    assert vars(back) == {"a": [1]}


def test_decoding_again_makes_another_value() -> None:
    encoded = encode_value([[1]])
    assert decode_value(encoded) is not decode_value(encoded)


def test_bytes_behind_the_value_are_refused() -> None:
    with pytest.raises(ProtocolError, match="expected one object"):
        decode_value(EncodedValue(encode_value([1]).data + b"\x70", 4))


def test_a_key_that_would_take_for_ever_to_hash_is_not_hashed() -> None:
    key: object = "x"
    for _ in range(60):
        key = (key, key)
    value = decode_value(encode_value({"a": [key]}))
    assert isinstance(value["a"][0], tuple)
    inner = encode_value(("x", "x"))
    assert decode_value(inner) == ("x", "x")
    bomb = encode_value(key)
    node = encode_node(array_list([]))
    assert node.handles == 2
    as_key = decode_value(_map_with_key(bomb))
    assert isinstance(as_key, OpaqueValue)
    assert "parts" in as_key.why


def _map_with_key(key: EncodedValue) -> EncodedValue:
    """A LinkedHashMap with one pair, written without hashing its key in this process."""
    plain = encode_value({"k": 1})
    at = plain.data.index(b"\x74\0\x01k")
    head, tail = plain.data[:at], plain.data[at + 4 :]
    moved = key.at_handle(3)
    return EncodedValue(head + moved + tail, plain.handles - 1 + key.handles)


def test_an_expansion_bomb_stays_opaque() -> None:
    big = new_object(of_type(ClassDesc, integer(1).desc), value=1)
    unknown = ObjectInputStream(BY_NAME["bean"]).read_node()
    assert isinstance(unknown, JavaObject)
    unknown.desc.name = "Unknown" * 100  # type: ignore[misc]
    node = array_list([unknown, big, string("x")] + [ObjectInputStream(BY_NAME["bean"]).read_node() for _ in range(50)])
    value = decode_value(encode_node(node), limits=Limits(expansion=2000))
    assert isinstance(value, OpaqueValue)
    assert "2000 bytes" in value.why


def test_a_text_that_is_not_modified_utf8_is_the_error() -> None:
    with pytest.raises(ProtocolError):
        decode_value(EncodedValue(b"\x74\0\x01\xff", 1))


def test_whole_streams_are_written_and_read() -> None:
    assert loads(dumps({"a": [1]})) == {"a": [1]}
    assert stream_class_name(dumps([1])) == "java.util.ArrayList"
    assert stream_class_name(b"GET /") == "?"


@settings(max_examples=300, deadline=None)
@given(encoded_values, st.data())
def test_a_value_with_any_byte_changed_decodes_or_is_opaque_or_the_error(
    encoded: EncodedValue, data: st.DataObject
) -> None:
    wire = bytearray(encoded.data)
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_value(EncodedValue(bytes(wire), 0), allow_here)
    except ProtocolError:
        pass


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STREAMS), st.data())
def test_a_captured_value_with_any_byte_changed_decodes_or_is_opaque_or_the_error(
    case: tuple[str, bytes], data: st.DataObject
) -> None:
    wire = bytearray(case[1])
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(4, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(wire))
    except ProtocolError:
        pass
