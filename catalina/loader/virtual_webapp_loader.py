"""A Loader with directories outside the application (Tomcat 7: loader/VirtualWebappLoader.java)."""

from __future__ import annotations

import logging
import os

from catalina.attributes import Attribute
from catalina.loader.webapp_loader import WebappLoader

__all__ = ["VirtualWebappLoader"]

log = logging.getLogger("org.apache.catalina.loader.VirtualWebappLoader")


class VirtualWebappLoader(WebappLoader):
    """Adds directories to an application's code. Since Tomcat 8 PreResources and PostResources at /WEB-INF/classes do
    the same.
    """

    virtual_classpath = Attribute(
        str,
        "",
        doc="Directories and wheels outside of the application, separated by semicolons; dir/*.jar takes wheels.",
    )
    search_virtual_first = Attribute(bool, False, doc="They come in front of WEB-INF/classes and WEB-INF/lib.")

    def other_code(self) -> tuple[list[str], list[str]]:
        """The code of the resource sets, and the existing directories of virtualClasspath."""
        before, after = super().other_code()
        return (before + self._virtual(), after) if self.search_virtual_first else (before, after + self._virtual())

    def _virtual(self) -> list[str]:
        found = []
        for entry in filter(None, (part.strip() for part in self.virtual_classpath.split(";"))):
            path = os.path.dirname(entry) if os.path.basename(entry) in ("*.jar", "*.whl") else entry
            if os.path.exists(path):
                found.append(os.path.abspath(path))
            else:
                log.warning("%s: virtualClasspath names [%s], which does not exist", self, entry)
        return found
