"""Encodes Python values: those with a counterpart in the JDK as the JDK's classes write themselves, the others in the
form that ``python_form`` describes.
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
from collections.abc import Callable
from typing import Any

from catalina.tribes.io.java import descriptors, java_time
from catalina.tribes.io.java.encoded_value import NULL, EncodedValue, OpaqueValue, reference
from catalina.tribes.io.java.grammar import I32, STREAM_HEADER, TC_BLOCKDATA, TC_ENDBLOCKDATA
from catalina.tribes.io.java.instance_state import state_of
from catalina.tribes.io.java.node_writer import encode_node, write_block
from catalina.tribes.io.java.nodes import JavaArray, JavaClass, JavaEnum, JavaObject, JavaString
from catalina.tribes.io.java.python_classes import FACTORIES, base_of, class_reference
from catalina.tribes.io.java.python_form import MARK, PYTHON_OBJECT
from catalina.tribes.io.java.value_writer import BOXES, RefusedError, ValueWriter, WouldRunError, encode_str

__all__ = ["PythonEncoder"]

#: Digits of a Decimal; Python's own limit for turning digits into a number.
MAX_DIGITS = 4300
_BOOLEAN, _DOUBLE, _INTEGER, _LONG = (
    BOXES[desc].form for desc in (descriptors.BOOLEAN, descriptors.DOUBLE, descriptors.INTEGER, descriptors.LONG)
)
#: HashMap: load factor, threshold, then block data of two ints: buckets and size.
_MAP_HEAD = struct.Struct(">fiBBii")
#: HashSet: block data of buckets, load factor and size.
_SET_HEAD = struct.Struct(">BBifi")


class PythonEncoder(ValueWriter):
    """Encodes any value: by its type's method, as a member of an enum, or by taking an instance apart."""

    def encode(self, value: Any) -> None:
        """Append one object."""
        method = _METHODS.get(type(value))
        if method is not None:
            method(self, value)
        elif issubclass(type(value), enum.Enum):
            self._enum(value)
        else:
            self._instance(value)

    def encode_in_python(self, value: object) -> None:
        """Append the marked array with the value."""
        inner = PythonEncoder(self._places, in_python=True, depth=self._depth + 1, inert=self._inert)
        inner.encode(value)
        self._kept.extend(inner._kept)
        self._byte_array(MARK + STREAM_HEADER + bytes(inner._out))

    # ---- the form of the JDK's classes

    def _none(self, value: None) -> None:
        self._out += NULL.data

    def _bool(self, value: bool) -> None:
        self._head(descriptors.BOOLEAN)
        self._nodes.handles += 1
        self._out += _BOOLEAN.pack(value)

    def _int(self, value: int) -> None:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            self._head(descriptors.INTEGER)
            self._out += _INTEGER.pack(value)
        elif -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            self._head(descriptors.LONG)
            self._out += _LONG.pack(value)
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
        self._out += _DOUBLE.pack(value)

    def _str(self, value: str) -> None:
        known = self._strings.get(value)
        if known is not None:
            self._reference(known)
            return
        encoded = encode_str(value)
        self._strings[value] = reference(self._nodes.handles)
        self._nodes.handles += 1
        self._out += encoded.data

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

    def _anonymous_map(self, value: dict[Any, Any], attributes: bool = False) -> None:
        """A map that nothing else refers to."""
        self._deeper(value)
        self._head(descriptors.LINKED_HASH_MAP)
        self._skip_handle()
        self._map_data(value, attributes)
        self._leave()

    def _set(self, value: set[object]) -> None:
        if self._begin(value, descriptors.HASH_SET):
            self._out += _SET_HEAD.pack(TC_BLOCKDATA, 12, _buckets(len(value)), 0.75, len(value))
            self._items(value)
            self._check_keys(value)
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

    def _node(self, value: Any) -> None:
        self._splice(encode_node(value))

    def _opaque(self, value: OpaqueValue) -> None:
        self._splice(value.encoded)

    # ---- the form of Python's own classes

    def _python(self, kind: str, value: object, body: Callable[[], None]) -> None:
        """A value whose parts have no identity of their own."""
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

    def _end_python(self) -> None:
        self._out.append(TC_ENDBLOCKDATA)

    def _container(self, kind: str, value: object, body: Callable[[], None], immutable: bool = False) -> None:
        """A value with an identity, and with parts."""
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

    def _bytes(self, value: bytes) -> None:
        if not value.startswith(MARK):
            self._byte_array(value)
        elif self._in_python:
            self._begin_python("bytes")
            self._byte_array(value)
            self._end_python()
        else:
            self.encode_in_python(value)

    def _decimal(self, value: decimal.Decimal) -> None:
        sign, digits, exponent = value.as_tuple()
        if len(digits) > MAX_DIGITS:
            raise RefusedError(value, f"it has more than {MAX_DIGITS} digits")
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
                raise RefusedError(value, "only zones of zoneinfo and fixed offsets can travel")
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

    def _tuple(self, value: tuple[object, ...]) -> None:
        self._container("tuple", value, lambda: self._counted(value), immutable=True)

    def _frozenset(self, value: frozenset[object]) -> None:
        self._container("frozenset", value, lambda: self._counted(value), immutable=True)
        self._check_keys(value)

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
        if factory is not None and factory not in _FACTORY_NAMES:
            raise RefusedError(value, f"its default_factory {factory!r:.80} would run in the node that decodes it")

        def body() -> None:
            self.encode(None if factory is None else _FACTORY_NAMES[factory])
            self._anonymous_map(dict(value))

        self._container("defaultdict", value, body)

    def _namespace(self, value: types.SimpleNamespace) -> None:
        self._container("namespace", value, lambda: self._anonymous_map(vars(value), attributes=True))

    def _class_name(self, value: object) -> str:
        name = class_reference(type(value))
        if name is None:
            raise RefusedError(value, "its class cannot be found by its name")
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
            raise RefusedError(value, why)
        name = self._class_name(value)
        state = self._state_of(value)

        def body() -> None:
            self.encode(name)
            if base is not object:
                self._as_builtin(base, value)
            self._anonymous_map(state, attributes=True)

        kind = "object" if base is object else "subclass"
        self._container(kind, value, body, immutable=base in (tuple, frozenset))
        if base in (set, frozenset):
            self._check_keys(_PLAIN[base](value))

    def _state_of(self, value: object) -> dict[str, object]:
        """The ``__dict__`` and slots of an instance, in the form of its own ``__getstate__`` if it has one."""
        getstate = type(value).__getstate__
        is_generated = getattr(getstate, "__name__", "") == "_dataclass_getstate"
        if self._inert:
            if getstate is not object.__getstate__ and not is_generated:
                raise WouldRunError
            return state_of(value)
        state: object = object.__getstate__(value) if is_generated else value.__getstate__()
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        merged: dict[str, object] = {}
        for part in parts:
            if part is not None and not isinstance(part, dict):
                raise RefusedError(value, f"its __getstate__ returns {part!r:.60}, not a dict")
            merged.update(part or {})
        return merged

    def _as_builtin(self, base: type, value: Any) -> None:
        """An instance of a subclass as the plain builtin, without its identity."""
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


