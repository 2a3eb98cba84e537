"""The JNDI names of one application: those that its Context declares, and those that its web.xml adds.

Tomcat: StandardContext with deploy/NamingResourcesImpl.java, ContextConfig.configureContext.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.descriptor.elements import EnvEntry, ResourceRef
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource_env_ref import ContextResourceEnvRef

__all__ = ["ContextNaming"]

_OVERRIDABLE = (ContextEnvironment, ContextResourceEnvRef)

log = logging.getLogger("org.apache.catalina.core.StandardContext")


class ContextNaming(NamingResourcesImpl):
    """Resources of a context. The entries of its descriptor exist from one start to the stop."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._from_descriptor: list[ContextEnvironment] = []

    def set_descriptor(self, env_entries: Mapping[str, EnvEntry], resource_refs: Mapping[str, ResourceRef]) -> None:
        """Make entries from ``<env-entry>`` of web.xml; an Environment of the Context with override="false" wins over
        them.
        """
        fixed = {each.name for each in self.entries if isinstance(each, _OVERRIDABLE) and not each.override}
        for entry in env_entries.values():
            if entry.value is None or entry.name in fixed:
                continue  # an entry without a value binds nothing
            environment = ContextEnvironment(name=entry.name, type=entry.type, value=entry.value)
            environment.place = entry.place
            self._from_descriptor.append(environment)
            self.add(environment)
        declared = {each.name for each in self.entries}
        for reference in resource_refs.values():
            if reference.name not in declared:
                log.debug("%s: resource-ref [%s] has no Resource or ResourceLink", reference.place, reference.name)

    def forget_descriptor(self) -> None:
        """Remove the descriptor's entries, because the application stops; the next start reads the descriptor anew."""
        self.entries = [entry for entry in self.entries if entry not in self._from_descriptor]
        self._from_descriptor.clear()
