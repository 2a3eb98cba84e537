"""The names of one application: what its Context and web.xml declare, looked up at run time.

Tomcat: core/NamingContextListener.java; which of two entries with one name counts: NamingResourcesImpl.addEnvironment.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalina.attributes import Component
from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.descriptor.elements import EnvEntry, ResourceRef
from catalina.errors import NamingError
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["ContextNaming"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")


class ContextNaming:
    """Collects the entries; they are bound while the application runs."""

    def __init__(self, context: StandardContext) -> None:
        self._context = context
        self.entries: list[Component] = []
        self.env_entries: Mapping[str, EnvEntry] = {}
        self.resource_refs: Mapping[str, ResourceRef] = {}
        self._resources: NamingResourcesImpl | None = None

    def add(self, entry: Component) -> None:
        """``<Environment>``, ``<Resource>``, ``<ResourceLink>`` ... of the Context."""
        self.entries.append(entry)
        if self._resources is not None:
            self._resources.add(entry)

    def set_descriptor(self, env_entries: Mapping[str, EnvEntry], resource_refs: Mapping[str, ResourceRef]) -> None:
        """``<env-entry>`` and ``<resource-ref>`` of web.xml."""
        self.env_entries = env_entries
        self.resource_refs = resource_refs

    def start(self) -> None:
        """Bind the names. Objects are made when they are first looked up."""
        resources = NamingResourcesImpl()
        resources.container = self._context
        named = {str(getattr(entry, "name", "")): entry for entry in self.entries}
        for entry in self.entries:
            if not self._descriptor_wins(entry):
                resources.add(entry)
        for env_entry in self.env_entries.values():
            if env_entry.name not in named or self._descriptor_wins(named[env_entry.name]):
                _add_env_entry(resources, env_entry)
        for reference in self.resource_refs.values():
            if reference.name not in named:
                self._add_reference(resources, reference)
        resources.start()
        self._resources = resources

    def stop(self) -> None:
        """Unbind them and close what was opened for this application."""
        resources, self._resources = self._resources, None
        if resources is not None:
            resources.stop()

    def lookup(self, name: str) -> Any:
        """See :meth:`ApplicationContext.lookup`."""
        resources = self._resources
        if resources is None:
            raise NamingError(f"Name [{name}] is not bound: the application [{self._context.name}] does not run")
        return resources.lookup(name)

    def _descriptor_wins(self, entry: Component) -> bool:
        """Whether web.xml has an env-entry in place of this Environment, which allows it (``override``)."""
        return isinstance(entry, ContextEnvironment) and entry.override and self._has_value(entry.name)

    def _has_value(self, name: str) -> bool:
        env_entry = self.env_entries.get(name)
        return env_entry is not None and (env_entry.value is not None or env_entry.lookup_name is not None)

    def _add_reference(self, resources: NamingResourcesImpl, reference: ResourceRef) -> None:
        """A resource-ref that no element of the Context satisfies: a global resource of that name, if there is one."""
        server = self._context.server
        available = None if server is None else server.global_naming_resources
        if reference.lookup_name:
            alias = ContextResource(name=reference.name, type=reference.type, lookup_name=reference.lookup_name)
            resources.add(alias)
        elif available is not None and reference.name in available.names:
            resources.add(ContextResourceLink(name=reference.name, type=reference.type, global_name=reference.name))
        else:
            log.info("%s: no Resource or ResourceLink has the name [%s]", reference.place, reference.name)


def _add_env_entry(resources: NamingResourcesImpl, env_entry: EnvEntry) -> None:
    """An env-entry without value and lookup-name is not bound, as in Tomcat."""
    entry = ContextEnvironment(name=env_entry.name, type=env_entry.type)
    if env_entry.lookup_name is not None:
        entry.lookup_name = env_entry.lookup_name
    elif env_entry.value is not None:
        entry.value = env_entry.value
    else:
        return
    entry.place = env_entry.place
    resources.add(entry)
