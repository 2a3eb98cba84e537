"""Names and the objects behind them, made when they are first looked up (Tomcat: naming/NamingContext.java)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from catalina.errors import NamingError

__all__ = ["NamingContext", "normal_name"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")

#: Prefixes that an application may write before a name.
PREFIXES = ("java:comp/env/", "java:/comp/env/", "java:", "comp/env/")
#: Methods that end an object for which no closeMethod is named.
CLOSERS = ("close", "dispose")


def normal_name(name: str) -> str:
    """``java:comp/env/jdbc/shop`` -> ``jdbc/shop``."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name.strip("/")


class _Binding:
    """One name. Two threads that look it up for the first time get one object."""

    def __init__(self, make: Callable[[], Any], singleton: bool, close_method: str | None) -> None:
        self.make = make
        self.singleton = singleton
        self.close_method = close_method
        self._made: list[Any] = []
        self._lock = threading.Lock()

    def get(self) -> object:
        if not self.singleton:
            return self.make()
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self.make())
        return self._made[0]

    @property
    def object_if_made(self) -> object:
        """The object, None when it was not looked up yet."""
        made = self._made
        return made[0] if made else None

    def close(self, name: str) -> None:
        """End the object, if one was made. A failure is logged: the others must end too."""
        while self._made:
            made = self._made.pop()
            if self.close_method is None:
                continue
            for method in (self.close_method,) if self.close_method else CLOSERS:
                close = getattr(made, method, None)
                if callable(close):
                    try:
                        close()
                    except BaseException:  # the code is foreign: a driver, or a class of the operator
                        log.exception("Resource [%s] could not be closed", name)
                    break


class NamingContext:
    """Bound names. Any thread."""

    def __init__(self) -> None:
        self._bindings: dict[str, _Binding] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The bound names, sorted."""
        return tuple(sorted(self._bindings))

    def made(self) -> list[tuple[str, Any]]:
        """Names and objects that were looked up; this makes none."""
        found = [(name, binding.object_if_made) for name, binding in tuple(self._bindings.items())]
        return [(name, made) for name, made in found if made is not None]

    def bind(self, name: str, make: Callable[[], Any], singleton: bool = True, close_method: str | None = None) -> None:
        """Bind a name; a binding that is there already is replaced.

        Args:
            make: makes the object; raises NamingError.
            singleton: one object for all lookups.
            close_method: called on the object by :meth:`close`; empty tries ``close`` and ``dispose``, None calls none.
        """
        self._bindings[normal_name(name)] = _Binding(make, singleton, close_method)

    def unbind(self, name: str) -> None:
        """Forget a name, and end its object."""
        binding = self._bindings.pop(normal_name(name), None)
        if binding is not None:
            binding.close(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normal_name(name) in self._bindings

    def lookup(self, name: str) -> Any:
        """The object of a name, with or without ``java:comp/env/``.

        Raises:
            NamingError: the name is not bound, or its object cannot be made.
        """
        binding = self._bindings.get(normal_name(name))
        if binding is None:
            known = ", ".join(self.names) or "none"
            raise NamingError(f"Name [{name}] is not bound in this Context; bound are: {known}")
        return binding.get()

    def close(self) -> None:
        """End every object that was made, and forget all names."""
        for name, binding in tuple(self._bindings.items()):
            binding.close(name)
        self._bindings.clear()
