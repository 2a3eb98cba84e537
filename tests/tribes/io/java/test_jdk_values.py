from __future__ import annotations

import datetime
import decimal
import math
import uuid
from typing import Any

import pytest

from catalina.tribes.io.java import EncodedValue, JavaArray, JavaEnum, JavaObject, OpaqueValue, decode_value, loads
from catalina.tribes.io.java.descriptors import (
    BIG_DECIMAL,
    BIG_INTEGER,
    HASH_MAP,
    HASH_SET,
    LONG,
    UUID,
    byte_array,
    integer,
    new_object,
    string,
)
from catalina.tribes.io.java.grammar import I32
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, Node
from tests.tribes.io.java.values import STREAMS, array_list

BY_NAME: dict[str, list[bytes]] = {}
for case_name, stream in STREAMS:
    BY_NAME.setdefault(case_name, []).append(stream)

MIXED = ["one", 2, "one", None, True, 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("null", None),
        ("short", 0),
        ("byte", 0),
        ("boolean", True),
        ("char", "A"),
        ("double", 0.0),
        ("string", ""),
        ("int[]", [1, -2, 106]),
        ("long[]", [1, -2]),
        ("short[]", [1, -2]),
        ("char[]", "ab\u20ac"),
        ("boolean[]", [True, False]),
        ("float[]", [1.5, -2.0]),
        ("double[]", [1.5, -2.0]),
        ("String[]", ["x", None, "x"]),
        ("Object[]", [1, "two", None]),
        ("int[][]", [[1], [2, 3]]),
        ("ArrayList", MIXED),
        ("LinkedList", MIXED),
        ("Vector", MIXED),
        ("Stack", ["s"]),
        ("ArrayDeque", ["a", 1]),
        ("CopyOnWriteArrayList", ["a"]),
        ("Arrays.asList", ["a", "b"]),
        ("List.of", ["a", "b", "c"]),
        ("Set.of", {"a"}),
        ("Map.of", {"k": 1}),
        ("Collections.emptyList", []),
        ("Collections.emptyMap", {}),
        ("Collections.emptySet", set()),
        ("Collections.singletonList", ["a"]),
        ("Collections.singleton", {"a"}),
        ("Collections.singletonMap", {"k": "v"}),
        ("Collections.unmodifiableList", ["a"]),
        ("Collections.unmodifiableMap", {"k": "v"}),
        ("Collections.unmodifiableSet", {"a"}),
        ("Collections.synchronizedList", ["a"]),
        ("Collections.synchronizedMap", {"k": "v"}),
        ("HashMap", {"k1": 1, "k2": "v", "k3": None}),
        ("LinkedHashMap", {"k1": 1, "k2": "v", "k3": None}),
        ("TreeMap", {"k1": 1, "k2": "v"}),
        ("TreeMap reverse", {"k1": 1, "k2": "v"}),
        ("Hashtable", {"k1": 1, "k2": "v"}),
        ("ConcurrentHashMap", {"k1": 1, "k2": "v"}),
        ("Properties", {"a": "b"}),
        ("HashSet", {"a", 1}),
        ("LinkedHashSet", {"a", "b"}),
        ("TreeSet", {"a", "b"}),
        ("Date", datetime.datetime(2023, 1, 31, 21, 30, 52, 350000, datetime.UTC)),
        ("Timestamp", datetime.datetime(2023, 1, 31, 21, 30, 52, 123456, datetime.UTC)),
        ("BigInteger", 0),
        ("BigDecimal", decimal.Decimal(0)),
        ("UUID", uuid.UUID("75c10454-458a-c96a-b108-c47f85ddd940")),
    ],
)
def test_a_java_value_has_its_python_counterpart(name: str, value: object) -> None:
    back = loads(BY_NAME[name][0])
    assert back == value
    assert type(back) is type(value)


def test_insertion_order_is_kept() -> None:
    assert list(loads(BY_NAME["TreeMap reverse"][0])) == ["k2", "k1"]


def test_big_numbers_are_exact() -> None:
    assert loads(BY_NAME["BigInteger"][7]) == 123456789012345678901234567890
    assert str(loads(BY_NAME["BigDecimal"][4])) == "123456789012345678901234567890.123456789"
    assert any(math.isnan(loads(stream)) for stream in BY_NAME["double"])


@pytest.mark.parametrize(
    "name",
    ["PriorityQueue", "IdentityHashMap", "EnumMap", "BitSet", "sql.Date", "Locale", "AtomicInteger", "StringBuilder",
     "bean", "bean with writeObject", "externalizable bean", "exception", "dynamic proxy", "lambda", "Period", "enum"],
)  # fmt: skip
def test_a_class_without_counterpart_is_a_node(name: str) -> None:
    assert isinstance(loads(BY_NAME[name][0]), (JavaObject, JavaEnum))


def decode(node: Node) -> Any:
    return decode_value(encode_node(node))


def a_map(*nodes: Node) -> JavaObject:
    node = new_object(HASH_MAP, loadFactor=0.75, threshold=12)
    node.data[-1].annotation = [BlockData(bytes(4) + I32.pack(len(nodes) // 2)), *nodes]
    return node


def a_set(*nodes: Node) -> JavaObject:
    node = new_object(HASH_SET)
    node.data[-1].annotation = [BlockData(bytes(12)), *nodes]
    return node


def big(sign: int, magnitude: bytes) -> JavaObject:
    rest = dict.fromkeys(("bitCount", "bitLength", "firstNonzeroByteNum", "lowestSetBit"), 0)
    node = new_object(BIG_INTEGER, **rest, signum=sign, magnitude=byte_array(magnitude))
    node.data[-1].annotation = []
    return node


def a_decimal(unscaled: Node) -> JavaObject:
    node = new_object(BIG_DECIMAL, scale=2, intVal=unscaled)
    node.data[-1].annotation = []
    return node


@pytest.mark.parametrize(
    "node",
    [
        a_map(integer(1), string("a"), new_object(LONG, value=1), string("b")),  # 1 and 1L are one key in Python
        a_map(string("a")),
        a_map(array_list([]), string("a")),  # a list has no hash
        a_set(integer(1), new_object(LONG, value=1)),
        a_set(a_map()),
        big(0, b"\x01"),
        big(2, b"\x01"),
        a_decimal(string("1")),
        a_decimal(big(1, bytes([1]) * 5000)),
        a_decimal(None),
    ],
)
def test_what_python_cannot_hold_stays_opaque(node: Node) -> None:
    assert isinstance(decode(node), OpaqueValue)
    assert decode(array_list([string("x"), node]))[0] == "x"


def test_a_uuid_has_all_its_bits() -> None:
    node = new_object(UUID, leastSigBits=-1, mostSigBits=1)
    assert decode(node) == uuid.UUID(int=(1 << 64) | 0xFFFFFFFFFFFFFFFF)


def test_an_array_field_of_the_wrong_kind_is_opaque() -> None:
    node = loads(BY_NAME["StringBuilder"][0])
    assert isinstance(node, JavaObject)
    assert isinstance(node.annotation()[1], JavaArray)
    assert isinstance(decode_value(EncodedValue(encode_node(node).data, 0)), OpaqueValue)
