from __future__ import annotations

import collections
import types
from typing import Any

import pytest

from catalina.tribes.io.java import EncodedValue, OpaqueValue, decode_value, encode_value
from catalina.tribes.io.java.python_values import state_of
from tests.tribes.io.java import values
from tests.tribes.io.java.values import ONE_OF_EACH, Cart, Colour, Money, Right, Slotted, Stack, allow_here


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=repr)
def test_each_kind_of_python_value_comes_back(value: Any) -> None:
    back = decode_value(encode_value({"key": value}), allow_here)["key"]
    assert type(back) is type(value)
    assert back == value or repr(back) == repr(value)


def test_what_equality_does_not_show_comes_back_too() -> None:
    back = decode_value(encode_value(collections.deque([1], maxlen=5)))
    assert back.maxlen == 5
    back = decode_value(encode_value(collections.defaultdict(list, {"a": [1]})))
    assert back["new"] == []
    back = decode_value(encode_value(collections.OrderedDict([("z", 1), ("a", 2)])))
    assert list(back) == ["z", "a"]
    fold = next(value for value in ONE_OF_EACH if getattr(value, "fold", 0))
    assert decode_value(encode_value(fold)).fold == 1


def test_a_namespace_comes_back() -> None:
    assert decode_value(encode_value(types.SimpleNamespace(a=1))) == types.SimpleNamespace(a=1)


def test_slots_and_attributes_come_back() -> None:
    value = Slotted()
    value.shown, value.more = 1, 2
    back = decode_value(encode_value(value), allow_here)
    assert (back.shown, back.more) == (1, 2)
    assert not hasattr(back, "_hidden")


def test_a_list_subclass_is_filled_without_its_constructor() -> None:
    value = Stack.__new__(Stack)
    value.extend([1, [2]])
    value.note = "x"  # type: ignore[attr-defined]
    back = decode_value(encode_value(value), allow_here)
    assert type(back) is Stack
    assert list(back) == [1, [2]]
    assert back.note == "x"


def test_an_enum_member_is_the_member_itself() -> None:
    assert decode_value(encode_value(Colour.RED), allow_here) is Colour.RED
    assert decode_value(encode_value(Right.READ | Right.RUN), allow_here) == Right.READ | Right.RUN


def changed(encoded: EncodedValue, old: bytes, new: bytes) -> EncodedValue:
    assert old in encoded.data
    assert len(old) == len(new)
    return encoded._replace(data=encoded.data.replace(old, new))


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        (Colour.RED, b"RED", b"RAD"),
        (Cart("x"), b":Cart", b":Name"),  # a plain object that is a str here
        (values.Name("x"), b":Name", b":Cart"),  # a str that is a plain object here
        (Cart("x"), b":Cart", b":Nope"),
        ((1,), b"tuple", b"tuplo"),
        (complex(1, 2), b"\x77\x10", b"\x77\x0f"),
        (Money(values.decimal.Decimal(1), "EUR"), b":Money", b":Point"),
        (frozenset({1}), b"frozenset", b"bytearray"),
    ],
)
def test_what_does_not_fit_this_nodes_classes_stays_opaque(value: Any, old: bytes, new: bytes) -> None:
    broken = changed(encode_value(value), old, new)
    assert isinstance(decode_value(broken, allow_here), OpaqueValue)


def test_an_attribute_that_the_class_has_no_place_for_is_left_out() -> None:
    encoded = changed(encode_value(Money(values.decimal.Decimal(1), "EUR")), b"currency", b"currancy")
    back = decode_value(encoded, allow_here)
    assert back.amount == 1
    assert not hasattr(back, "currency")


def test_a_default_factory_that_is_not_allowed_keeps_the_whole_opaque() -> None:
    value = collections.defaultdict(Cart, {"a": 1})
    assert isinstance(decode_value(encode_value(value)), OpaqueValue)
    assert decode_value(encode_value(value), allow_here).default_factory is Cart


def test_the_state_of_an_instance_is_read_without_its_code() -> None:
    value = Slotted()
    value.shown, value.more = 1, 2
    assert sorted(state_of(value)) == [1, 2]
    assert state_of(values.strict(a=5)) == [5]
