"""Maps that a rule looks keys up in (Tomcat: valves/rewrite/RewriteMap.java, InternalRewriteMap.java)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import unquote

from catalina.digester.class_names import ClassBroken, find_class
from catalina.valves.rewrite.escapes import encode_path

__all__ = ["RewriteMap", "make_map"]


class RewriteMap(Protocol):
    """A class of the operator, named in ``RewriteMap name package.module.Class parameters``."""

    def set_parameters(self, *parameters: str) -> object:
        """Called once, with the words behind the class."""
        ...

    def lookup(self, key: str) -> str | None:
        """The value of a key; None means the rule's default."""
        ...


class _Function:
    """``int:toupper`` and similar functions."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def set_parameters(self, *parameters: str) -> None:
        if parameters:
            raise ValueError(f"an internal map takes no parameters, got {' '.join(parameters)!r}")

    def lookup(self, key: str) -> str:
        return self._function(key)


INTERNAL: dict[str, Callable[[str], str]] = {
    "toupper": str.upper,
    "tolower": str.lower,
    "escape": encode_path,
    "unescape": unquote,
}


def make_map(kind: str, parameters: Sequence[str]) -> RewriteMap:
    """Make the map that a RewriteMap line asks for.

    Raises:
        ValueError: there is no such map, or it does not accept the parameters.
    """
    made: RewriteMap
    if kind.startswith("int:"):
        function = INTERNAL.get(kind[4:])
        if function is None:
            raise ValueError(f"no internal map {kind!r}; there are int:{', int:'.join(INTERNAL)}")
        made = _Function(function)
        made.set_parameters(*parameters)
        return made
    try:
        found = find_class(kind)
    except ClassBroken as exc:
        raise ValueError(f"the map {kind!r} cannot be used: {exc}") from exc
    if found is None or not hasattr(found, "lookup"):
        raise ValueError(f"no class of a map answers to {kind!r}")
    made = found()
    if parameters:
        made.set_parameters(*parameters)
    return made
