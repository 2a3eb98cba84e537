"""Python values -> Java objects, encoded once and kept as bytes.

What has a Java counterpart becomes it, so that a Java node of the group reads it: str String, bool Boolean, int
Integer, Long or BigInteger by size, float Double, bytes byte[], list ArrayList, dict LinkedHashMap, set HashSet,
Decimal BigDecimal, UUID UUID, datetime Instant (UTC), OffsetDateTime, ZonedDateTime (zoneinfo) or LocalDateTime
(naive), date, time and timedelta the classes of java.time. Everything else that can be taken apart without running its
code goes by ``python_form``.

An object that occurs twice, or inside itself, is written once and referred to. Where Java's form and Python's share an
object, the whole value takes Python's form, or the two copies would part.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import struct
import types
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import descriptors, java_time
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue, OpaqueValue, reference
from catalina.tribes.io.java.grammar import (
    DEFAULT_LIMITS,
    I32,
    I64,
    STREAM_HEADER,
    TC_BLOCKDATA,
    TC_ENDBLOCKDATA,
    TC_OBJECT,
    U16,
)
from catalina.tribes.io.java.modified_utf8 import encode_modified_utf8
from catalina.tribes.io.java.node_writer import NodeWriter, encode_node, write_block
from catalina.tribes.io.java.nodes import ClassDesc, JavaArray, JavaClass, JavaEnum, JavaObject, JavaString
from catalina.tribes.io.java.python_classes import base_of, class_reference
from catalina.tribes.io.java.python_form import MARK, PYTHON_OBJECT

__all__ = ["encode_value"]

#: Below what the reader accepts, so that every node can read it inside of whatever carries it.
MAX_DEPTH = DEFAULT_LIMITS.depth - 10

_F64 = struct.Struct(">d")
#: HashMap: load factor, threshold, then block data of two ints: buckets and size.
_MAP_HEAD = struct.Struct(">fiBBii")
#: HashSet: block data of buckets, load factor and size.
_SET_HEAD = struct.Struct(">BBifi")

_INTEGER_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.INTEGER).data
_LONG_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.LONG).data
_DOUBLE_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.DOUBLE).data
_BOOLEAN_HEAD = bytes((TC_OBJECT,)) + encode_node(descriptors.BOOLEAN).data
_BYTES_HEAD = b"\x75" + encode_node(descriptors.BYTE_ARRAY).data
#: How the first object of a class begins, and how many handles that takes; later ones refer to its descriptor.
_FIRST_HEADS = {
    desc: (bytes((TC_OBJECT,)) + encoded.data, encoded.handles)
    for desc, encoded in (
        (desc, encode_node(desc))
        for desc in (
            descriptors.ARRAY_LIST,
            descriptors.BOOLEAN,
            descriptors.DOUBLE,
            descriptors.HASH_SET,
            descriptors.INTEGER,
            descriptors.LINKED_HASH_MAP,
            descriptors.LONG,
            descriptors.TIME_SER,
            PYTHON_OBJECT,
        )
    )
}
_TRUE = EncodedValue(_BOOLEAN_HEAD + b"\x01", 2)
_FALSE = EncodedValue(_BOOLEAN_HEAD + b"\x00", 2)


def encode_value(value: object, path: str = "value") -> EncodedValue:
    """Encode a value of an application.

    Args:
        path: how the error names the value, such as the attribute's name.

    Raises:
        NotReplicableError: it, or a part of it, cannot travel; the error names the part.
    """
    kind = type(value)
    if kind is str:
        return _encode_str(value)  # type: ignore[arg-type]  # kind is its type
    if kind is int and -0x80000000 <= value <= 0x7FFFFFFF:  # type: ignore[operator]
        return EncodedValue(_INTEGER_HEAD + I32.pack(value), 3)
    if value is None:
        return NULL
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is float:
        return EncodedValue(_DOUBLE_HEAD + _F64.pack(value), 3)
    if kind is bytes and not value.startswith(MARK):  # type: ignore[attr-defined]
        return EncodedValue(_BYTES_HEAD + I32.pack(len(value)) + value, 2)  # type: ignore[operator, arg-type]
    if kind is EncodedValue:
        return value  # type: ignore[return-value]
    return _encode_any(value, path)


def _encode_str(text: str) -> EncodedValue:
    data = encode_modified_utf8(text)
    if len(data) < 65536:
        return EncodedValue(b"\x74" + U16.pack(len(data)) + data, 1)
    return EncodedValue(b"\x7c" + I64.pack(len(data)) + data, 1)


def _encode_any(value: object, path: str) -> EncodedValue:
    try:
        try:
            encoder = _Encoder({})
            encoder.encode(value)
        except _SharedError:
            encoder = _Encoder({}, in_python=False)
            encoder.encode_in_python(value)
        return encoder.to_encoded()
    except _RefusedError as refused:
        where = path + "".join(reversed(refused.steps))
        raise NotReplicableError(where, refused.value, refused.why) from None


class _SharedError(Exception):
    """An object occurs inside of a marked array and outside of it."""


class _RefusedError(Exception):
    """A part of the value cannot travel; the steps to it come innermost first."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(why)
        self.value = value
        self.why = why
        self.steps: list[str] = []


