from __future__ import annotations

import collections
import decimal
import enum
import fractions
import gc
import ipaddress
import types
from collections.abc import Callable
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import EncodedValue, OpaqueValue, decode_value, encode_value, python_values
from catalina.tribes.io.java.descriptors import BYTE_ARRAY, LINKED_HASH_MAP, integer, new_object
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.instance_state import state_of
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, JavaArray, JavaObject, JavaString, Node
from catalina.tribes.io.java.python_form import MARK, PYTHON_OBJECT
from tests.tribes.io.java import values
from tests.tribes.io.java.values import ONE_OF_EACH, Cart, Colour, Money, Right, Slotted, Stack, allow_here, array_list


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
    value.note = "x"
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
        (Money(decimal.Decimal(1), "EUR"), b":Money", b":Point"),
        (frozenset({1}), b"frozenset", b"bytearray"),
    ],
)
def test_what_does_not_fit_this_nodes_classes_stays_opaque(value: Any, old: bytes, new: bytes) -> None:
    broken = changed(encode_value(value), old, new)
    assert isinstance(decode_value(broken, allow_here), OpaqueValue)


def test_an_attribute_that_the_class_has_no_place_for_is_left_out() -> None:
    encoded = changed(encode_value(Money(decimal.Decimal(1), "EUR")), b"currency", b"currancy")
    back = decode_value(encoded, allow_here)
    assert back.amount == 1
    assert not hasattr(back, "currency")


def test_a_default_factory_that_would_run_code_is_refused_where_it_is_set() -> None:
    made: Any = Cart
    with pytest.raises(NotReplicableError, match="default_factory"):
        encode_value(collections.defaultdict(made, {"a": 1}))
    with pytest.raises(NotReplicableError, match="default_factory"):
        encode_value(collections.defaultdict(lambda: 1))


def test_a_default_factory_of_the_application_is_not_taken_from_elsewhere() -> None:
    encoded = changed(
        encode_value(collections.defaultdict(collections.deque)), b"collections:deque", b"aaaaaaaaaaa:Audit"
    )
    assert isinstance(decode_value(encoded, lambda name: True), OpaqueValue)


class Gadget:
    """An application's class of which every method fails, with what a foreign state could make it do."""

    def __init__(self) -> None:
        raise AssertionError("__init__ ran")

    def __new__(cls) -> Gadget:
        raise AssertionError("__new__ ran")

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"__getattribute__ ran for {name}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError("__setattr__ ran")

    def __iter__(self) -> Any:
        raise AssertionError("__iter__ ran")

    def __len__(self) -> int:
        raise AssertionError("__len__ ran")

    def __bool__(self) -> bool:
        raise AssertionError("__bool__ ran")

    def __index__(self) -> int:
        raise AssertionError("__index__ ran")

    def __int__(self) -> int:
        raise AssertionError("__int__ ran")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("__eq__ ran")

    def __hash__(self) -> int:
        raise AssertionError("__hash__ ran")

    def __repr__(self) -> str:
        raise AssertionError("__repr__ ran")

    def __getstate__(self) -> dict[str, object]:
        raise AssertionError("__getstate__ ran")

    @property
    def price(self) -> int:
        raise AssertionError("a getter ran")

    @price.setter
    def price(self, value: int) -> None:
        raise AssertionError("a setter ran")


def _allow_all(name: str) -> bool:
    return True


def python_object(kind: str, *parts: Node | BlockData) -> JavaObject:
    node = new_object(PYTHON_OBJECT)
    name = kind.encode()
    node.data[-1].annotation = [BlockData(len(name).to_bytes(2, "big") + name), *parts]
    return node


def marked(node: Node) -> EncodedValue:
    return encode_node(JavaArray(BYTE_ARRAY, MARK + STREAM_HEADER + encode_node(node).data))


def _map(**attributes: Node) -> JavaObject:
    node = new_object(LINKED_HASH_MAP, accessOrder=False)
    node.data[0].fields.update(loadFactor=0.75, threshold=12)
    pairs: list[Node | BlockData] = [BlockData(bytes(8))]
    for name, value in attributes.items():
        pairs += [JavaString(name), value]
    node.data[0].annotation = pairs
    return node


def gadget() -> JavaObject:
    return python_object("object", JavaString(f"{__name__}:Gadget"), _map(price=integer(5), key=JavaString("state")))


def _named(name: str) -> JavaString:
    return JavaString(f"{values.__name__}:{name}")