_FACTORY_NAMES = {kind: name for name, kind in FACTORIES.items()}

#: Functions that make the plain builtin from an instance of a subclass without calling a method of the subclass.
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


def _buckets(size: int) -> int:
    """The number of buckets that Java's tables have for that many entries."""
    buckets = 16
    while buckets * 3 < size * 4:
        buckets *= 2
    return buckets


def _signed64(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _has_unknown_zone(value: datetime.datetime | datetime.time) -> bool:
    return value.tzinfo is not None and type(value.tzinfo) not in (datetime.timezone, zoneinfo.ZoneInfo)


_METHODS: dict[type, Callable[[PythonEncoder, Any], None]] = {
    type(None): PythonEncoder._none,
    bool: PythonEncoder._bool,
    int: PythonEncoder._int,
    float: PythonEncoder._float,
    str: PythonEncoder._str,
    bytes: PythonEncoder._bytes,
    list: PythonEncoder._list,
    dict: PythonEncoder._dict,
    set: PythonEncoder._set,
    tuple: PythonEncoder._tuple,
    frozenset: PythonEncoder._frozenset,
    bytearray: PythonEncoder._bytearray,
    complex: PythonEncoder._complex,
    range: PythonEncoder._range,
    collections.deque: PythonEncoder._deque,
    collections.defaultdict: PythonEncoder._defaultdict,
    types.SimpleNamespace: PythonEncoder._namespace,
    decimal.Decimal: PythonEncoder._decimal,
    uuid.UUID: PythonEncoder._uuid,
    datetime.datetime: PythonEncoder._time,
    datetime.date: PythonEncoder._time,
    datetime.time: PythonEncoder._time,
    datetime.timedelta: PythonEncoder._time,
    EncodedValue: PythonEncoder._splice,
    OpaqueValue: PythonEncoder._opaque,
    **dict.fromkeys((JavaString, JavaObject, JavaArray, JavaEnum, JavaClass), PythonEncoder._node),
}
