"""Converts objects of the JDK's classes that have a counterpart in Python: one function for each, and their table."""

from __future__ import annotations

import datetime
import decimal
import struct
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from catalina.errors import ProtocolError
from catalina.tribes.io.java import java_time
from catalina.tribes.io.java.grammar import I32, I64
from catalina.tribes.io.java.nodes import BlockData, JavaArray, JavaObject, Node

if TYPE_CHECKING:
    from catalina.tribes.io.java.key_check import NodeConverter

__all__ = ["CONVERTERS", "numbers"]

#: Larger unscaled values stay opaque, because turning them into digits would take disproportionate time.
MAX_DECIMAL_BYTES = 4096

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def numbers(kind: str, size: int, data: bytes) -> list[Any]:
    """The elements of an array of primitives."""
    code = {"D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}[kind]
    return list(struct.unpack(f">{len(data) // size}{code}", data))


def _refuse(node: JavaObject, what: str) -> ProtocolError:
    return ProtocolError(f"{node.class_name} without {what}")


def _field(_: NodeConverter, node: JavaObject) -> object:
    value = node.get("value")
    if not isinstance(value, (int, float, str)):
        raise _refuse(node, "a value")
    return value


def _annotation(node: JavaObject, class_name: str) -> tuple[bytes, list[Node]]:
    """The block data and objects that a class wrote itself."""
    contents = node.annotation(class_name)
    block = b"".join([item for item in contents if isinstance(item, BlockData)])
    return block, [item for item in contents if not isinstance(item, BlockData)]


def _children(converter: NodeConverter, owner: JavaObject, target: list[Any], nodes: Iterable[Node]) -> list[Any]:
    converter.begin(owner, target)
    target.extend([converter.convert(node) for node in nodes])
    return target


def _array_field(node: JavaObject, name: str) -> list[Node]:
    array = node.get(name)
    if not isinstance(array, JavaArray) or not isinstance(array.values, list):
        raise _refuse(node, f"an array {name}")
    return array.values


def _listed(class_name: str) -> Callable[[NodeConverter, JavaObject], list[Any]]:
    """A list whose class wrote its elements one after another."""

    def convert(converter: NodeConverter, node: JavaObject) -> list[Any]:
        return _children(converter, node, [], _annotation(node, class_name)[1])

    return convert


def _vector(converter: NodeConverter, node: JavaObject) -> list[Any]:
    elements, count = _array_field(node, "elementData"), node.get("elementCount")
    if not isinstance(count, int) or not 0 <= count <= len(elements):
        raise _refuse(node, "as many elements as it says")
    return _children(converter, node, [], elements[:count])


def _arrays_list(converter: NodeConverter, node: JavaObject) -> list[Any]:
    return _children(converter, node, [], _array_field(node, "a"))


def _wrapped(field: str) -> Callable[[NodeConverter, JavaObject], Any]:
    """A view of another collection: unmodifiable, synchronized."""

    def convert(converter: NodeConverter, node: JavaObject) -> object:
        inner = node.get(field)
        if not isinstance(inner, JavaObject):
            raise _refuse(node, f"a collection {field}")
        return converter.convert(inner)

    return convert


def _fill_map(converter: NodeConverter, node: JavaObject, nodes: list[Node]) -> dict[Any, Any]:
    """Add the pairs in order; refuse keys that are one key in Python, such as 1 and 1L and true."""
    if len(nodes) % 2:
        raise _refuse(node, "a value for each key")
    result: dict[Any, Any] = converter.begin(node, {})
    convert, admit = converter.convert, converter.keys().admit
    for key_node, value_node in zip(nodes[::2], nodes[1::2], strict=True):
        key = admit(convert(key_node))
        result[key] = convert(value_node)
    if len(result) != len(nodes) // 2:
        raise _refuse(node, "keys that Python tells apart")
    return result


def _mapped(class_name: str, surplus: int = 0) -> Callable[[NodeConverter, JavaObject], dict[Any, Any]]:
    """A map whose class wrote its pairs one after another, and ``surplus`` objects behind them."""

    def convert(converter: NodeConverter, node: JavaObject) -> dict[Any, Any]:
        nodes = _annotation(node, class_name)[1]
        return _fill_map(converter, node, nodes[: len(nodes) - surplus])

    return convert


def _fill_set(converter: NodeConverter, node: JavaObject, nodes: list[Node]) -> set[Any]:
    result: set[Any] = converter.begin(node, set())
    admit = converter.keys().admit
    for item in nodes:
        result.add(admit(converter.convert(item)))
    if len(result) != len(nodes):
        raise _refuse(node, "elements that Python tells apart")
    return result


def _hash_set(converter: NodeConverter, node: JavaObject) -> set[Any]:
    return _fill_set(converter, node, _annotation(node, "java.util.HashSet")[1])


def _tree_set(converter: NodeConverter, node: JavaObject) -> set[Any]:
    # the first object is the comparator
    return _fill_set(converter, node, _annotation(node, "java.util.TreeSet")[1][1:])


def _immutable(converter: NodeConverter, node: JavaObject) -> object:
    """List.of, Set.of, Map.of."""
    nodes = _annotation(node, "java.util.CollSer")[1]
    match node.get("tag"):
        case 1 | 4:
            return _children(converter, node, [], nodes)
        case 2:
            return _fill_set(converter, node, nodes)
        case 3:
            return _fill_map(converter, node, nodes)
    raise _refuse(node, "a known tag")


def _object_field(node: JavaObject, name: str) -> Node:
    """A field that must hold an object. The reader itself guarantees that only primitive fields hold primitives."""
    value = node.get(name)
    if isinstance(value, (bool, int, float, str)):
        raise _refuse(node, f"an object {name}")
    return value


def _singleton_list(converter: NodeConverter, node: JavaObject) -> list[Any]:
    return _children(converter, node, [], [_object_field(node, "element")])


def _singleton_set(converter: NodeConverter, node: JavaObject) -> set[Any]:
    return _fill_set(converter, node, [_object_field(node, "element")])


def _singleton_map(converter: NodeConverter, node: JavaObject) -> dict[Any, Any]:
    return _fill_map(converter, node, [_object_field(node, "k"), _object_field(node, "v")])


def _big_integer(_: NodeConverter, node: JavaObject) -> int:
    sign, magnitude = node.get("signum"), node.get("magnitude")
    if not isinstance(magnitude, JavaArray) or not isinstance(magnitude.values, bytes) or not isinstance(sign, int):
        raise _refuse(node, "sign and magnitude")
    value = int.from_bytes(magnitude.values, "big")
    if sign not in (-1, 0, 1) or (sign == 0) != (value == 0):
        raise _refuse(node, "a sign that fits its magnitude")
    return sign * value


def _big_decimal(converter: NodeConverter, node: JavaObject) -> decimal.Decimal:
    scale, unscaled = node.get("scale"), node.get("intVal")
    if not isinstance(scale, int) or not isinstance(unscaled, JavaObject):
        raise _refuse(node, "scale and value")
    value = converter.convert(unscaled)
    if type(value) is not int or value.bit_length() > MAX_DECIMAL_BYTES * 8:
        raise _refuse(node, f"a value of at most {MAX_DECIMAL_BYTES} bytes")
    digits = decimal.Decimal(value).as_tuple()
    return decimal.Decimal((digits.sign, digits.digits, -scale))


def _uuid(_: NodeConverter, node: JavaObject) -> uuid.UUID:
    high, low = node.get("mostSigBits"), node.get("leastSigBits")
    if not isinstance(high, int) or not isinstance(low, int):
        raise _refuse(node, "its bits")
    return uuid.UUID(int=(high & 2**64 - 1) << 64 | (low & 2**64 - 1))


def _date(_: NodeConverter, node: JavaObject) -> datetime.datetime:
    block = _annotation(node, "java.util.Date")[0]
    if len(block) != I64.size:
        raise _refuse(node, "8 bytes of milliseconds")
    return _EPOCH + datetime.timedelta(milliseconds=I64.unpack(block)[0])


def _timestamp(converter: NodeConverter, node: JavaObject) -> datetime.datetime:
    nanos = node.get("nanos")
    if not isinstance(nanos, int) or not 0 <= nanos < 10**9:
        raise _refuse(node, "nanos")
    return _date(converter, node).replace(microsecond=nanos // 1000)


def _java_time(_: NodeConverter, node: JavaObject) -> object:
    block = _annotation(node, "java.time.Ser")[0]
    value = java_time.from_ser(block)
    if value is None:
        raise _refuse(node, f"a counterpart in Python (type {I32.unpack(block[:1].rjust(4, bytes(1)))[0]})")
    return value


def _empty(kind: type) -> Callable[[NodeConverter, JavaObject], Any]:

    def convert(_: NodeConverter, __: JavaObject) -> object:
        return kind()

    return convert


_LANG = "java.lang."
_UTIL = "java.util."
_COLLECTIONS = "java.util.Collections$"

#: Class name -> how to convert it. A class that is not here stays opaque.
CONVERTERS: dict[str, Callable[[NodeConverter, JavaObject], Any]] = {
    **{
        _LANG + name: _field for name in ("Boolean", "Byte", "Character", "Double", "Float", "Integer", "Long", "Short")
    },
    **{
        name: _listed(name)
        for name in (
            _UTIL + "ArrayList",
            _UTIL + "LinkedList",
            _UTIL + "ArrayDeque",
            _UTIL + "concurrent.CopyOnWriteArrayList",
        )
    },
    _UTIL + "Vector": _vector,
    _UTIL + "Stack": _vector,
    _UTIL + "Arrays$ArrayList": _arrays_list,
    _UTIL + "HashMap": _mapped(_UTIL + "HashMap"),
    _UTIL + "LinkedHashMap": _mapped(_UTIL + "HashMap"),
    _UTIL + "TreeMap": _mapped(_UTIL + "TreeMap"),
    _UTIL + "Hashtable": _mapped(_UTIL + "Hashtable"),
    _UTIL + "Properties": _mapped(_UTIL + "Hashtable"),
    _UTIL + "concurrent.ConcurrentHashMap": _mapped(_UTIL + "concurrent.ConcurrentHashMap", surplus=2),
    _UTIL + "HashSet": _hash_set,
    _UTIL + "LinkedHashSet": _hash_set,
    _UTIL + "TreeSet": _tree_set,
    _UTIL + "CollSer": _immutable,
    _COLLECTIONS + "EmptyList": _empty(list),
    _COLLECTIONS + "EmptyMap": _empty(dict),
    _COLLECTIONS + "EmptySet": _empty(set),
    _COLLECTIONS + "SingletonList": _singleton_list,
    _COLLECTIONS + "SingletonSet": _singleton_set,
    _COLLECTIONS + "SingletonMap": _singleton_map,
    **{
        _COLLECTIONS + wrapper + name: _wrapped("m" if name == "Map" else "c")
        for wrapper in ("Unmodifiable", "Synchronized")
        for name in ("Collection", "List", "RandomAccessList", "Set", "Map")
    },
    "java.math.BigInteger": _big_integer,
    "java.math.BigDecimal": _big_decimal,
    _UTIL + "UUID": _uuid,
    _UTIL + "Date": _date,
    "java.sql.Timestamp": _timestamp,
    "java.time.Ser": _java_time,
}
