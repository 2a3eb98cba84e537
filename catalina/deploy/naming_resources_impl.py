"""The resources of a server or an application, by name (Tomcat: deploy/NamingResourcesImpl.java)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Element
from catalina.errors import NamingError
from catalina.lifecycle import Lifecycle
from catalina.naming.naming_context import NamingContext
from catalina.naming.resource_binder import ResourceBinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalina.tomcat.util.descriptor.web.context_transaction import ContextTransaction
    from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase

    Entry = ResourceBase | ContextTransaction

__all__ = ["NamingResourcesImpl"]

log = logging.getLogger("org.apache.catalina.deploy.NamingResourcesImpl")

_WEB = "org.apache.tomcat.util.descriptor.web."


def _entry(class_name: str) -> Element:
    return Element(add=lambda resources, entry: resources.add(entry), default=_WEB + class_name)


class NamingResourcesImpl(Lifecycle):
    """Elements by name, and the objects made from them while this runs.

    ``container`` is the server (``<GlobalNamingResources>``) or a context, whose links lead to the server's resources.
    """

    elements = {
        "Environment": _entry("ContextEnvironment"),
        "Resource": _entry("ContextResource"),
        "ResourceEnvRef": _entry("ContextResourceEnvRef"),
        "ResourceLink": _entry("ContextResourceLink"),
        "Transaction": _entry("ContextTransaction"),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.container: Any = None
        self.entries: list[Entry] = []
        self.names = NamingContext()

    def __str__(self) -> str:
        return f"NamingResources[{self.container}]"

    def add(self, entry: Entry) -> None:
        """Add an element, and bind it at once if this runs. The later of two elements with one name counts."""
        name = entry.name
        if name and any(other.name == name for other in self.entries):
            log.warning("%s: the name [%s] is there already; the later definition counts", entry.place, name)
            self.entries = [other for other in self.entries if other.name != name]
        self.entries.append(entry)
        if self.state.available:
            self._bind(self._binder(), entry)

    def lookup(self, name: str) -> Any:
        """The object with a name, with or without ``java:comp/env/``.

        Raises:
            NamingError: the name is not bound, or its object cannot be made.
        """
        return self.names.lookup(name)

    def _start(self) -> None:
        binder = self._binder()
        for entry in self.entries:
            self._bind(binder, entry)

    def _stop(self) -> None:
        self.names.close()

    def _bind(self, binder: ResourceBinder, entry: Entry) -> None:
        """Bind one element. A wrong element affects only its own name."""
        try:
            binder.bind(entry)
        except NamingError as error:
            log.error("%s", error)

    def _binder(self) -> ResourceBinder:
        server = self._server()
        base = Path(server.catalina_base) if server is not None else Path.cwd()
        properties: Mapping[str, str] = server.properties if server is not None else {}
        above = None if server is None or server is self.container else server.global_naming_resources
        return ResourceBinder(
            self.names,
            base,
            properties,
            global_lookup=None if above is None else above.lookup,
            load=self._loader(),
        )

    def _server(self) -> Any:
        """The container itself if it is the server, otherwise the server that it belongs to."""
        container = self.container
        if container is None or hasattr(container, "global_naming_resources"):
            return container
        return container.server

    def _loader(self) -> Callable[[str], object] | None:
        """The application's function to find objects by name; the server has none."""
        loader = getattr(self.container, "loader", None)
        return None if loader is None else loader.load
