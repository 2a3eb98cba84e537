"""Maps application roles to technical roles by a properties file (Tomcat: core/PropertiesRoleMappingListener.java)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from catalina.attributes import Attribute
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.digester.property_file import read_properties
from catalina.errors import LifecycleError
from catalina.lifecycle import LifecycleEvent

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["PropertiesRoleMappingListener"]

log = logging.getLogger("org.apache.catalina.core.PropertiesRoleMappingListener")

_WEBAPP = "webapp:"
_CLASSPATH = "classpath:"


class PropertiesRoleMappingListener(LifecycleListener):
    """Stands in a ``<Context>``. The file's keys are roles of web.xml, its values roles of the realm."""

    role_mapping_file = Attribute(
        str,
        "webapp:/WEB-INF/role-mapping.properties",
        doc="webapp:/path in the application, classpath:path in its classes, a file: URL or a path.",
    )
    key_prefix = Attribute(str, None, doc="Only keys with this prefix count; the rest of the key is the role.")

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Read the file when the application is configured. Raises LifecycleError."""
        if event.type == "configure_start":
            context: StandardContext = event.source  # type: ignore[assignment]  # the listener stands in <Context>
            mappings = self._read(self._path(context))
            context.role_mappings = mappings
            log.debug("Linked [%s] application roles to technical roles", len(mappings))

    def _path(self, context: StandardContext) -> Path:
        name = self.role_mapping_file.strip()
        if not name:
            raise LifecycleError("Role mapping file cannot be empty")
        if name.startswith(_WEBAPP):
            return context.document_root / name.removeprefix(_WEBAPP).lstrip("/")
        if name.startswith(_CLASSPATH):
            return context.document_root / "WEB-INF" / "classes" / name.removeprefix(_CLASSPATH).lstrip("/")
        return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name)

    def _read(self, path: Path) -> dict[str, str]:
        try:
            properties = read_properties(path)
        except OSError as error:
            raise LifecycleError(f"Failed to load role mapping file [{path}]: {error.strerror}") from error
        prefix = self.key_prefix or ""
        return {
            name.removeprefix(prefix): role.strip()
            for name, role in properties.items()
            if name.startswith(prefix) and role.strip()
        }
