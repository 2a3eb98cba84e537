"""Shows the users of the global user databases as beans (Tomcat: mbeans/GlobalResourcesLifecycleListener.java)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from catalina.attributes import Component
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.object_name import ObjectName

__all__ = ["GlobalResourcesLifecycleListener"]

log = logging.getLogger("org.apache.catalina.mbeans.GlobalResourcesLifecycleListener")

_USER_DATABASE = "org.apache.catalina.UserDatabase"


class GlobalResourcesLifecycleListener(Component):
    """Stands in ``<Server>``; from start to stop the users, groups and roles are beans in the domain ``Users``."""

    def __init__(self) -> None:
        super().__init__()
        self._server: Any = None

    def __call__(self, event: LifecycleEvent) -> None:
        """Begin on ``start``, end on ``stop``. Passwords are not shown."""
        registry = getattr(event.source, "mbeans", None)
        if registry is None:
            return
        if event.type == "start":
            self._server = event.source
            registry.add_source(self.beans)
        elif event.type == "stop":
            registry.remove_source(self.beans)
            self._server = None

    def beans(self) -> Iterator[tuple[ObjectName, Component]]:
        """The databases and what is in them."""
        resources = getattr(self._server, "global_naming_resources", None)
        for entry in getattr(resources, "entries", ()):
            if getattr(entry, "type", None) == _USER_DATABASE:
                database = resources.lookup(entry.name)  # type: ignore[union-attr]  # it has entries
                yield ObjectName("Users", {"type": "UserDatabase", "database": entry.name}), database
                yield from database.entry_beans()
