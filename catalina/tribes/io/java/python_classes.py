"""Decides which instances of Python classes can travel, and which may come back: on which builtin type their class is
based, and which classes the application allows.

The encoder asks :func:`base_of`, the decoder :func:`find_class`. Neither function imports a module or runs a
constructor or any other code of the class. The content of an instance is read and written by ``instance_state``.
"""

from __future__ import annotations

import collections
import decimal
import fractions
import ipaddress
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = [
    "BUILTIN_CLASSES",
    "FACTORIES",
    "ClassFilter",
    "ClassMissingError",
    "base_of",
    "class_reference",
    "find_class",
    "only_builtin",
]

#: Classes of the standard library whose instances are only data.
BUILTIN_CLASSES: dict[str, type] = {
    f"{cls.__module__}:{cls.__qualname__}": cls
    for cls in (
        collections.Counter,
        collections.OrderedDict,
        fractions.Fraction,
        ipaddress.IPv4Address,
        ipaddress.IPv4Interface,
        ipaddress.IPv4Network,
        ipaddress.IPv6Address,
        ipaddress.IPv6Interface,
        ipaddress.IPv6Network,
    )
}

#: Allowed values of a defaultdict's default_factory: a call makes an empty value and runs nothing else.
FACTORIES: dict[str, type] = {
    f"{kind.__module__}:{kind.__qualname__}": kind
    for kind in (
        bool,
        bytearray,
        bytes,
        collections.Counter,
        collections.OrderedDict,
        collections.deque,
        complex,
        decimal.Decimal,
        dict,
        float,
        frozenset,
        int,
        list,
        set,
        str,
        tuple,
    )
}

#: Types that instances may be based on: the builtin alone can read and rebuild their value.
BASES: tuple[type, ...] = (int, float, str, bytes, tuple, frozenset, list, collections.OrderedDict, dict, set, object)

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement (or by an extension module)


#: Tells if decoding may make instances of ``package.module.Class``: of the application's own modules, and of classes
#: that the operator's sessionAttributeValueClassNameFilter matches. It looks only into modules that are loaded.
ClassFilter: TypeAlias = Callable[[str], bool]


def only_builtin(name: str) -> bool:
    """The filter that allows nothing beyond :data:`BUILTIN_CLASSES`."""
    del name
    return False


class ClassMissingError(Exception):
    """The class is allowed, but its module is not loaded in this process, or no longer contains it."""


def find_class(name: str, allow: ClassFilter) -> type | None:
    """Find the class ``module:qualname``; returns None when it is not allowed.

    A name in a message loads no module. Nothing of the application is touched before ``allow`` has said yes. A class is
    found under its own name only: a class that a module of the application imported from elsewhere is not the
    application's.

    Raises:
        ClassMissingError: the class is allowed but not there.
    """
    builtin = BUILTIN_CLASSES.get(name)
    if builtin is not None:
        return builtin
    module, _, qualname = name.partition(":")
    if not module or not qualname or not allow(f"{module}.{qualname}"):
        return None
    loaded = sys.modules.get(module)
    if loaded is None:
        raise ClassMissingError(f"its module [{module}] is not loaded in this node")
    cls = _walk(loaded, qualname)
    if cls is None or (_module_of(cls), _qualname_of(cls)) != (module, qualname):
        raise ClassMissingError(f"its module [{module}] has no such class in this node")
    return cls


_namespace_of_module: Callable[[Any], dict[str, object]] = vars(types.ModuleType)["__dict__"].__get__
_namespace_of_type: Callable[[Any], types.MappingProxyType[str, object]] = vars(type)["__dict__"].__get__
_module_of: Callable[[type], object] = vars(type)["__module__"].__get__
_qualname_of: Callable[[type], str] = vars(type)["__qualname__"].__get__


def _walk(found: object, qualname: str) -> type | None:
    """Follow the names through a module and its classes without running their code: a lazy module stays unloaded, and
    neither a descriptor nor ``__getattr__`` is called."""
    if not issubclass(type(found), types.ModuleType):
        return None
    first, *inner = qualname.split(".")
    part = _namespace_of_module(found).get(first)
    for name in inner:
        if not issubclass(type(part), type):
            return None
        part = _namespace_of_type(part).get(name)
    return part if issubclass(type(part), type) else None  # type: ignore[return-value]  # it is a class


def class_reference(cls: type) -> str | None:
    """The name ``module:qualname`` when it leads to the class, else None (a local class, ``__main__``)."""
    module, qualname = cls.__module__, cls.__qualname__
    if module == "__main__" or "<" in qualname:
        return None
    return f"{module}:{qualname}" if _walk(sys.modules.get(module), qualname) is cls else None


#: The classes are held weakly: a cached class would keep a reloaded application's old modules alive.
_bases: weakref.WeakKeyDictionary[type, tuple[type | None, str]] = weakref.WeakKeyDictionary()


def base_of(cls: type) -> tuple[type | None, str]:
    """The builtin that ``cls`` is based on, or None and the reason why its instances cannot travel."""
    known = _bases.get(cls)
    if known is None:
        known = _bases[cls] = _find_base(cls)
    return known


def _find_base(cls: Any) -> tuple[type | None, str]:
    base: Any = next(base for base in BASES if issubclass(cls, base))
    if BUILTIN_CLASSES.get(f"{cls.__module__}:{cls.__qualname__}") is cls:
        return base, ""
    foreign = [part for part in cls.__mro__ if not part.__flags__ & _HEAP_TYPE and part not in base.__mro__]
    if foreign:
        return None, f"it is a {foreign[0].__qualname__}, which has no form that another node can decode"
    if cls.__reduce_ex__ is not base.__reduce_ex__ or cls.__reduce__ is not base.__reduce__:
        return None, "its class defines __reduce__, which would have to run to decode it"
    setstate = getattr(cls, "__setstate__", None)
    if setstate is not None and setstate.__name__ != "_dataclass_setstate":
        return None, "its class defines __setstate__, which would have to run to decode it"
    if getattr(cls, "__del__", None) is not None:
        return None, "its class defines __del__, which would run in every node that has a copy"
    if cls.__basicsize__ != _plain_size(cls, base):
        return None, f"a {cls.__qualname__} keeps state that Python code cannot see"
    return base, ""


def _plain_size(cls: type, base: Any) -> int:
    """The size of instances that hold the builtin's value, a dict and slots, and nothing else."""
    slots: list[str] = []
    for part in cls.__mro__:
        names = vars(part).get("__slots__", ()) if part not in base.__mro__ else ()
        slots += [names] if isinstance(names, str) else list(names)
    named = [f"slot_{number}" for number, name in enumerate(slots) if name not in ("__dict__", "__weakref__")]
    if base.__itemsize__:  # int, tuple, bytes: the length of the value varies, so slots have no place
        probe = type("probe", (base,), {} if cls.__dictoffset__ else {"__slots__": ()})
        return probe.__basicsize__
    if cls.__dictoffset__ and not base.__dictoffset__:
        named.append("__dict__")
    if cls.__weakrefoffset__ and not base.__weakrefoffset__:
        named.append("__weakref__")
    size: int = type("probe", (base,), {"__slots__": tuple(named)}).__basicsize__
    return size
