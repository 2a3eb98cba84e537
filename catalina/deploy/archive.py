"""Finds the kind of an archive and the name of its application from the zip's directory; nothing is unpacked or run.

==========================  ==========================================================================================
wheel                       entry point in ``catalina.webapp`` or ``catalina.webapp.distributable``: its name is the
                            context's base name; else ``WEB-INF/web.xml`` at the root or in the package; else a module
                            with ``application`` or ``app``: the distribution's name is the base name, and the
                            wheel's version always the context's version
``.war``, ``.zip``          with ``WEB-INF/``: the WAR layout; else ``wsgi.py``, ``app.py`` or ``manage.py`` at the
                            root; a ``.war`` may also be only static files, as in Tomcat. The file's name is the
                            context's base name
==========================  ==========================================================================================
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from catalina.deploy.unpacking import open_archive
from catalina.deploy.wheel import EntryPoint, Wheel, read_wheel
from catalina.deploy.wheel_module import find_callable
from catalina.deploy.wheel_tags import check_tags
from catalina.errors import DeploymentError
from catalina.util.context_name import ContextName

__all__ = ["SUFFIXES", "Archive", "is_archive_name", "module_among", "read_archive"]

SUFFIXES = (".war", ".whl", ".zip")
#: Modules that make a directory an application when they lie in it.
MODULES = ("wsgi", "app")
CONTEXT_XML = "META-INF/context.xml"
WEB_XML = "WEB-INF/web.xml"


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that can be deployed, as far as its directory and descriptions tell.

    Args:
        file: absolute path.
        name: the context's path and version.
        has_context_xml: True when it contains ``META-INF/context.xml``.
        wheel: its description if it is a wheel.
        web_root: for a wheel with a web.xml, the directory in it that contains ``WEB-INF``: empty or ``shop/``.
        target: for a wheel without one, the WSGI callable.
    """

    file: str
    name: ContextName
    has_context_xml: bool
    wheel: Wheel | None = None
    web_root: str | None = None
    target: EntryPoint | None = None


def is_archive_name(name: str) -> bool:
    """True when a file name is that of an archive: ``.war``, ``.whl`` or ``.zip`` in any case."""
    return name.lower().endswith(SUFFIXES)


def module_among(files: Iterable[str]) -> str | None:
    """The module that makes a project an application: ``wsgi``, ``app``, or ``mysite.wsgi`` of the one package with
    such a module in a Django project, which has ``manage.py``. None when there is none.

    Args:
        files: paths below the project's directory, with ``/``.
    """
    names = set(files)
    for module in MODULES:
        if f"{module}.py" in names:
            return module
    packages = [name.removesuffix("/wsgi.py") for name in names if name.endswith("/wsgi.py")]
    found = [package for package in packages if package.isidentifier()]
    return f"{found[0]}.wsgi" if "manage.py" in names and len(found) == 1 else None


def read_archive(file: str) -> Archive:
    """Read the description of an archive.

    Raises:
        DeploymentError: it cannot be read, or is no application; one line says why.
    """
    with open_archive(file) as archive:
        if file.lower().endswith(".whl"):
            return _read_wheel(file, archive)
        return _read_zip(file, archive)


def _read_zip(file: str, archive: zipfile.ZipFile) -> Archive:
    names = archive.namelist()
    war_layout = any(name.startswith("WEB-INF/") for name in names)
    if not (war_layout or module_among(names) is not None or file.lower().endswith(".war")):
        raise DeploymentError(
            f"{file}: is no application: neither WEB-INF/ nor wsgi.py, app.py or manage.py at its root"
        )
    stem = os.path.splitext(os.path.basename(file))[0]
    return Archive(file, ContextName.of_file(stem), CONTEXT_XML in names)


def _read_wheel(file: str, archive: zipfile.ZipFile) -> Archive:
    wheel = read_wheel(file, archive)
    check_tags(wheel)
    version = str(wheel.version)
    if wheel.entry_points:
        if len(wheel.entry_points) > 1:
            found = ", ".join(entry.name for entry in wheel.entry_points)
            raise DeploymentError(f"{file}: has {len(wheel.entry_points)} applications ({found}), expected one")
        entry = wheel.entry_points[0]
        return Archive(file, _name(entry.name, version), CONTEXT_XML in wheel.names, wheel, None, entry)
    web_root = _web_root(wheel)
    if web_root is not None:
        return Archive(file, _name(wheel.name, version), web_root + CONTEXT_XML in wheel.names, wheel, web_root)
    target = find_callable(wheel, archive)
    if target is None:
        raise DeploymentError(
            f"{file}: is no application: no entry point in catalina.webapp or catalina.webapp.distributable, "
            f"no {WEB_XML}, and no module with application or app"
        )
    return Archive(file, _name(wheel.name, version), False, wheel, None, EntryPoint(wheel.name, target, False))


def _name(base: str, version: str) -> ContextName:
    return ContextName(ContextName.of_file(base.partition("##")[0]).path, version)


def _web_root(wheel: Wheel) -> str | None:
    """``""`` for ``WEB-INF/web.xml`` at the root, ``shop/`` in the package, None without one."""
    if WEB_XML in wheel.names:
        return ""
    found = sorted(name.removesuffix(WEB_XML) for name in wheel.names if name.endswith("/" + WEB_XML))
    in_packages = [root for root in found if root.count("/") == 1 and not root.endswith(".data/")]
    return in_packages[0] if in_packages else None
