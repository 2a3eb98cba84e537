"""Converts the inside of a marked array to Python values (``python_form`` describes the form).

Instances are made by the builtin that their class is based on (``object.__new__``, ``tuple.__new__``), and their
attributes are put in directly: no method, property or descriptor of the class or its metaclass runs. Each part must be
of exactly the expected type, because a conversion would run code of the part. ``key_check`` decides which values may be
keys.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import struct
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from catalina.errors import ProtocolError
from catalina.tribes.io.java.instance_state import looked_up, put_state
from catalina.tribes.io.java.java_time import zone
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8
from catalina.tribes.io.java.nodes import BlockData, JavaArray, JavaObject, JavaString, Node
from catalina.tribes.io.java.python_classes import FACTORIES, ClassMissingError, base_of, find_class
from catalina.tribes.io.java.python_form import PYTHON_CLASS_NAME
from catalina.tribes.io.java.undecodable import UndecodableError

if TYPE_CHECKING:
    from catalina.tribes.io.java.key_check import NodeConverter

__all__ = ["PYTHON_CLASS_NAME", "convert"]

#: Members that decoding may add to a Flag's class for unnamed combinations; the class keeps each for ever.
MAX_FLAG_MEMBERS = 4096

#: Bits of the numerator and of the denominator of a Fraction.
MAX_FRACTION_BITS = 4096 * 8


def convert(converter: NodeConverter, node: JavaObject) -> object:
    """Convert a python.Object to its value."""
    contents = node.annotation(PYTHON_CLASS_NAME)
    blocks = [item for item in contents if isinstance(item, BlockData)]
    nodes = [item for item in contents if not isinstance(item, BlockData)]
    if not blocks:
        raise ProtocolError("python.Object without a kind")
    kind, block = _utf(blocks[0]), b"".join(blocks)[2 + len(_raw_utf(blocks[0])) :]
    method = _KINDS.get(kind)
    if method is None:
        raise ProtocolError(f"python.Object of unknown kind {kind!r:.40}")
    try:
        return method(_Parts(converter, node, block, nodes))
    except (TypeError, AttributeError, LookupError, struct.error, decimal.InvalidOperation) as exc:
        raise ProtocolError(f"python.Object of kind {kind} is not well-formed: {exc!r}") from exc


def _raw_utf(block: bytes) -> bytes:
    return block[2 : 2 + int.from_bytes(block[:2], "big")]


def _utf(block: bytes) -> str:
    return decode_modified_utf8(_raw_utf(block))


T = TypeVar("T")


class _Parts:
    """The parts of a python.Object that follow its kind."""

    def __init__(self, converter: NodeConverter, node: JavaObject, block: bytes, nodes: list[Node]) -> None:
        self.converter = converter
        self.node = node
        self.block = block
        self.nodes = nodes

    def begin(self, value: T) -> T:
        return self.converter.begin(self.node, value)

    def values(self, start: int = 0) -> list[Any]:
        """The objects from index ``start`` on."""
        return [self.converter.convert(node) for node in self.nodes[start:]]

    def value(self, index: int, kind: type) -> Any:
        """The value of the object at ``index``, which must be of exactly the given type."""
        found = self.converter.convert(self.nodes[index])
        if type(found) is not kind:
            raise ProtocolError(f"expected a {kind.__name__}, got a {type(found).__name__}")
        return found

    def text(self, index: int) -> str:
        node = self.nodes[index]
        if not isinstance(node, JavaString):
            raise ProtocolError(f"expected a String, got {node!r}")
        return node.value

    def raw(self, index: int) -> bytes:
        node = self.nodes[index]
        if not isinstance(node, JavaArray) or not isinstance(node.values, bytes) or node.class_name != "[B":
            raise ProtocolError(f"expected a byte[], got {node!r}")
        return node.values

    def mapping(self, index: int) -> dict[Any, Any]:
        found: dict[Any, Any] = self.value(index, dict)
        return found

    def state(self, index: int) -> dict[str, Any]:
        """Attributes by name."""
        state = self.mapping(index)
        if not all(type(name) is str for name in state):
            raise ProtocolError("expected names of attributes")
        return state

    def allowed_class(self, index: int) -> type:
        name = self.text(index)
        try:
            cls = find_class(name, self.converter.allow)
        except ClassMissingError as missing:
            self.converter.missing.append(name.partition(":")[0])
            raise UndecodableError(str(missing), name.replace(":", ".")) from None
        if cls is None:
            raise UndecodableError("its class is not allowed", name.replace(":", "."))
        return cls


def _tuple(parts: _Parts) -> object:
    return tuple(parts.values())


def _frozenset(parts: _Parts) -> object:
    return frozenset(_admitted(parts, parts.values()))


def _admitted(parts: _Parts, items: list[Any]) -> list[Any]:
    return list(map(parts.converter.keys().admit, items))


def _complex(parts: _Parts) -> object:
    return complex(*struct.unpack(">dd", parts.block))


def _decimal(parts: _Parts) -> object:
    return decimal.Decimal(_utf(parts.block))


def _datetime(parts: _Parts) -> object:
    kind, fold, text, zone_name = _utf(parts.block).split(" ")
    value: Any = (datetime.datetime if kind == "datetime" else datetime.time).fromisoformat(text)
    return value.replace(fold=int(fold), tzinfo=zone(zone_name) if zone_name else value.tzinfo)


def _range(parts: _Parts) -> object:
    return range(parts.value(0, int), parts.value(1, int), parts.value(2, int))


def _deque(parts: _Parts) -> object:
    limit = None if parts.nodes[0] is None else parts.value(0, int)
    value: collections.deque[Any] = parts.begin(collections.deque(maxlen=limit))
    value.extend(parts.values(1))
    return value


def _defaultdict(parts: _Parts) -> object:
    factory: type | None = None
    if parts.nodes[0] is not None:
        factory = FACTORIES.get(parts.text(0))
        if factory is None:
            raise UndecodableError(f"its default_factory {parts.text(0)!r:.80} would have to run")
    value: collections.defaultdict[Any, Any] = parts.begin(collections.defaultdict(factory))
    value.update(parts.mapping(1))
    return value


def _namespace(parts: _Parts) -> object:
    value = parts.begin(types.SimpleNamespace())
    vars(value).update(parts.state(0))
    return value


def _object(parts: _Parts) -> object:
    cls = parts.allowed_class(0)
    rebuild = _REBUILT.get(cls)
    if rebuild is not None:
        return rebuild(parts.state(1))
    base, why = base_of(cls)
    if base is not object:
        raise ProtocolError(f"{cls.__qualname__} is not a plain object here: {why or 'it is a builtin underneath'}")
    value: Any = parts.begin(object.__new__(cls))
    put_state(value, parts.state(1))
    return value


def _whole(state: dict[str, Any], name: str) -> int:
    number = state.get(name)
    if type(number) is not int or number.bit_length() > MAX_FRACTION_BITS:
        raise ProtocolError(f"expected a number {name}, got a {type(number).__name__}")
    return number


def _address(kind: Callable[..., Any]) -> Callable[[dict[str, Any]], object]:

    def rebuild(state: dict[str, Any]) -> object:
        address = kind(_whole(state, "_ip"))
        scope = state.get("_scope_id")
        return address if type(scope) is not str else kind(f"{address}%{scope}")

    return rebuild


def _network(kind: Callable[..., Any]) -> Callable[[dict[str, Any]], object]:

    def rebuild(state: dict[str, Any]) -> object:
        address = state.get("network_address")
        if type(address) not in (ipaddress.IPv4Address, ipaddress.IPv6Address):
            raise ProtocolError(f"expected an address, got a {type(address).__name__}")
        return kind((address, _whole(state, "_prefixlen")))

    return rebuild


def _interface(kind: Callable[..., Any]) -> Callable[[dict[str, Any]], object]:

    def rebuild(state: dict[str, Any]) -> object:
        interface = kind((_whole(state, "_ip"), _whole(state, "_prefixlen")))
        scope = state.get("_scope_id")
        return interface if type(scope) is not str else kind(f"{interface.ip}%{scope}/{interface.network.prefixlen}")

    return rebuild


#: Functions that rebuild classes of the standard library from their numbers, because the classes' methods trust their
#: state.
_REBUILT: dict[type, Callable[[dict[str, Any]], Any]] = {
    fractions.Fraction: lambda state: fractions.Fraction(_whole(state, "_numerator"), _whole(state, "_denominator")),
    ipaddress.IPv4Address: _address(ipaddress.IPv4Address),
    ipaddress.IPv6Address: _address(ipaddress.IPv6Address),
    ipaddress.IPv4Network: _network(ipaddress.IPv4Network),
    ipaddress.IPv6Network: _network(ipaddress.IPv6Network),
    ipaddress.IPv4Interface: _interface(ipaddress.IPv4Interface),
    ipaddress.IPv6Interface: _interface(ipaddress.IPv6Interface),
}


def _subclass(parts: _Parts) -> object:
    cls = parts.allowed_class(0)
    base, why = base_of(cls)
    if base is None or base is object:
        raise ProtocolError(f"{cls.__qualname__} is no builtin underneath here: {why or 'it is a plain object'}")
    new: Callable[..., Any] = base.__new__
    fill = _FILL.get(base)
    if fill is not None:
        value = parts.begin(new(cls))
        fill(value, parts)
    else:
        value = parts.begin(new(cls, _plain(base, parts)))
    put_state(value, parts.state(2))
    return value


def _plain(base: type, parts: _Parts) -> object:
    """The argument for the builtin's own ``__new__``, of a type that needs no conversion."""
    plain = parts.value(1, list if base in (tuple, frozenset) else base)
    return _admitted(parts, plain) if base is frozenset else plain


