"""``type=StringCache``: texts that requests bring again (Tomcat: the bean of util/buf/StringCache.java)."""

from __future__ import annotations

from catalina.attributes import Component
from catalina.connector.parameters import remembered_cookies
from catalina.operations import operation

__all__ = ["StringCacheBean"]


class StringCacheBean(Component):
    """The cookies of requests: a client sends the same ones again, and they are parsed once."""

    bean_class = "org.apache.tomcat.util.buf.StringCache"

    @property
    def access_count(self) -> int:
        """Requests whose cookies were looked up."""
        counts = remembered_cookies.cache_info()
        return counts.hits + counts.misses

    @property
    def hit_count(self) -> int:
        """Requests whose cookies were known."""
        return remembered_cookies.cache_info().hits

    @property
    def cache_size(self) -> int:
        """Texts that are remembered, at most."""
        return remembered_cookies.cache_info().maxsize or 0

    @operation
    def reset(self) -> None:
        """Forget the texts and the counts."""
        remembered_cookies.cache_clear()
