"""Where an application's code lies: WEB-INF/classes, WEB-INF/lib with its wheels, or the directory itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from catalina.deploy.wheel_install import install_wheel_cached

__all__ = ["DEPENDENCIES", "MODULES", "search_path"]

#: Directory below the work directory into which pip installs what the application requires.
DEPENDENCIES = "site-packages"
#: Modules that make a directory an application when they lie in it.
MODULES = ("wsgi", "app")


def search_path(root: str, work: str) -> list[str]:
    """The directories to import from, first match wins.

    Without a WEB-INF that is the directory itself; with one, the directory where ``wsgi.py`` or ``app.py`` lies in it.

    Args:
        root: the application's directory.
        work: its scratch directory; wheels of ``WEB-INF/lib`` are unpacked below it, once per file.

    Raises:
        DeploymentError: a wheel in ``WEB-INF/lib`` cannot be used here; the text says why.
    """
    web_inf = os.path.join(root, "WEB-INF")
    if not os.path.isdir(web_inf):
        path = [root]
    else:
        own = [root] if any(os.path.isfile(os.path.join(root, f"{name}.py")) for name in MODULES) else []
        path = [os.path.join(web_inf, "classes"), *own, *_library_path(os.path.join(web_inf, "lib"), work)]
    path.append(os.path.join(work, DEPENDENCIES))
    return [entry for entry in path if os.path.isdir(entry)]


def _library_path(library: str, work: str) -> list[str]:
    if not os.path.isdir(library):
        return []
    wheels = sorted(name for name in os.listdir(library) if name.lower().endswith(".whl"))
    unpacked = [install_wheel_cached(os.path.join(library, name), os.path.join(work, "lib")) for name in wheels]
    return [library, *unpacked]


def resource_path(code: Iterable[tuple[list[str], list[str]]], work: str) -> list[str]:
    """The directories to import from that ``<Resources>`` adds, in order.

    Several applications may have the same directory, and each module must be one application's: a directory gets a name
    of its own below ``work``, a link.

    Args:
        code: directories and wheels of each set.
        work: the application's scratch directory.

    Raises:
        DeploymentError: a wheel cannot be used here.
    """
    path = []
    for directories, wheels in code:
        path += [_own_name(directory, os.path.join(work, "resources")) for directory in directories]
        path += [install_wheel_cached(wheel, os.path.join(work, "lib")) for wheel in wheels]
    return path


def _own_name(directory: str, links: str) -> str:
    os.makedirs(links, exist_ok=True)
    link = os.path.join(links, hashlib.sha256(os.fsencode(directory)).hexdigest()[:16])
    if not os.path.islink(link):
        os.symlink(directory, link)
    return link