def _fill_set(value: Any, parts: _Parts) -> None:
    set.update(value, _admitted(parts, parts.value(1, list)))


def _fill_ordered(value: Any, parts: _Parts) -> None:
    for key, item in parts.mapping(1).items():
        collections.OrderedDict.__setitem__(value, key, item)


_FILL: dict[type, Callable[[Any, _Parts], None]] = {
    list: lambda value, parts: list.extend(value, parts.value(1, list)),
    set: _fill_set,
    dict: lambda value, parts: dict.update(value, parts.mapping(1)),
    collections.OrderedDict: _fill_ordered,
}


def _enum(parts: _Parts) -> Any:
    cls: Any = parts.allowed_class(0)
    if not issubclass(cls, enum.Enum):
        raise ProtocolError(f"{cls.__qualname__} is no Enum here")
    member = None if parts.nodes[1] is None else looked_up(cls, "_member_map_").get(parts.text(1))
    return _flags(cls, parts.value(2, int)) if member is None else member


def _flags(cls: Any, bits: int) -> object:
    """A combination of flags without a name of its own. ``enum`` makes it, without any code of the class."""
    members = looked_up(cls, "_value2member_map_")
    known = members.get(bits)
    if known is not None:
        return known
    if type(cls) is not enum.EnumMeta or looked_up(cls, "_member_type_") not in (object, int):
        raise ProtocolError(f"{cls.__qualname__} has no such member here, or would have to run to make it")
    if looked_up(cls, "_missing_") is not vars(enum.Flag)["_missing_"] or bits & ~looked_up(cls, "_flag_mask_"):
        raise ProtocolError(f"{cls.__qualname__} has no such flags here, or would have to run to make them")
    if len(members) >= MAX_FLAG_MEMBERS:
        raise ProtocolError(f"{cls.__qualname__} has {MAX_FLAG_MEMBERS} combinations of flags already")
    return cls(bits)


_KINDS: dict[str, Callable[[_Parts], Any]] = {
    "tuple": _tuple,
    "frozenset": _frozenset,
    "bytes": lambda parts: parts.raw(0),
    "bytearray": lambda parts: bytearray(parts.raw(0)),
    "complex": _complex,
    "decimal": _decimal,
    "datetime": _datetime,
    "range": _range,
    "deque": _deque,
    "defaultdict": _defaultdict,
    "namespace": _namespace,
    "object": _object,
    "subclass": _subclass,
    "enum": _enum,
}
