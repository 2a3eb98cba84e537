"""The inside of a marked array -> Python values (the form is in ``python_form``).

Instances are made by the builtin underneath (``object.__new__``, ``tuple.__new__``), their attributes put in directly:
no ``__init__``, ``__new__``, ``__setstate__`` or property of the class runs. Only ``__hash__`` and ``__eq__`` of a
class that is allowed run, when one of its instances is a key.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import functools
import operator
import struct
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalina.errors import ProtocolError
from catalina.tribes.io.java.java_time import zone
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8
from catalina.tribes.io.java.nodes import BlockData, JavaArray, JavaObject, JavaString, Node
from catalina.tribes.io.java.python_classes import base_of, find_class
from catalina.tribes.io.java.python_form import PYTHON_CLASS_NAME

if TYPE_CHECKING:
    from catalina.tribes.io.java.value_decoder import Converter

__all__ = ["PYTHON_CLASS_NAME", "convert", "state_of"]

#: What default_factory may be, beside the classes that a filter allows.
_FACTORIES: dict[str, type] = {
    f"builtins:{kind.__name__}": kind for kind in (bool, dict, float, int, list, set, str, tuple)
}


def convert(converter: Converter, node: JavaObject) -> Any:
    """The value of a python.Object."""
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
    except (TypeError, AttributeError, IndexError, KeyError, struct.error, decimal.InvalidOperation) as exc:
        raise ProtocolError(f"python.Object of kind {kind} is not well-formed: {exc!r}") from exc


def _raw_utf(block: bytes) -> bytes:
    return block[2 : 2 + int.from_bytes(block[:2], "big")]


def _utf(block: bytes) -> str:
    return decode_modified_utf8(_raw_utf(block))


class _Parts:
    """What stands behind the kind."""

    def __init__(self, converter: Converter, node: JavaObject, block: bytes, nodes: list[Node]) -> None:
        self.converter = converter
        self.node = node
        self.block = block
        self.nodes = nodes

    def begin(self, value: Any) -> Any:
        return self.converter.begin(self.node, value)

    def values(self, start: int = 0) -> list[Any]:
        """The objects from ``start`` on."""
        return [self.converter.convert(node) for node in self.nodes[start:]]

    def hashables(self) -> list[Any]:
        return [self.converter.hashable(value) for value in self.values()]

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
        value = self.converter.convert(self.nodes[index])
        if type(value) is not dict:
            raise ProtocolError(f"expected a map, got {type(value).__name__}")
        return value

    def state(self, index: int) -> dict[str, Any]:
        """Attributes by name."""
        state = self.mapping(index)
        if not all(isinstance(name, str) for name in state):
            raise ProtocolError("expected names of attributes")
        return state

    def allowed_class(self, index: int) -> type:
        name = self.text(index)
        cls = find_class(name, self.converter.allow)
        if cls is None:
            raise _refuse_class(name)
        return cls


def _refuse_class(name: str) -> Exception:
    from catalina.tribes.io.java.value_decoder import UndecodableError  # it imports this module

    return UndecodableError("its class is not allowed or not there", name.replace(":", "."))


def _tuple(parts: _Parts) -> Any:
    return tuple(parts.values())


def _frozenset(parts: _Parts) -> Any:
    return frozenset(parts.hashables())


def _complex(parts: _Parts) -> Any:
    return complex(*struct.unpack(">dd", parts.block))


def _decimal(parts: _Parts) -> Any:
    return decimal.Decimal(_utf(parts.block))


def _datetime(parts: _Parts) -> Any:
    kind, fold, text, zone_name = _utf(parts.block).split(" ")
    value: Any = (datetime.datetime if kind == "datetime" else datetime.time).fromisoformat(text)
    return value.replace(fold=int(fold), tzinfo=zone(zone_name) if zone_name else value.tzinfo)


def _range(parts: _Parts) -> Any:
    return range(*[int(value) for value in parts.values()])


def _deque(parts: _Parts) -> Any:
    value: collections.deque[Any] = parts.begin(collections.deque(maxlen=parts.converter.convert(parts.nodes[0])))
    value.extend(parts.values(1))
    return value


def _defaultdict(parts: _Parts) -> Any:
    factory: type | None = None
    if parts.nodes[0] is not None:
        factory = _FACTORIES.get(parts.text(0)) or parts.allowed_class(0)
    value: collections.defaultdict[Any, Any] = parts.begin(collections.defaultdict(factory))
    value.update(parts.mapping(1))
    return value


def _namespace(parts: _Parts) -> Any:
    value = parts.begin(types.SimpleNamespace())
    vars(value).update(parts.state(0))
    return value


def _object(parts: _Parts) -> Any:
    cls = parts.allowed_class(0)
    if base_of(cls)[0] is not object:
        raise ProtocolError(f"{cls.__qualname__} is more than a plain object here")
    value = parts.begin(object.__new__(cls))
    _put_state(value, parts.state(1))
    return value


def _subclass(parts: _Parts) -> Any:
    cls = parts.allowed_class(0)
    base, _ = base_of(cls)
    if base is None or base is object:
        raise ProtocolError(f"{cls.__qualname__} is no builtin underneath here")
    new: Callable[..., Any] = base.__new__
    fill = _FILL.get(base)
    if fill is not None:
        value = parts.begin(new(cls))
        fill(value, parts)
    else:
        value = parts.begin(new(cls, _plain(base, parts)))
    _put_state(value, parts.state(2))
    return value


def _plain(base: type, parts: _Parts) -> Any:
    """The value for the builtin's own ``__new__``: nothing that it would have to ask for a conversion."""
    plain: Any = parts.converter.convert(parts.nodes[1])
    expected: type = list if base in (tuple, frozenset) else base
    found: type = type(plain)
    if found is not expected:
        raise ProtocolError(f"expected a {base.__name__}, got a {found.__name__}")
    return [parts.converter.hashable(item) for item in plain] if base is frozenset else plain


