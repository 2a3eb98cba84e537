"""Properties that clients have given to resources, in memory (Tomcat: WebdavServlet, MemoryPropertyStore)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalina.servlets.webdav_xml import PropertyName, PropertyUpdate

__all__ = ["PropertyStore", "StoreFullError"]

#: Characters of all properties together; clients choose them.
MAX_CHARACTERS = 16 * 2**20


class StoreFullError(Exception):
    """There is no room for another property: 507."""


class PropertyStore:
    """Path -> properties as XML elements. Any thread."""

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        self._by_path: dict[str, dict[PropertyName, str]] = {}
        self._characters = 0
        self._max_characters = max_characters
        self._guard = threading.Lock()

    def of(self, path: str) -> dict[PropertyName, str]:
        """The properties of a resource; a copy."""
        with self._guard:
            return dict(self._by_path.get(path, {}))

    def update(self, path: str, updates: list[PropertyUpdate]) -> None:
        """Make all changes, or none. Raises StoreFullError."""
        with self._guard:
            new = dict(self._by_path.get(path, {}))
            for update in updates:
                new.pop(update.name, None)
                if update.value is not None:
                    new[update.name] = update.value
            self._put(path, new)

    def _put(self, path: str, new: dict[PropertyName, str]) -> None:
        grown = self._characters + _size(path, new) - _size(path, self._by_path.get(path, {}))
        if grown > self._max_characters:
            raise StoreFullError(path)
        self._characters = grown
        if new:
            self._by_path[path] = new
        else:
            self._by_path.pop(path, None)

    def copy(self, source: str, target: str) -> None:
        """Give the target, and what is below it, the properties of the source. Raises StoreFullError."""
        with self._guard:
            for path, properties in list(self._by_path.items()):
                if path == source or path.startswith(source.rstrip("/") + "/"):
                    self._put(target + path[len(source) :], dict(properties))

    def forget(self, path: str, remains: Callable[[str], bool] | None = None) -> None:
        """The resource and everything below it have gone, except the paths for which ``remains`` is true: drop their
        properties.
        """
        with self._guard:
            for each in [each for each in self._by_path if each == path or each.startswith(path.rstrip("/") + "/")]:
                if remains is None or not remains(each):
                    self._put(each, {})


def _size(path: str, properties: dict[PropertyName, str]) -> int:
    return sum(len(path) + len(name[0]) + len(name[1]) + len(value) for name, value in properties.items())