#: A gadget in every place where something could be asked of it.
PLACES: dict[str, Callable[[], Node]] = {
    "itself": gadget,
    "tuple": lambda: python_object("tuple", BlockData(bytes(4)), gadget()),
    "frozenset": lambda: python_object("frozenset", BlockData(bytes(4)), gadget()),
    "key in a tuple": lambda: python_object(
        "frozenset", BlockData(bytes(4)), python_object("tuple", BlockData(bytes(4)), gadget())
    ),
    "range": lambda: python_object("range", gadget(), integer(1), integer(1)),
    "deque": lambda: python_object("deque", gadget(), integer(1)),
    "defaultdict": lambda: python_object("defaultdict", None, gadget()),
    "factory": lambda: python_object("defaultdict", JavaString(f"{__name__}:Gadget"), _map()),
    "namespace": lambda: python_object("namespace", gadget()),
    "state": lambda: python_object("object", _named("Cart"), gadget()),
    "list subclass": lambda: python_object("subclass", _named("Stack"), gadget(), _map()),
    "tuple subclass": lambda: python_object("subclass", _named("Point"), gadget(), _map()),
    "str subclass": lambda: python_object("subclass", _named("Name"), gadget(), _map()),
    "counter": lambda: python_object("subclass", JavaString("collections:Counter"), gadget(), _map()),
    "ordered": lambda: python_object("subclass", JavaString("collections:OrderedDict"), gadget(), _map()),
    "enum": lambda: python_object("enum", _named("Right"), None, gadget()),
    "fraction": lambda: python_object(
        "frozenset",
        BlockData(bytes(4)),
        python_object("object", JavaString("fractions:Fraction"), _map(_numerator=integer(1), _denominator=gadget())),
    ),
    "address": lambda: python_object(
        "frozenset",
        BlockData(bytes(4)),
        python_object("object", JavaString("ipaddress:IPv4Address"), _map(_ip=gadget())),
    ),
    "network": lambda: python_object(
        "frozenset",
        BlockData(bytes(4)),
        python_object("object", JavaString("ipaddress:IPv4Network"), _map(network_address=gadget(), netmask=gadget())),
    ),
    "list": lambda: array_list([gadget()]),
    "map value": lambda: _map(a=gadget()),
    "decimal": lambda: python_object("decimal", gadget()),
    "complex": lambda: python_object("complex", gadget()),
    "datetime": lambda: python_object("datetime", gadget()),
    "bytes": lambda: python_object("bytes", gadget()),
    "unknown kind": lambda: python_object("surprise", gadget()),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_code_of_a_class_runs_wherever_its_instance_stands(place: str) -> None:
    value = decode_value(marked(PLACES[place]()), _allow_all)
    assert type(value) in (OpaqueValue, Gadget, tuple, list, dict)
    gc.collect()


def test_an_instance_that_is_decoded_has_the_state_that_came() -> None:
    value = decode_value(marked(gadget()), _allow_all)
    assert type(value) is Gadget
    assert state_of(value) == {"price": 5, "key": "state"}


class Upload:
    def __del__(self) -> None:
        raise AssertionError("__del__ ran")


def test_a_class_with_a_finalizer_is_never_made_and_never_sent() -> None:
    node = python_object("object", JavaString(f"{__name__}:Upload"), _map(path=JavaString("/etc/passwd")))
    value = decode_value(marked(node), _allow_all)
    assert isinstance(value, OpaqueValue)
    assert "__del__" in value.why
    del value
    gc.collect()
    with pytest.raises(NotReplicableError, match="__del__"):
        encode_value(object.__new__(type("Upload", (Upload,), {"__del__": lambda self: None})))


class Access(enum.Flag):
    READ = 1
    WRITE = 2

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise AssertionError("_missing_ ran")


class Wide(enum.IntFlag):
    A, B, C, D, E, F, G, H, I, J = (2**bit for bit in range(10))  # noqa: E741


def _flags(cls: type, bits: int) -> Any:
    name = JavaString(f"{__name__}:{cls.__name__}")
    return decode_value(marked(python_object("enum", name, None, integer(bits))), _allow_all)


def test_a_combination_of_flags_is_made_by_enum_and_not_by_the_class() -> None:
    assert _flags(Wide, 5) == Wide(5)
    assert _flags(Access, 2) is Access.WRITE
    assert isinstance(_flags(Access, 3), OpaqueValue)
    assert isinstance(_flags(Access, 0), OpaqueValue)
    assert isinstance(_flags(Wide, 2**20), OpaqueValue)
    assert isinstance(_flags(Wide, -1), OpaqueValue)


def test_the_combinations_of_flags_that_strangers_make_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_values, "MAX_FLAG_MEMBERS", len(Wide._value2member_map_) + 2)
    assert [type(_flags(Wide, bits)) for bits in (1000, 1001, 1002)] == [Wide, Wide, OpaqueValue]
    assert _flags(Wide, 1000) == Wide(1000)


@pytest.mark.parametrize(
    "value",
    [
        fractions.Fraction(-3, 7),
        ipaddress.ip_address("10.0.0.1"),
        ipaddress.ip_address("fe80::1%eth0"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("2001:db8::/32"),
        ipaddress.ip_interface("10.0.0.1/8"),
        ipaddress.ip_interface("fe80::1%eth0/64"),
    ],
    ids=repr,
)
def test_numbers_and_addresses_of_the_standard_library_are_made_anew(value: Any) -> None:
    assert decode_value(encode_value(value)) == value
    assert decode_value(encode_value({value: [value]})) == {value: [value]}


def test_a_decimal_of_many_digits_is_refused_where_it_is_set() -> None:
    assert decode_value(encode_value(decimal.Decimal("9" * 4300))) == decimal.Decimal("9" * 4300)
    with pytest.raises(NotReplicableError, match="4300 digits"):
        encode_value(decimal.Decimal("9" * 4301))


@pytest.mark.parametrize("name", ["../../etc/passwd", "a.b/c", "/etc/localtime", "Europe/", "x" * 50, "Europe/Nowhere"])
def test_a_zone_s_name_is_a_name_and_no_path(name: str) -> None:
    text = f"datetime 0 2026-01-01T00:00:00 {name}".encode()
    node = new_object(PYTHON_OBJECT)
    node.data[-1].annotation = [BlockData(b"\0\x08datetime" + len(text).to_bytes(2, "big") + text)]
    assert isinstance(decode_value(marked(node)), OpaqueValue)