class _Encoder:
    """Encodes one value, or the inside of one marked array.

    Args:
        places: which stream each object with an identity stands in, by id; one table for the whole value.
        in_python: whether this is the inside of a marked array.
        depth: how many objects are around it.
    """

    def __init__(self, places: dict[int, _Encoder], in_python: bool = False, depth: int = 0) -> None:
        self._nodes = NodeWriter()
        self._out = self._nodes.out
        self._fixups = self._nodes.fixups
        self._heads: dict[ClassDesc, bytes] = {}
        self._strings: dict[str, bytes] = {}
        self._objects: dict[int, int] = {}
        self._kept: list[object] = []
        self._places = places
        self._in_python = in_python
        self._depth = depth
        #: Tuples and the like that are being written: they cannot be inside themselves.
        self._open: set[int] = set()

    def to_encoded(self) -> EncodedValue:
        """What was encoded."""
        return EncodedValue(bytes(self._out), self._nodes.handles, tuple(self._fixups))

    def encode(self, value: Any) -> None:
        """Append one object."""
        method = _METHODS.get(type(value))
        if method is not None:
            method(self, value)
        elif isinstance(value, enum.Enum):
            self._enum(value)
        else:
            self._instance(value)

    # ---- pieces

    def _reference(self, handle_bytes: bytes) -> None:
        self._fixups.append(len(self._out) + 1)
        self._out += b"\x71" + handle_bytes

    def _head(self, desc: ClassDesc) -> None:
        """Begin an object of the class; its handle is taken by the caller."""
        head = self._heads.get(desc)
        if head is not None:
            self._fixups.append(len(self._out) + 2)
            self._out += head
            return
        first = _FIRST_HEADS.get(desc)
        if first is None or (desc.super_desc is descriptors.NUMBER and self._nodes.knows(descriptors.NUMBER)):
            self._out.append(TC_OBJECT)
            self._nodes.write_node(desc)
            self._heads[desc] = b"\x73\x71" + reference(self._nodes.handle_of(desc))
            return
        data, handles = first
        self._heads[desc] = b"\x73\x71" + reference(self._nodes.handles)
        self._nodes.handles += handles
        self._out += data
        if desc.super_desc is descriptors.NUMBER:
            self._nodes.know(descriptors.NUMBER, self._nodes.handles - 1)

    def _begin(self, value: object, desc: ClassDesc) -> bool:
        """Begin an object with an identity; False when a reference was all it took."""
        if self._is_known(value):
            return False
        self._enter(value)
        self._head(desc)
        self._take_handle(value)
        return True

    def _is_known(self, value: object) -> bool:
        handle = self._objects.get(id(value))
        if handle is None:
            return False
        if id(value) in self._open:
            raise _RefusedError(value, "it contains itself")
        self._reference(reference(handle))
        return True

    def _enter(self, value: object) -> None:
        """Note where the object stands, before anything of it is written."""
        place = self._places.setdefault(id(value), self)
        if place is not self:
            raise _SharedError
        self._kept.append(value)
        self._deeper(value)

    def _deeper(self, value: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _RefusedError(value, f"it is nested more than {MAX_DEPTH} deep")

    def _take_handle(self, value: object) -> None:
        self._objects[id(value)] = self._nodes.handles
        self._nodes.handles += 1

    def _leave(self) -> None:
        self._depth -= 1

    def _items(self, values: Iterable[object]) -> None:
        index = 0
        try:
            for value in values:
                self.encode(value)
                index += 1
        except _RefusedError as refused:
            refused.steps.append(f"[{index}]")
            raise

    def _pairs(self, values: dict[Any, Any], attributes: bool = False) -> None:
        encode = self.encode
        key: object = None
        try:
            for key, value in values.items():
                encode(key)
                encode(value)
        except _RefusedError as refused:
            refused.steps.append(f".{key}" if attributes else f"[{key!r:.60}]")
            raise

    # ---- values with a class of the JDK

    def _none(self, value: None) -> None:
        self._out += NULL.data

    def _bool(self, value: bool) -> None:
        self._head(descriptors.BOOLEAN)
        self._nodes.handles += 1
        self._out.append(1 if value else 0)

    def _int(self, value: int) -> None:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            self._head(descriptors.INTEGER)
            self._out += I32.pack(value)
        elif -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            self._head(descriptors.LONG)
            self._out += I64.pack(value)
        else:
            self._big_integer(value)
            return
        self._nodes.handles += 1

    def _big_integer(self, value: int) -> None:
        magnitude = abs(value)
        node = descriptors.new_object(
            descriptors.BIG_INTEGER,
            bitCount=-1,
            bitLength=-1,
            firstNonzeroByteNum=-2,
            lowestSetBit=-2,
            signum=(value > 0) - (value < 0),
            magnitude=descriptors.byte_array(magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")),
        )
        node.data[-1].annotation = []
        self._nodes.write_node(node)

    def _float(self, value: float) -> None:
        self._head(descriptors.DOUBLE)
        self._nodes.handles += 1
        self._out += _F64.pack(value)

    def _str(self, value: str) -> None:
        known = self._strings.get(value)
        if known is not None:
            self._reference(known)
            return
        encoded = _encode_str(value)
        self._strings[value] = reference(self._nodes.handles)
        self._nodes.handles += 1
        self._out += encoded.data

    def _bytes(self, value: bytes) -> None:
        if not value.startswith(MARK):
            self._byte_array(value)
        elif self._in_python:
            self._begin_python("bytes")
            self._byte_array(value)
            self._end_python()
        else:
            self.encode_in_python(value)

    def _byte_array(self, data: bytes) -> None:
        self._nodes.write_node(JavaArray(descriptors.BYTE_ARRAY, bytes(data)))

    def _list(self, value: list[object]) -> None:
        if self._begin(value, descriptors.ARRAY_LIST):
            size = I32.pack(len(value))
            self._out += size + b"\x77\x04" + size
            self._items(value)
            self._out.append(TC_ENDBLOCKDATA)
            self._leave()

    def _dict(self, value: dict[object, object]) -> None:
        if self._begin(value, descriptors.LINKED_HASH_MAP):
            self._map_data(value)
            self._leave()

    def _map_data(self, value: dict[Any, Any], attributes: bool = False) -> None:
        """The data of a LinkedHashMap: HashMap's load factor 0.75 and threshold, pairs, then accessOrder."""
        buckets = _buckets(len(value))
        self._out += _MAP_HEAD.pack(0.75, buckets * 3 // 4, TC_BLOCKDATA, 8, buckets, len(value))
        self._pairs(value, attributes)
        self._out += b"\x78\x00"

    def _set(self, value: set[object]) -> None:
        if self._begin(value, descriptors.HASH_SET):
            self._out += _SET_HEAD.pack(TC_BLOCKDATA, 12, _buckets(len(value)), 0.75, len(value))
            self._items(value)
            self._out.append(TC_ENDBLOCKDATA)
            self._leave()

    def _uuid(self, value: uuid.UUID) -> None:
        bits = value.int
        self._nodes.write_node(
            descriptors.new_object(
                descriptors.UUID,
                leastSigBits=_signed64(bits & 0xFFFFFFFFFFFFFFFF),
                mostSigBits=_signed64(bits >> 64),
            )
        )

    def _decimal(self, value: decimal.Decimal) -> None:
        sign, digits, exponent = value.as_tuple()
        unscaled = int("".join(map(str, digits)) or "0")
        if not isinstance(exponent, int) or (sign and not unscaled) or not -(2**31) < -exponent < 2**31:
            self._python("decimal", value, lambda: self._utf_block(str(value)))
            return
        self._head(descriptors.BIG_DECIMAL)
        self._nodes.handles += 1
        self._out += I32.pack(-exponent)
        self._big_integer(-unscaled if sign else unscaled)
        self._out.append(TC_ENDBLOCKDATA)

    def _time(self, value: datetime.date | datetime.time | datetime.timedelta) -> None:
        data = java_time.to_ser(value)
        if data is None:
            if not isinstance(value, (datetime.datetime, datetime.time)) or _has_unknown_zone(value):
                raise _RefusedError(value, "only zones of zoneinfo and fixed offsets can travel")
            self._python("datetime", value, lambda: self._datetime_text(value))
            return
        self._head(descriptors.TIME_SER)
        self._nodes.handles += 1
        write_block(self._out, data)
        self._out.append(TC_ENDBLOCKDATA)

    def _datetime_text(self, value: datetime.datetime | datetime.time) -> None:
        zone = value.tzinfo.key if isinstance(value.tzinfo, zoneinfo.ZoneInfo) else ""
        kind = "datetime" if isinstance(value, datetime.datetime) else "time"
        self._utf_block(f"{kind} {value.fold} {value.isoformat()} {zone}")

    def _opaque(self, value: OpaqueValue) -> None:
        self._splice(value.encoded)

    def _splice(self, encoded: EncodedValue) -> None:
        start = len(self._out)
        self._out += encoded.at_handle(self._nodes.handles)
        self._fixups.extend([start + offset for offset in encoded.fixups])
        self._nodes.handles += encoded.handles

    def _node(self, value: Any) -> None:
        self._splice(encode_node(value))

    # ---- values in Python's form

    def encode_in_python(self, value: object) -> None:
        """Append the marked array with the value."""
        inner = _Encoder(self._places, in_python=True, depth=self._depth + 1)
        inner.encode(value)
        self._kept.extend(inner._kept)
        self._byte_array(MARK + STREAM_HEADER + bytes(inner._out))

    def _python(self, kind: str, value: object, body: Callable[[], None]) -> None:
        """A value without parts that have an identity."""
        if not self._in_python:
            self.encode_in_python(value)
            return
        self._begin_python(kind)
        body()
        self._end_python()

    def _begin_python(self, kind: str, value: object = None) -> None:
        self._head(PYTHON_OBJECT)
        self._take_handle(value) if value is not None else self._skip_handle()
        self._utf_block(kind)

    def _skip_handle(self) -> None:
        self._nodes.handles += 1

    def _end_python(self) -> None:
        self._out.append(TC_ENDBLOCKDATA)

    def _utf_block(self, text: str) -> None:
        data = encode_modified_utf8(text)
        write_block(self._out, U16.pack(len(data)) + data)

    def _container(self, kind: str, value: Any, body: Callable[[], None], immutable: bool = False) -> None:
        """A value with an identity and parts."""
        if self._is_known(value):
            return
        if not self._in_python:
            self.encode_in_python(value)
            return
        self._enter(value)
        self._begin_python(kind, value)
        if immutable:
            self._open.add(id(value))
        body()
        self._open.discard(id(value))
        self._end_python()
        self._leave()

    def _tuple(self, value: tuple[object, ...]) -> None:
        self._container("tuple", value, lambda: self._counted(value), immutable=True)

    def _frozenset(self, value: frozenset[object]) -> None:
        self._container("frozenset", value, lambda: self._counted(value), immutable=True)

    def _counted(self, values: Any) -> None:
        write_block(self._out, I32.pack(len(values)))
        self._items(values)

    def _bytearray(self, value: bytearray) -> None:
        self._container("bytearray", value, lambda: self._byte_array(bytes(value)))

    def _complex(self, value: complex) -> None:
        self._python("complex", value, lambda: write_block(self._out, struct.pack(">dd", value.real, value.imag)))

    def _range(self, value: range) -> None:
        self._python("range", value, lambda: self._items((value.start, value.stop, value.step)))

    def _deque(self, value: collections.deque[object]) -> None:
        def body() -> None:
            self.encode(value.maxlen)
            self._counted(value)

        self._container("deque", value, body)

    def _defaultdict(self, value: collections.defaultdict[object, object]) -> None:
        factory: Any = value.default_factory
        if factory is not None and not (isinstance(factory, type) and class_reference(factory)):
            raise _RefusedError(value, f"its default_factory {factory!r} is not a class that can be named")

        def body() -> None:
            self.encode(None if factory is None else class_reference(factory))
            self._anonymous_map(dict(value))

        self._container("defaultdict", value, body)

    def _namespace(self, value: types.SimpleNamespace) -> None:
        self._container("namespace", value, lambda: self._anonymous_map(vars(value), attributes=True))

    def _anonymous_map(self, value: dict[Any, Any], attributes: bool = False) -> None:
        """A map without an identity of its own."""
        self._deeper(value)
        self._head(descriptors.LINKED_HASH_MAP)
        self._skip_handle()
        self._map_data(value, attributes)
        self._leave()

    def _class_name(self, value: object) -> str:
        name = class_reference(type(value))
        if name is None:
            raise _RefusedError(value, "its class cannot be found by its name")
        return name

    def _enum(self, value: enum.Enum) -> None:
        name = self._class_name(value)

        def body() -> None:
            self.encode(name)
            self.encode(value.name)
            self.encode(value.value if isinstance(value, enum.Flag) else None)

        self._python("enum", value, body)

    def _instance(self, value: object) -> None:
        base, why = base_of(type(value))
        if base is None:
            raise _RefusedError(value, why)
        name = self._class_name(value)
        state = _state_of(value)

        def body() -> None:
            self.encode(name)
            if base is not object:
                self._as_builtin(base, value)
            self._anonymous_map(state, attributes=True)

        kind = "object" if base is object else "subclass"
        self._container(kind, value, body, immutable=base in (tuple, frozenset))

    def _as_builtin(self, base: type, value: Any) -> None:
        """The value of a subclass as the builtin underneath, without its identity."""
        if base is collections.OrderedDict or base is dict:
            self._anonymous_map(dict(dict.items(value)))
            return
        plain = _PLAIN[base](value)
        if isinstance(plain, list):
            self._deeper(value)
            self._head(descriptors.ARRAY_LIST)
            self._skip_handle()
            size = I32.pack(len(plain))
            self._out += size + b"\x77\x04" + size
            self._items(plain)
            self._out.append(TC_ENDBLOCKDATA)
            self._leave()
        else:
            self.encode(plain)


#: From an instance of a subclass to the plain builtin; a method of the subclass is never asked.
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: bytes.__bytes__,
    tuple: lambda items: list(tuple.__iter__(items)),
    frozenset: lambda items: list(frozenset.__iter__(items)),
    list: lambda items: list(list.__iter__(items)),
    set: lambda items: list(set.__iter__(items)),
}


def _state_of(value: object) -> dict[str, object]:
    """``__dict__`` and slots of an instance, as its own ``__getstate__`` gives them if it has one."""
    getstate = type(value).__getstate__
    if getattr(getstate, "__name__", "") == "_dataclass_getstate":
        state: object = object.__getstate__(value)
    else:
        state = value.__getstate__()
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    merged: dict[str, object] = {}
    for part in parts:
        if part is not None and not isinstance(part, dict):
            raise _RefusedError(value, f"its __getstate__ returns {part!r:.60}, not a dict")
        merged.update(part or {})
    return merged


def _buckets(size: int) -> int:
    """As many as Java's tables have for that many entries."""
    buckets = 16
    while buckets * 3 < size * 4:
        buckets *= 2
    return buckets


def _signed64(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _has_unknown_zone(value: datetime.datetime | datetime.time) -> bool:
    return value.tzinfo is not None and type(value.tzinfo) not in (datetime.timezone, zoneinfo.ZoneInfo)


_METHODS: dict[type, Callable[[_Encoder, Any], None]] = {
    type(None): _Encoder._none,
    bool: _Encoder._bool,
    int: _Encoder._int,
    float: _Encoder._float,
    str: _Encoder._str,
    bytes: _Encoder._bytes,
    list: _Encoder._list,
    dict: _Encoder._dict,
    set: _Encoder._set,
    tuple: _Encoder._tuple,
    frozenset: _Encoder._frozenset,
    bytearray: _Encoder._bytearray,
    complex: _Encoder._complex,
    range: _Encoder._range,
    collections.deque: _Encoder._deque,
    collections.defaultdict: _Encoder._defaultdict,
    types.SimpleNamespace: _Encoder._namespace,
    decimal.Decimal: _Encoder._decimal,
    uuid.UUID: _Encoder._uuid,
    datetime.datetime: _Encoder._time,
    datetime.date: _Encoder._time,
    datetime.time: _Encoder._time,
    datetime.timedelta: _Encoder._time,
    EncodedValue: _Encoder._splice,
    OpaqueValue: _Encoder._opaque,
    **dict.fromkeys((JavaString, JavaObject, JavaArray, JavaEnum, JavaClass), _Encoder._node),
}
