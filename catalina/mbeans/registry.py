"""Find beans by name and pattern.

Most beans come from *sources*, functions that list what is there now: a component that has gone is not found any more
without anybody telling the registry. Others are registered one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from catalina.attributes import Component
from catalina.errors import CatalinaError
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName

__all__ = ["InstanceNotFound", "Registry"]

Source = Callable[[], Iterable[tuple[ObjectName, Component]]]


class InstanceNotFound(CatalinaError):
    """No bean has the name."""


class Registry:
    """The beans of one server. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registered: dict[ObjectName, Component] = {}
        self._sources: list[Source] = []

    def add_source(self, source: Source) -> None:
        """List the beans of ``source`` from now on."""
        with self._lock:
            self._sources.append(source)

    def remove_source(self, source: Source) -> None:
        """Undo :meth:`add_source`; an unknown one is ignored."""
        with self._lock:
            if source in self._sources:
                self._sources.remove(source)

    def register(self, name: ObjectName, component: Component) -> None:
        """Add one bean; one of the same name is replaced."""
        with self._lock:
            self._registered[name] = component

    def unregister(self, name: ObjectName) -> None:
        """Undo :meth:`register`; an unknown name is ignored."""
        with self._lock:
            self._registered.pop(name, None)

    def find(self, name: ObjectName) -> ManagedBean:
        """The bean of a name.

        Raises:
            InstanceNotFound: there is none now.
        """
        for known, component in self._all():
            if known == name:
                return ManagedBean(component)
        raise InstanceNotFound(str(name))

    def query(self, pattern: ObjectName) -> list[tuple[ObjectName, ManagedBean]]:
        """Every bean whose name the pattern matches, each name once."""
        found: dict[ObjectName, Component] = {}
        for name, component in self._all():
            if pattern.matches(name):
                found.setdefault(name, component)
        return [(name, ManagedBean(component)) for name, component in found.items()]

    def _all(self) -> Iterator[tuple[ObjectName, Component]]:
        with self._lock:
            registered, sources = list(self._registered.items()), list(self._sources)
        yield from registered
        for source in sources:
            yield from source()
