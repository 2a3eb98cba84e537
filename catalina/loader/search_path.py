"""Finds an application's code: WEB-INF/classes, WEB-INF/lib with its wheels, or the directory itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from catalina.deploy.archive import module_among
from catalina.deploy.wheel_install import install_wheel_cached

__all__ = ["bare_module", "own_link", "search_path"]


def bare_module(root: str) -> str | None:
    """The module that makes a directory an application (:func:`module_among`); None when there is none."""
    if not os.path.isdir(root):
        return None
    with os.scandir(root) as listing:
        entries = list(listing)
    files = [entry.name for entry in entries if entry.is_file()]
    below = [f"{entry.name}/wsgi.py" for entry in entries if os.path.isfile(os.path.join(entry.path, "wsgi.py"))]
    return module_among([*files, *below])


def search_path(root: str, work: str, before: Iterable[str] = (), after: Iterable[str] = ()) -> list[str]:
    """The directories to import from, first match wins.

    An application without a WEB-INF has its own directory. If it has one, its own directory counts only when it is an
    application by itself (:func:`bare_module`).

    Args:
        root: the application's directory.
        work: its work directory; wheels of ``WEB-INF/lib`` are unpacked below it, once per file.
        before: directories of resource sets that come before the application's own; wheels in them count, too.
        after: directories of resource sets that come behind the application's own.

    Raises:
        DeploymentError: a wheel in ``WEB-INF/lib`` cannot be used here; the text says why.
    """
    web_inf = os.path.join(root, "WEB-INF")
    if not os.path.isdir(web_inf):
        path = [root]
    else:
        own = [root] if bare_module(root) is not None else []
        path = [os.path.join(web_inf, "classes"), *own, *_library_path(os.path.join(web_inf, "lib"), work)]
    path = [*_others(before, work), *path, *_others(after, work)]
    return [entry for entry in path if os.path.isdir(entry)]


def _others(directories: Iterable[str], work: str) -> list[str]:
    """Directories and the wheels in them; a path that is itself a wheel is unpacked, too.

    Several applications may use the same directory, but each module belongs to one application, found by the module's
    file. So each application gets a link of its own to the directory, below ``work``.
    """
    found: list[str] = []
    for path in directories:
        if os.path.isfile(path):
            found.append(install_wheel_cached(path, os.path.join(work, "lib")))
        elif os.path.isdir(path):
            found += _library_path(own_link(path, work), work)
    return found


def own_link(directory: str, work: str) -> str:
    """An application's own name for a directory that others may use, too: a link below its work directory."""
    links = os.path.join(work, "resources")
    os.makedirs(links, exist_ok=True)
    link = os.path.join(links, hashlib.sha256(os.fsencode(directory)).hexdigest()[:16])
    if not os.path.islink(link):
        os.symlink(directory, link)
    return link


def _library_path(library: str, work: str) -> list[str]:
    if not os.path.isdir(library):
        return []
    wheels = sorted(name for name in os.listdir(library) if name.lower().endswith(".whl"))
    unpacked = [install_wheel_cached(os.path.join(library, name), os.path.join(work, "lib")) for name in wheels]
    return [library, *unpacked]
