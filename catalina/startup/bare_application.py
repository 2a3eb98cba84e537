"""A directory that is a WSGI application without being a web application: ``wsgi.py`` or ``app.py``, no WEB-INF.

Its files are code and data of one program and never served as static content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.descriptor.elements import ServletDef
from catalina.descriptor.web_xml import WebXml
from catalina.errors import DeploymentError
from catalina.webapp import is_distributable

if TYPE_CHECKING:
    from catalina.loader.webapp_loader import WebappLoader

__all__ = ["BareApplication"]

MODULES = ("wsgi", "app")
CALLABLES = ("application", "app")


@dataclass(frozen=True, slots=True)
class BareApplication:
    """The file that makes a directory an application."""

    file: Path

    @classmethod
    def find(cls, directory: Path) -> BareApplication | None:
        """The application in a directory; None when it has a WEB-INF or neither module."""
        if (directory / "WEB-INF").is_dir():
            return None
        for name in MODULES:
            file = directory / f"{name}.py"
            if file.is_file():
                return cls(file)
        return None

    def web_xml(self, loader: WebappLoader) -> WebXml:
        """One servlet for everything; the module is imported to find its callable and the marker on it.

        Raises:
            DeploymentError: the module cannot be imported or has no callable of either name.
        """
        module = loader.load(self.file.stem)
        for name in CALLABLES:
            application = getattr(module, name, None)
            if application is None:
                continue
            servlet = ServletDef("application", f"{self.file.stem}:{name}", load_on_startup=1)
            return WebXml(
                distributable=is_distributable(application, module),
                servlets={servlet.name: servlet},
                servlet_mappings={"/*": servlet.name},
            )
        raise DeploymentError(f"{self.file}: expected a WSGI callable named {' or '.join(CALLABLES)}, found none")
