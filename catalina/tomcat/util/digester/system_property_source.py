"""``${name}`` from the properties of ``-Dname=value`` and catalina.properties (Tomcat:
Digester.SystemPropertySource)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SystemPropertySource"]


class SystemPropertySource:
    """The node's own properties.

    Args:
        properties: read at every lookup, so later changes count.
    """

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._properties = properties

    def get_property(self, name: str) -> str | None:
        """The property of that name, None when it is not set."""
        return self._properties.get(name)
