"""A directory that is a single WSGI application: it has ``wsgi.py`` or ``app.py``, or is a Django project, and has no
servlets in a web.xml.

Its files are the code and data of a program, and are never served as static content. A WEB-INF may stand beside the
module: its libraries, and the sessions, filters and constraints of its web.xml, belong to the application.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.descriptor.elements import ServletDef
from catalina.descriptor.web_xml import WebXml
from catalina.errors import DeploymentError
from catalina.loader.search_path import bare_module
from catalina.webapp import is_distributable

if TYPE_CHECKING:
    from catalina.loader.webapp_loader import WebappLoader

__all__ = ["BareApplication", "stray_source"]

CALLABLES = ("application", "app")
#: Directory entries that are searched for source code; a newcomer's project has fewer at its top.
_MAX_ENTRIES = 2000


def stray_source(directory: Path) -> Path | None:
    """A Python source file at the top of a directory or one level below, None when there is none; for directories
    without an application.
    """
    seen = 0
    for place, names, files in _walk(directory):
        found = sorted(name for name in files if name.endswith(".py"))
        if found:
            return Path(place, found[0])
        seen += len(names) + len(files)
        if seen > _MAX_ENTRIES:
            break
    return None


def _walk(directory: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """The directory, then those directly in it."""
    for place, names, files in os.walk(directory):
        if place != str(directory):
            names.clear()
        yield place, names, files


@dataclass(frozen=True, slots=True)
class BareApplication:
    """The file that makes a directory an application, and its module's name."""

    file: Path
    module: str

    @classmethod
    def find(cls, directory: Path) -> BareApplication | None:
        """The application in a directory; None when it has no such module."""
        module = bare_module(str(directory)) if directory.is_dir() else None
        return None if module is None else cls(directory.joinpath(*module.split(".")).with_suffix(".py"), module)

    def web_xml(self, loader: WebappLoader, own: WebXml) -> WebXml:
        """A descriptor with one servlet for all URLs. The module is imported to find its callable and the callable's
        marker.

        Args:
            own: the application's own descriptor, which names no servlets.

        Raises:
            DeploymentError: the module cannot be imported, or has no callable of either name.
        """
        module = loader.load(self.module)
        for name in CALLABLES:
            application = getattr(module, name, None)
            if application is None:
                continue
            servlet = ServletDef("application", f"{self.module}:{name}", load_on_startup=1)
            return replace(
                own,
                distributable=own.distributable or is_distributable(application, module),
                servlets={servlet.name: servlet},
                servlet_mappings={"/*": servlet.name},
            )
        raise DeploymentError(f"{self.file}: expected a WSGI callable named {' or '.join(CALLABLES)}, found none")
