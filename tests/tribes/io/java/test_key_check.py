from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import ipaddress
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import EncodedValue, OpaqueValue, decode_value, encode_value
from catalina.tribes.io.java.descriptors import (
    HASH_SET,
    LINKED_HASH_MAP,
    UUID,
    integer,
    new_object,
)
from catalina.tribes.io.java.key_check import MAX_SAME_HASH, KeyCheck, KeyRefusedError, KeyWork, why_no_key
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, Node
from catalina.tribes.io.java.value_writer import ValueWriter
from tests.support.work import assert_linear
from tests.tribes.io.java import values
from tests.tribes.io.java.values import Cart, Colour, Money, Name, Point, Right, Slotted, allow_here

#: Numbers whose difference is a multiple of this have the same hash.
MODULUS = 2**61 - 1


class Code(enum.StrEnum):
    A = "a"


@dataclass(frozen=True)
class Noted:
    name: str
    notes: list[str] = field(compare=False)


@dataclass(frozen=True)
class Computed:
    a: int

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("ran")


class Hashing:
    def __hash__(self) -> int:
        raise AssertionError("__hash__ ran")


class Comparing:
    def __eq__(self, other: object) -> bool:
        raise AssertionError("__eq__ ran")

    __hash__ = object.__hash__


class Reading:
    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("__getattribute__ ran")


@pytest.mark.parametrize(
    "key",
    [
        "text", b"bytes", 1, 2**200, 1.5, True, None, (1, ("a", 2.5)), frozenset({1, (2,)}), range(3),
        decimal.Decimal("1.5"), uuid.UUID(int=1), datetime.date(2026, 1, 1),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        datetime.timedelta(1), Point(1, 2), Name("joe"), Colour.RED, Right.READ | Right.RUN, Code.A,
        Money(decimal.Decimal(1), "EUR"), Noted("a", ["b"]), Slotted(), fractions.Fraction(1, 3),
        ipaddress.ip_network("10.0.0.0/8"),
    ],
    ids=lambda key: type(key).__name__,
)  # fmt: skip
def test_what_hashes_without_code_of_a_class_is_a_key(key: Any) -> None:
    assert KeyCheck(KeyWork(0)).admit(key) is key


@pytest.mark.parametrize(
    ("cls", "why"),
    [(Hashing, "__hash__"), (Comparing, "__eq__"), (Reading, "__getattribute__"), (Computed, "__hash__"),
     (Cart, "no hash"), (list, "no hash")],
)  # fmt: skip
def test_what_would_run_code_of_its_class_is_none(cls: Any, why: str) -> None:
    assert why in why_no_key(cls)
    with pytest.raises(KeyRefusedError, match=cls.__name__):
        KeyCheck(KeyWork(0)).admit((1, cls.__new__(cls)))


@pytest.mark.parametrize("make", [lambda key: {key: 1}, lambda key: {key}, lambda key: frozenset({key}),
                                  lambda key: {(1, key): 1}])  # fmt: skip
def test_a_key_that_another_node_would_not_take_is_refused_where_it_is_set(make: Callable[[Any], Any]) -> None:
    class Quiet:
        def __hash__(self) -> int:
            return 1

    Quiet.__qualname__, Quiet.__module__ = "Quiet", values.__name__
    values.Quiet = Quiet  # type: ignore[attr-defined]
    try:
        with pytest.raises(NotReplicableError, match=r"(?s)^cart.*it is a key.*Quiet.*__hash__"):
            encode_value(make(Quiet()), "cart")
    finally:
        del values.Quiet  # type: ignore[attr-defined]


def hostile_encode(value: Any) -> EncodedValue:
    """As a node without our checks would write it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ValueWriter, "_check_keys", lambda self, keys: None)
        return encode_value(value)


def test_keys_that_collide_are_refused_where_they_are_set() -> None:
    with pytest.raises(NotReplicableError, match=r"cart.*same hash"):
        encode_value(dict.fromkeys(colliding("tuple", MAX_SAME_HASH + 1)), "cart")


def colliding(kind: str, count: int) -> list[Any]:
    """Keys that all have one hash."""
    match kind:
        case "int":
            return [index * MODULUS + 1 for index in range(9, count + 9)]
        case "uuid":
            return [uuid.UUID(int=index * MODULUS + 1) for index in range(count)]
        case "decimal":
            return [decimal.Decimal(index * MODULUS + 1) for index in range(9, count + 9)]
        case "fraction":
            return [fractions.Fraction(index * MODULUS + 1) for index in range(9, count + 9)]
        case "complex":
            return [complex(-1000003.0 * index, index) for index in range(1, count + 1)]
        case "tuple":
            return [("a", index * MODULUS) for index in range(count)]
        case "point":
            return [Point(1, index * MODULUS) for index in range(count)]
        case "money":
            return [Money(decimal.Decimal(index * MODULUS), "EUR") for index in range(1, count + 1)]
        case "frozenset":
            return [frozenset({index * MODULUS}) for index in range(1, count + 1)]
    raise AssertionError(kind)


KINDS = ["int", "uuid", "decimal", "fraction", "complex", "tuple", "point", "money", "frozenset"]


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_collide_are_counted(kind: str) -> None:
    keys = colliding(kind, MAX_SAME_HASH + 1)
    assert len({hash(key) for key in keys}) == 1, "the test's own keys"
    few, many = set(keys[:-1]), set(keys)
    assert decode_value(encode_value(few), allow_here) == few
    back = decode_value(hostile_encode(many), allow_here)
    assert isinstance(back, OpaqueValue)
    assert "keys with the same hash" in back.why


@pytest.mark.parametrize("kind", KINDS)
def test_maps_with_colliding_keys_cost_linear_work(kind: str) -> None:
    def make(size: int) -> Callable[[], object]:
        encoded = hostile_encode(dict.fromkeys(colliding(kind, size)))
        return lambda: decode_value(encoded, allow_here)

    assert_linear(make, 100)


def test_the_hashes_of_one_value_are_bounded_together() -> None:
    big = tuple(range(5000))
    keys = [(big, index) for index in range(1000)]
    back = decode_value(hostile_encode(dict.fromkeys(keys)))
    assert isinstance(back, OpaqueValue)
    assert "keys of more than" in back.why
    with pytest.raises(NotReplicableError, match="keys of more than"):
        encode_value(dict.fromkeys(keys))


def _uuid(number: int) -> Node:
    return new_object(UUID, leastSigBits=_signed(number & 2**64 - 1), mostSigBits=_signed(number >> 64))


def _signed(bits: int) -> int:
    return bits - 2**64 if bits >= 2**63 else bits


def test_a_java_map_with_colliding_keys_stays_opaque() -> None:
    node = new_object(LINKED_HASH_MAP, accessOrder=False)
    node.data[0].fields.update(loadFactor=0.75, threshold=12)
    pairs: list[Node | BlockData] = [BlockData(bytes(8))]
    for index in range(100):
        pairs += [_uuid(index * MODULUS + 7), integer(index)]
    node.data[0].annotation = pairs
    back = decode_value(encode_node(node))
    assert isinstance(back, OpaqueValue)
    assert back.class_name == "java.util.LinkedHashMap"


def test_a_java_set_with_colliding_elements_stays_opaque() -> None:
    node = new_object(HASH_SET)
    node.data[0].annotation = [BlockData(bytes(12)), *[_uuid(index * MODULUS) for index in range(100)]]
    assert isinstance(decode_value(encode_node(node)), OpaqueValue)
