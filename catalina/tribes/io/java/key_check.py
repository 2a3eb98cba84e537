"""Checks the keys of dicts and the elements of sets that another node has chosen: hashing and comparing them must be
bounded work and must run no code of an application.

Three things could go wrong. A class's own ``__hash__`` or ``__eq__`` would run with a state that came over the wire.
Hashing a tuple of tuples of tuples visits the same parts again and again, because tuples do not remember their hash.
And numbers can be chosen so that all have one hash (UUIDs are numbers, and a tuple's hash is made of its parts'), which
makes a map of n entries cost n squared. Texts and bytes are safe, because a secret goes into their hash.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import sys
import types
import uuid
import weakref
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from catalina.tribes.io.java.encoded_value import OpaqueValue
from catalina.tribes.io.java.instance_state import looked_up, state_of
from catalina.tribes.io.java.python_classes import BUILTIN_CLASSES

if TYPE_CHECKING:
    from catalina.tribes.io.java.nodes import Node
    from catalina.tribes.io.java.python_classes import ClassFilter

__all__ = ["SIMPLE_KEYS", "KeyCheck", "KeyRefusedError", "KeyWork", "NodeConverter", "why_no_key"]

#: The number of keys of one map that may have the same hash. By accident two or three do: -1 and -2.
MAX_SAME_HASH = 16

#: A number below this is its own hash, or as good as its own.
MODULUS = sys.hash_info.modulus

#: The parts that may be visited to hash the keys of one value, and the further parts for each byte of it.
KEY_PARTS = 100_000
KEY_PARTS_PER_BYTE = 4

#: Bits of a number, or digits of a Decimal, that count as one more part.
_BITS_OF_PART = 256
_DIGITS_OF_PART = 64

#: Types that the interpreter hashes itself, without visiting other objects (complex, date and time: only their numbers
#: and bytes).
_PLAIN = frozenset({
    str, bytes, bool, float, complex, type(None), datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
    datetime.timezone, OpaqueValue,
})  # fmt: skip
#: Types whose values are always valid keys.
SIMPLE_KEYS = _PLAIN | {int}
_COUNTED = frozenset({int, tuple, frozenset, range, decimal.Decimal, uuid.UUID})

_BUILTINS: tuple[type, ...] = (object, int, float, str, bytes, tuple, frozenset)
_INERT_HASHES = {vars(kind)["__hash__"] for kind in (*_BUILTINS, enum.Enum)}
_INERT_COMPARISONS = {vars(kind)["__eq__"] for kind in _BUILTINS}
#: Python 3.13 and later have it in fewer of these types.
_INERT_READING = {looked_up(kind, "__getattribute__") for kind in _BUILTINS}

#: The reason why a class's instances cannot be keys, empty when they can. The classes are held weakly.
_known: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


T = TypeVar("T")


class KeyRefusedError(Exception):
    """The value cannot be a key here; the text says why not."""


def why_no_key(cls: type) -> str:
    """The reason why hashing or comparing instances of the class would run its own code; empty when it does not."""
    if cls in _PLAIN or cls in _COUNTED:
        return ""
    known = _known.get(cls)
    if known is None:
        known = _known[cls] = _find_why(cls)
    return known


def _find_why(cls: type) -> str:
    if cls in BUILTIN_CLASSES.values():
        return ""
    own_hash, comparison = looked_up(cls, "__hash__"), looked_up(cls, "__eq__")
    if own_hash is None:
        return "it has no hash"
    if looked_up(cls, "__getattribute__") not in _INERT_READING or looked_up(cls, "__class__") is not _CLASS:
        return "its class defines __getattribute__ or __class__, which would have to run to decode it"
    if _is_generated(cls, own_hash) and _is_generated(cls, comparison):
        return ""
    if own_hash not in _INERT_HASHES:
        return "its class defines __hash__, which would have to run to decode it"
    if comparison not in _INERT_COMPARISONS:
        return "its class defines __eq__, which would have to run to decode it"
    return ""


def _is_generated(cls: type, method: object) -> bool:
    """True when ``@dataclass`` wrote the method and the method only reads fields: they stand in slots or in
    ``__dict__``, and no property or ``__getattr__`` of the class comes in between."""
    fields = looked_up(cls, "__dataclass_fields__")
    if type(fields) is not dict or type(method) is not types.FunctionType or method.__code__.co_filename != "<string>":
        return False
    if looked_up(cls, "__getattr__") is not None:
        return False
    return not any(_runs_code(looked_up(cls, name)) for name in fields)


_CLASS = vars(object)["__class__"]


def _runs_code(member: object) -> bool:
    """True when reading an attribute of this name calls code of the class: a property, not a slot or a default."""
    return type(member) is not types.MemberDescriptorType and looked_up(type(member), "__get__") is not None


class KeyWork:
    """Counts the work of hashing the keys of one value, in all its maps and sets together.

    Args:
        size: bytes of the value.
    """

    def __init__(self, size: int) -> None:
        self.limit = KEY_PARTS + KEY_PARTS_PER_BYTE * size
        self._visited = 0
        #: By identity of a part: the number of parts in it, and the part, which must stay alive while its identity is a
        #: key here.
        self._parts: dict[int, tuple[int, object]] = {}

    def hash(self, key: object) -> int:
        """The hash of a key.

        Raises:
            KeyRefusedError: the key has no hash, hashing would run code of its class, or the work would be endless.
        """
        self._visited += self.count(key)
        if self._visited > self.limit:
            raise KeyRefusedError(f"keys of more than {self.limit} parts")
        try:
            return hash(key)
        # such as a list in a tuple, or a missing field
        except (TypeError, AttributeError, ArithmeticError, RecursionError) as exc:
            raise KeyRefusedError(f"a key without hash: {exc!r:.200}") from exc

    def count(self, value: Any) -> int:
        """The number of parts that are visited to hash the value. Results are remembered, so that counting is linear.

        Raises:
            KeyRefusedError: the value has no hash, or hashing would run code of its class.
        """
        cls = type(value)
        if cls in _PLAIN:
            return 1
        if cls is int:
            return 1 + value.bit_length() // _BITS_OF_PART  # type: ignore[no-any-return]
        known = self._parts.get(id(value))
        if known is not None:
            return known[0]
        why = why_no_key(cls)
        if why:
            raise KeyRefusedError(f"a {cls.__qualname__} as a key: {why}")
        self._parts[id(value)] = (1, value)
        count = 1 + self._count_inside(cls, value)
        self._parts[id(value)] = (count, value)
        return count

    def _count_inside(self, cls: type, value: Any) -> int:
        if issubclass(cls, tuple):
            return sum(map(self.count, tuple.__iter__(value)))
        if issubclass(cls, frozenset):
            return sum(map(self.count, frozenset.__iter__(value)))
        if issubclass(cls, int):
            return int.bit_length(value) // _BITS_OF_PART
        if cls is decimal.Decimal:
            return len(value.as_tuple().digits) // _DIGITS_OF_PART
        if cls is range:
            return sum(map(self.count, (value.start, value.stop, value.step)))
        fields = looked_up(cls, "__dataclass_fields__")
        if fields is None:
            return 0
        held = state_of(value)
        hashed = [name for name, field in fields.items() if (field.compare if field.hash is None else field.hash)]
        return sum([self.count(held[name]) for name in hashed if name in held])


class KeyCheck:
    """Checks the keys of one map, or the elements of one set, one after another."""

    __slots__ = ("_counts", "_work")

    def __init__(self, work: KeyWork) -> None:
        self._work = work
        self._counts: collections.defaultdict[int, int] = collections.defaultdict(int)

    def admit(self, key: Any) -> object:
        """Return the key, which may then be put into the map.

        Raises:
            KeyRefusedError: it cannot be a key, or too many earlier keys have the same hash.
        """
        kind = type(key)
        if kind is str or (
            kind is int and -MODULUS < key < MODULUS
        ):  # apart from -1 and -2, no two of these have the same hash
            return key
        found = self._work.hash(key)
        self._counts[found] += 1
        if self._counts[found] > MAX_SAME_HASH:
            raise KeyRefusedError(f"more than {MAX_SAME_HASH} keys with the same hash in one map or set")
        return key


class NodeConverter(Protocol):
    """The converter of a whole tree, as the conversions of single classes see it."""

    @property
    def allow(self) -> ClassFilter: ...

    @property
    def missing(self) -> list[str]: ...

    def convert(self, node: Node) -> object: ...

    def begin(self, node: Node, value: T) -> T: ...

    def keys(self) -> KeyCheck: ...