def _fill_set(value: Any, parts: _Parts) -> None:
    for item in parts.converter.convert(parts.nodes[1]):
        set.add(value, parts.converter.hashable(item))


def _fill_ordered(value: Any, parts: _Parts) -> None:
    for key, item in parts.mapping(1).items():
        collections.OrderedDict.__setitem__(value, key, item)


_FILL: dict[type, Callable[[Any, _Parts], None]] = {
    list: lambda value, parts: list.extend(value, parts.converter.convert(parts.nodes[1])),
    set: _fill_set,
    dict: lambda value, parts: dict.update(value, parts.mapping(1)),
    collections.OrderedDict: _fill_ordered,
}


def _put_state(value: Any, state: dict[str, Any]) -> None:
    """Put attributes into slots and ``__dict__``; what has no place is left out, as a new version's class may do."""
    slots = _slots(type(value))
    attributes = getattr(value, "__dict__", None)
    for name, item in state.items():
        slot = slots.get(name)
        if slot is not None:
            slot.__set__(value, item)
        elif attributes is not None:
            attributes[name] = item


def _slots(cls: type) -> dict[str, types.MemberDescriptorType]:
    return {
        name: member
        for part in reversed(cls.__mro__)
        for name, member in vars(part).items()
        if isinstance(member, types.MemberDescriptorType)
    }


def state_of(value: Any) -> list[Any]:
    """What an instance holds directly, without running any of its code; empty for what has no attributes."""
    held = list(getattr(value, "__dict__", {}).values())
    for slot in _slots(type(value)).values():
        try:
            held.append(slot.__get__(value))
        except AttributeError:  # an empty slot
            continue
    return held


def _enum(parts: _Parts) -> Any:
    cls: Any = parts.allowed_class(0)
    if not issubclass(cls, enum.Enum):
        raise ProtocolError(f"{cls.__qualname__} is no Enum here")
    member = None if parts.nodes[1] is None else cls.__members__.get(parts.text(1))
    if member is not None:
        return member
    bits = parts.converter.convert(parts.nodes[2])
    if not issubclass(cls, enum.Flag) or type(bits) is not int:
        raise ProtocolError(f"{cls.__qualname__} has no such member here")
    members = [flag for flag in cls.__members__.values() if flag.value & bits == flag.value]
    combined: Any = functools.reduce(operator.or_, members, cls(0))
    if combined.value != bits:
        raise ProtocolError(f"{cls.__qualname__} has no such flags here")
    return combined


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
