"""An application's own logging.properties (Tomcat: the per-class-loader configuration of
juli/ClassLoaderLogManager.java).

The file lies beside the application's modules (in ``WEB-INF/classes``, or beside ``wsgi.py``). It configures the
loggers of the application's own top-level modules, ``logging.getLogger(__name__)``. Without the file they log to the
node's root logger; with it they do not.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.digester.property_file import read_properties
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["ApplicationLogging"]

log = logging.getLogger("org.apache.juli.ClassLoaderLogManager")

FILE = "logging.properties"


class ApplicationLogging:
    """The file of one context, which applies between :meth:`start` and :meth:`stop`."""

    def __init__(self) -> None:
        self._manager: ClassLoaderLogManager | None = None

    def start(self, context: StandardContext) -> None:
        """Read the file if there is one, once the loader has started. A file that cannot be read is logged."""
        space = context.loader.space
        path = self._path(context)
        if space is None or path is None:
            return
        try:
            settings = read_properties(path)
        except OSError as error:
            log.error("The file [%s] cannot be read: %s", path, error.strerror)
            return
        self._manager = ClassLoaderLogManager(settings, self._properties(context))
        # Two applications may have modules of one name, so each takes only the records of its own files.
        self._manager.configure(sorted(space.claimed), lambda record: space.owns_file(record.pathname))

    def stop(self) -> None:
        """Remove the handlers and close their files."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.close()

    @staticmethod
    def _path(context: StandardContext) -> Path | None:
        root = context.document_root
        places = (root / "WEB-INF" / "classes" / FILE, root / FILE)
        return next((path for path in places if path.is_file()), None)

    @staticmethod
    def _properties(context: StandardContext) -> dict[str, str]:
        """The node's properties, and Tomcat's properties for the application's place."""
        server = context.server
        engine = context.host.parent
        return {
            **(server.properties if server is not None else {}),
            "classloader.webappName": context.base_name,
            "classloader.hostName": context.host.name,
            "classloader.serviceName": engine.name if engine is not None else "",
        }
