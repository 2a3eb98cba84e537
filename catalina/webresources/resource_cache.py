"""Remembers the resource at each path for a few seconds, small files with content (Tomcat: webresources/Cache.java)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from catalina.webresources.resource import Resource

__all__ = ["ResourceCache"]

#: Bytes that an entry takes besides its content (Tomcat: CachedResource.CACHE_ENTRY_SIZE).
ENTRY_SIZE = 500


class ResourceCache:
    """Path -> resource, also for paths without a resource; bounded in bytes.

    Args:
        find: asks the resource sets.
        ttl: seconds an entry counts without a look at the file system.
        max_bytes: the limit for all entries together; beyond it the oldest are dropped.
        max_object_bytes: content of larger files is not kept.
    """

    def __init__(self, find: Callable[[str], Resource], ttl: float, max_bytes: int, max_object_bytes: int) -> None:
        self._find = find
        self.ttl = ttl
        self.max_bytes = max_bytes
        self.max_object_bytes = min(max_object_bytes, max_bytes // 20)
        self.size = 0
        self.lookups = 0
        self.hits = 0
        self._entries: dict[str, tuple[float, Resource]] = {}
        self._lock = threading.Lock()

    def get(self, path: str) -> Resource:
        """The resource at the path, as it was at most ``ttl`` seconds ago."""
        self.lookups += 1
        now = time.monotonic()
        entry = self._entries.get(path)
        if entry is not None and entry[0] > now:
            self.hits += 1
            return entry[1]
        found = self._find(path)
        if entry is not None and found.exists and found.mtime_ms == entry[1].mtime_ms and found.size == entry[1].size:
            found.content = entry[1].content
        self._put(path, now + self.ttl, found)
        return found

    def content(self, resource: Resource) -> bytes | None:
        """The content of a small file, read once; None for one that is not kept in memory. Raises OSError."""
        if resource.content is None and resource.is_file and resource.size <= self.max_object_bytes:
            data = resource.read()
            if len(data) != resource.size:
                return data  # the file is being written right now
            with self._lock:
                entry = self._entries.get(resource.path)
                if entry is not None and entry[1] is resource and resource.content is None:
                    resource.content = data
                    self.size += len(data)
            return data
        return resource.content

    def _put(self, path: str, expires: float, resource: Resource) -> None:
        with self._lock:
            self._drop(path)
            self._entries[path] = (expires, resource)
            self.size += self._cost(resource)
            while self.size > self.max_bytes and len(self._entries) > 1:
                self._drop(next(iter(self._entries)))

    def _drop(self, path: str) -> None:
        entry = self._entries.pop(path, None)
        if entry is not None:
            self.size -= self._cost(entry[1])

    @staticmethod
    def _cost(resource: Resource) -> int:
        return ENTRY_SIZE + 2 * len(resource.path) + len(resource.content or b"")

    def forget(self, path: str) -> None:
        """This server has changed the file at the path."""
        with self._lock:
            self._drop(path)

    def drop_expired(self) -> None:
        """Free the memory of entries that nobody has asked for since they expired."""
        now = time.monotonic()
        with self._lock:
            for path in [path for path, entry in self._entries.items() if entry[0] <= now]:
                self._drop(path)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.size = 0
