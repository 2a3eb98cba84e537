"""The resources of a server or an application, by name (Tomcat: deploy/NamingResourcesImpl.java)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import AttributeRefused, Element
from catalina.errors import NamingError
from catalina.lifecycle import Lifecycle
from catalina.mbeans.object_name import ObjectName, quote
from catalina.naming.naming_context import NamingContext
from catalina.naming.resource_binder import ResourceBinder
from catalina.operations import operation, readable
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink
from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalina.tomcat.util.descriptor.web.context_transaction import ContextTransaction

    Entry = ResourceBase | ContextTransaction

__all__ = ["NamingResourcesImpl"]

log = logging.getLogger("org.apache.catalina.deploy.NamingResourcesImpl")

_WEB = "org.apache.tomcat.util.descriptor.web."
#: The domain of these beans, whatever the engine is called.
_DOMAIN = "Catalina"

#: Types of resources that can be added and changed at run time. The container's own factories make their objects: a
#: factory that a client names would be code of the client's choice.
RUN_TIME_TYPES = frozenset(
    ("javax.sql.DataSource", "javax.sql.XADataSource", "org.apache.tomcat.jdbc.pool.DataSource",
     "jakarta.mail.Session", "javax.mail.Session")
)  # fmt: skip
#: Attributes of any Resource that can be changed at run time.
_HARMLESS = ("name", "auth", "scope", "description")


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
        self._changing = threading.RLock()

    def __str__(self) -> str:
        return f"NamingResources[{self.container}]"

    def add(self, entry: Entry) -> None:
        """Add an element, and bind it at once if this runs. The later of two elements with one name counts."""
        name = entry.name
        with self._changing:
            if name and any(other.name == name for other in self.entries):
                log.warning("%s: the name [%s] is there already; the later definition counts", entry.place, name)
                self.entries = [other for other in self.entries if other.name != name]
            self.entries = [*self.entries, entry]
            if self.state.available:
                self._bind(self._binder(), entry)

    def remove(self, entry: Entry) -> None:
        """Remove an element, and end what was made from it."""
        with self._changing:
            self.entries = [other for other in self.entries if other is not entry]
            if self.state.available:
                self.names.unbind(entry.name)

    def change(self, entry: ResourceBase, name: str, text: str) -> bool:
        """See :class:`Owner`. Code that has the old object keeps it; the next look-up gives a new one."""
        changed = entry.changed(name, text)
        if isinstance(changed, ContextResource) and name not in _HARMLESS:
            self._must_be_changeable(changed, name)
        with self._changing:
            if name == "name" and changed.name != entry.name and any(each.name == text for each in self.entries):
                raise AttributeRefused("a name that is not there yet")
            try:
                self._binder(NamingContext()).bind(changed)
            except NamingError as error:
                raise AttributeRefused(f"what can be bound ({error})") from error
            self.names.unbind(entry.name)
            entry.owner = None
            known = entry.set_attribute(name, text)
            self._bind(self._binder(), entry)
        return known

    @staticmethod
    def _must_be_changeable(changed: ContextResource, name: str) -> None:
        if changed.type not in RUN_TIME_TYPES:
            raise AttributeRefused(f"one of the types {', '.join(sorted(RUN_TIME_TYPES))}: others are configured")
        if name in ("factory", "closeMethod"):
            raise AttributeRefused("the value of the configuration: it names code")

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
        for entry in self.entries:
            if isinstance(entry, ResourceBase):
                entry.owner = None
        self.names.close()

    # -- as a bean -----------------------------------------------------------------------------------------------

    def bean_name(self, entry: Entry) -> ObjectName:
        """The name of an element's bean."""
        keys = {"resourcetype": "Global"}
        if self.container is not None and self.container is not self._server():
            context = self.container
            keys = {"resourcetype": "Context", "host": context.host.name, "context": context.name or "/"}
        kind = {"type": type(entry).__name__.removeprefix("Context"), **keys}
        if isinstance(entry, ContextResource):
            kind["class"] = str(entry.type)
        return ObjectName(_DOMAIN, {**kind, "name": quote(str(entry.name))})

    @property
    @readable("environments", doc="Names of the beans of its Environments.")
    def environment_names(self) -> list[str]:
        return self._bean_names(ContextEnvironment)

    @property
    @readable("resources", doc="Names of the beans of its Resources.")
    def resource_names(self) -> list[str]:
        return self._bean_names(ContextResource)

    @property
    @readable("resourceLinks", doc="Names of the beans of its ResourceLinks.")
    def resource_link_names(self) -> list[str]:
        return self._bean_names(ContextResourceLink)

    def _bean_names(self, kind: type[ResourceBase]) -> list[str]:
        return [str(self.bean_name(entry)) for entry in self.entries if isinstance(entry, kind)]

    @operation(lasting="environment", type="Java's class of the value.", value="The value as text.")
    def add_environment(self, env_name: str, type: str, value: str) -> str:
        """Bind a value, until the server ends; returns the name of its bean."""
        return self._add_new("environment", ContextEnvironment(name=env_name, type=type, value=value))

    @operation(lasting="resource", type="Java's class of the object: a DataSource or a mail session.")
    def add_resource(self, resource_name: str, type: str) -> str:
        """Bind a resource, whose bean then takes its properties; returns the name of this bean."""
        if type not in RUN_TIME_TYPES:
            raise ValueError(f"Invalid resource type '{type}': expected {', '.join(sorted(RUN_TIME_TYPES))}")
        return self._add_new("resource", ContextResource(name=resource_name, type=type))

    @operation(lasting="link")
    def add_resource_link(self, resource_link_name: str, type: str) -> str:
        """Bind a link, whose bean then takes the global name; returns the name of this bean."""
        return self._add_new("resource link", ContextResourceLink(name=resource_link_name, type=type))

    @operation(lasting="environment")
    def remove_environment(self, env_name: str) -> None:
        """Remove a value."""
        self._remove_named("environment", ContextEnvironment, env_name)

    @operation(lasting="resource")
    def remove_resource(self, resource_name: str) -> None:
        """Remove a resource, and end its object."""
        self._remove_named("resource", ContextResource, resource_name)

    @operation(lasting="link")
    def remove_resource_link(self, resource_link_name: str) -> None:
        """Remove a link; the global resource stays."""
        self._remove_named("resource link", ContextResourceLink, resource_link_name)

    def _add_new(self, words: str, entry: ResourceBase) -> str:
        with self._changing:
            if not entry.name or any(other.name == entry.name for other in self.entries):
                raise ValueError(f"Invalid {words} name - already exists '{entry.name}'")
            try:
                self._binder(NamingContext()).bind(entry)
            except NamingError as error:
                raise ValueError(str(error)) from error
            self.add(entry)
        return str(self.bean_name(entry))

    def _remove_named(self, words: str, kind: type[ResourceBase], name: str) -> None:
        with self._changing:
            entry = next((each for each in self.entries if isinstance(each, kind) and each.name == name), None)
            if entry is None:
                raise ValueError(f"Invalid {words} name '{name}'")
            self.remove(entry)

    # -- binding -------------------------------------------------------------------------------------------------

    def _bind(self, binder: ResourceBinder, entry: Entry) -> None:
        """Bind one element. A wrong element affects only its own name."""
        if isinstance(entry, ResourceBase):
            entry.owner = self
        try:
            binder.bind(entry)
        except NamingError as error:
            log.error("%s", error)

    def _binder(self, names: NamingContext | None = None) -> ResourceBinder:
        server = self._server()
        base = Path(server.catalina_base) if server is not None else Path.cwd()
        properties: Mapping[str, str] = server.properties if server is not None else {}
        above = None if server is None or server is self.container else server.global_naming_resources
        return ResourceBinder(
            self.names if names is None else names,
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
