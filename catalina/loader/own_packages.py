"""Tells if an application wants processes of its own: it says so, or it brings a reason (``isolation="auto"``).

Reasons are packages, compiled modules or a virtual environment of its own, and own code that changes or needs what a
process has once: the places that modules come from (``sys.path``; multiprocessing gives them to its children), and the
configuration of logging. Files are only read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Protocol

from catalina.deploy.declared_requirements import declared_requirements
from catalina.errors import DeploymentError

__all__ = ["pool_reason", "reason_in", "reason_in_archive"]

#: Directories in which projects have what they need.
_ENVIRONMENTS = (".venv", "venv")
_LIBRARY = "WEB-INF/lib/"
_METADATA = (".dist-info", ".egg-info")
_COMPILED = tuple(EXTENSION_SUFFIXES)
#: Words of code that changes its process, or needs it.
_OF_A_PROCESS = re.compile(
    rb"^[^#\n]*?(\bsys\.path(?:\.(?:insert|append|extend)\b|\[[^\]\n]*\]\s*=(?!=)|\s*\+?=(?!=))|\baddsitedir\b"
    rb"|\b(?:import|from)\s+multiprocessing\b|\bProcessPoolExecutor\b|\b(?:dict|file)Config\()",
    re.MULTILINE,
)
#: Directory entries that are looked at for compiled modules, and bytes of source that are read; a larger application
#: has not shown any reason by then.
MOST_ENTRIES = 20_000
MOST_SOURCE = 2 * 2**20


class PoolWish(Protocol):
    """The application, as far as this module asks."""

    @property
    def user(self) -> str | None: ...

    @property
    def isolation(self) -> str: ...

    @property
    def cross_context(self) -> bool: ...

    @property
    def privileged(self) -> bool: ...

    @property
    def document_root(self) -> Path: ...

    @property
    def loader(self) -> PoolLoader: ...


class PoolLoader(Protocol):
    """Its loader."""

    @property
    def installed(self) -> list[str]: ...

    @property
    def venv(self) -> str | None: ...


def pool_reason(context: PoolWish) -> str:
    """Why an application wants a pool of workers of its own, for people; empty when it wants none.

    With ``auto`` one that reaches other applications (``crossContext``), or that works on the container, wants none:
    what it reaches is not in a pool. One with a user of its own always wants a pool.
    """
    if context.user is not None:
        return f"the user [{context.user}]"
    if context.isolation != "auto" or context.cross_context or context.privileged:
        return 'isolation="process"' if context.isolation == "process" else ""
    if context.loader.venv:
        return "a virtual environment"
    return reason_in(context.document_root) or ("installed packages" if context.loader.installed else "")


def reason_in(root: Path) -> str:
    """The reason for processes of its own that the application in a directory brings; empty without one."""
    try:
        declared = declared_requirements(str(root))
        if declared is not None:
            return declared.label
    except DeploymentError:
        return "its requirements"  # they cannot be read; whoever installs them says why
    for name in _ENVIRONMENTS:
        if (root / name / "pyvenv.cfg").exists():
            return name
    files = _files(root)
    return _first_reason((name, (root / name).read_bytes) for name in files)


def _files(root: Path) -> Iterator[str]:
    """Files below a directory, relative to it, with ``/``; a directory of metadata stands for its files."""
    seen = 0
    for place, directories, names in os.walk(root, followlinks=True):  # a circle of links ends with MOST_ENTRIES
        directories.sort()
        inside = Path(place).relative_to(root)
        yield from ((inside / name).as_posix() for name in (*sorted(names), *directories))
        seen += len(directories) + len(names)
        if seen > MOST_ENTRIES:
            return


def reason_in_archive(names: Iterable[str], read: Callable[[str], bytes]) -> str:
    """The same for an archive that is not unpacked; the requirements themselves are not read.

    Args:
        names: in the archive; with ``/``.
        read: the content of a file.
    """
    known = list(names)
    if "requirements.txt" in known:
        return "requirements.txt"
    if "pyproject.toml" in known and b"dependencies" in read("pyproject.toml"):
        return "pyproject.toml"
    return _first_reason((name, partial(read, name)) for name in known)


def _first_reason(files: Iterable[tuple[str, Callable[[], bytes]]]) -> str:
    source = 0
    for name, read in files:
        if name.endswith(_COMPILED) or name.rstrip("/").endswith(_METADATA):
            return name.rstrip("/")
        library = name.removeprefix(_LIBRARY)
        if library != name and library and not library.startswith("."):
            return name
        if name.endswith(".py") and source < MOST_SOURCE:
            try:
                text = read()
            except OSError:
                continue  # it has gone, or is a directory
            source += len(text)
            if found := _OF_A_PROCESS.search(text):
                return f"{name}, which has {found[1].decode().strip()}"
    return ""
