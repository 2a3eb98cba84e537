from __future__ import annotations

import timeit

import pytest
from hypothesis import given, settings

from catalina.tribes.io.java import EncodedValue, JavaString, decode_value, encode_value, loads
from tests.tribes.io.java.values import STREAMS, Cart, allow_here, values

BY_NAME: dict[str, list[bytes]] = {}
for case_name, stream in STREAMS:
    BY_NAME.setdefault(case_name, []).append(stream)


@pytest.mark.parametrize(
    "name",
    ["null", "int", "long", "boolean", "double", "string", "byte[]", "BigInteger", "BigDecimal", "UUID", "Instant",
     "LocalTime", "LocalDate", "LocalDateTime", "Duration", "ZonedDateTime", "ArrayList", "ArrayList nested",
     "HashMap"],
)  # fmt: skip
def test_a_value_with_a_java_counterpart_decodes_to_what_java_wrote(name: str) -> None:
    for stream in BY_NAME[name]:
        value = loads(stream)
        assert decode_value(encode_value(value)) == value or value != value


@pytest.mark.parametrize(
    "name",
    ["null", "int", "boolean", "double", "string", "byte[]", "UUID", "LocalDate", "LocalDateTime", "ZonedDateTime"],
)
def test_simple_values_are_written_to_the_byte_as_java_writes_them(name: str) -> None:
    for stream in BY_NAME[name]:
        assert encode_value(loads(stream)).to_stream() == stream


def test_objects_that_know_each_other_come_back_so() -> None:
    cart = Cart("joe")
    item = Cart("item", [cart])
    cart.items.append(item)
    back = decode_value(encode_value(cart), allow_here)
    assert back.items[0].items[0] is back


def test_an_encoded_value_and_a_node_are_taken_as_they_are() -> None:
    encoded = encode_value([1, [2]])
    assert encode_value(encoded) is encoded
    assert decode_value(encode_value(["x", encoded, encoded])) == ["x", [1, [2]], [1, [2]]]
    assert decode_value(encode_value([JavaString("node")])) == ["node"]


@settings(max_examples=300, deadline=None)
@given(values)
def test_every_value_comes_back(value: object) -> None:
    back = decode_value(encode_value(value), allow_here)
    assert back == value
    assert type(back) is type(value)


@settings(max_examples=100, deadline=None)
@given(values)
def test_encoding_what_came_back_gives_the_same_bytes_unless_a_set_is_in_it(value: object) -> None:
    encoded = encode_value(value)
    again = encode_value(decode_value(encoded, allow_here))
    assert len(again.data) == len(encoded.data)
    assert isinstance(again, EncodedValue)


def test_a_number_is_encoded_in_a_few_microseconds() -> None:
    seconds = min(timeit.repeat(lambda: encode_value(5), number=1000, repeat=5)) / 1000
    assert seconds < 20e-6  # measured 0.5 us; the bound is for a busy machine
