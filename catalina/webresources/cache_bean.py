"""``type=WebResourceRoot,...,name=Cache``: the memory that the cache of an application's files takes, and its
effect.
"""

from __future__ import annotations

from catalina.attributes import Component
from catalina.operations import Long, operation
from catalina.webresources.resource_cache import ResourceCache

__all__ = ["CacheBean"]


class CacheBean(Component):
    """The server's cache of an application's files."""

    bean_class = "org.apache.catalina.webresources.Cache"

    def __init__(self, cache: ResourceCache) -> None:
        super().__init__()
        self._cache = cache

    @property
    def hit_count(self) -> Long:
        """Look-ups that memory has answered."""
        return self._cache.hits

    @property
    def lookup_count(self) -> Long:
        """Look-ups of a path."""
        return self._cache.lookups

    @property
    def max_size(self) -> Long:
        """Memory that it may take, in KiB."""
        return self._cache.max_bytes // 1024

    @property
    def object_max_size(self) -> int:
        """Size of the largest file whose content is kept, in KiB."""
        return self._cache.max_object_bytes // 1024

    @property
    def size(self) -> Long:
        """Memory that it takes, in KiB."""
        return self._cache.size // 1024

    @property
    def ttl(self) -> Long:
        """How long an entry counts without a look at the file system, in ms."""
        return int(self._cache.ttl * 1000)

    @operation
    def clear(self) -> None:
        """Forget everything."""
        self._cache.clear()
