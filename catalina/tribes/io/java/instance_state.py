"""The content of an instance of an application's class, read and written without running any code of the class.

``value.attribute``, ``vars(value)`` and ``isinstance(value, ...)`` may all run a ``__getattribute__`` or a property of
the class. This module uses the descriptors that the interpreter itself made for ``__dict__`` and for slots.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["looked_up", "put_state", "state_of"]

_MISSING: Any = object()
_mro_of: Callable[[type], tuple[type, ...]] = vars(type)["__mro__"].__get__
_namespace_of: Callable[[type], types.MappingProxyType[str, Any]] = vars(type)["__dict__"].__get__


class _Places(NamedTuple):
    """The places where instances of one class keep attributes: their ``__dict__``, if they have one, and their slots by
    name.

    Each place is the position in the MRO of the class that has the descriptor. An entry with the descriptor itself
    would keep the class alive, and with it the entry.
    """

    attributes: int | None
    slots: dict[str, int]

    def attributes_of(self, value: object) -> dict[str, Any] | None:
        """The instance's own ``__dict__``, None when it has none."""
        if self.attributes is None:
            return None
        found: dict[str, Any] = _namespace_of(_mro_of(type(value))[self.attributes])["__dict__"].__get__(value)
        return found


#: The entries hold their classes weakly: a cached class would keep a reloaded application's old modules alive.
_places: weakref.WeakKeyDictionary[type, _Places] = weakref.WeakKeyDictionary()


def looked_up(cls: type, name: str) -> Any:
    """The object that the class has under the name, itself or by inheritance, without calling a descriptor; None when
    there is none.
    """
    for part in _mro_of(cls):
        found = _namespace_of(part).get(name, _MISSING)
        if found is not _MISSING:
            return found
    return None


def _places_of(cls: type) -> _Places:
    known = _places.get(cls)
    if known is None:
        known = _places[cls] = _find_places(cls)
    return known


def _find_places(cls: type) -> _Places:
    attributes = None
    slots: dict[str, int] = {}
    for position, part in reversed(list(enumerate(_mro_of(cls)))):
        for name, member in _namespace_of(part).items():
            if type(member) is types.MemberDescriptorType:
                slots[name] = position
            elif name == "__dict__" and type(member) is types.GetSetDescriptorType and part is not type:
                attributes = position
    return _Places(attributes, slots)


def _slot(value: object, position: int, name: str) -> types.MemberDescriptorType:
    found: types.MemberDescriptorType = _namespace_of(_mro_of(type(value))[position])[name]
    return found


def put_state(value: object, state: dict[str, Any]) -> None:
    """Put attributes into slots and ``__dict__``. An attribute without a place is left out: a new version of a class
    may lack it.
    """
    places = _places_of(type(value))
    attributes = places.attributes_of(value)
    for name, item in state.items():
        position = places.slots.get(name)
        if position is not None:
            _slot(value, position, name).__set__(value, item)
        elif attributes is not None:
            attributes[name] = item


def state_of(value: object) -> dict[str, Any]:
    """The values that an instance holds, by name: ``__dict__``, then slots. Empty for an instance without
    attributes.
    """
    places = _places_of(type(value))
    held = dict(places.attributes_of(value) or {})
    for name, position in places.slots.items():
        try:
            held[name] = _slot(value, position, name).__get__(value)
        except AttributeError:  # an empty slot
            continue
    return held
