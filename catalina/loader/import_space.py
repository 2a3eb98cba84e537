"""The imports of one application: its path, the top-level names that it brings, and its modules under clashing
names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES, all_suffixes
from types import ModuleType
from typing import Any

__all__ = ["ImportSpace", "deciding_name"]

#: An adapter belongs to the owner of its framework: ``catalina.contrib.flask`` is built on one Flask, so two
#: applications that bring Flask have an adapter each.
_ADAPTERS = "catalina.contrib."

_SUFFIXES = sorted(all_suffixes(), key=len, reverse=True)


def deciding_name(full: str) -> str:
    """The top-level name that decides who owns a module: for an adapter its framework's, otherwise the module's own."""
    return full.removeprefix(_ADAPTERS).partition(".")[0]


class ImportSpace:
    """One application's view of imports.

    Args:
        name: the context's name, for messages.
        path: directories searched for top-level modules, in order.
        roots: directories whose code belongs to the application, including those of the path.
        delegate: search the container's environment first, and the application's path only for modules that it lacks.
    """

    def __init__(self, name: str, path: Iterable[str], roots: Iterable[str] = (), delegate: bool = False) -> None:
        self.name = name
        self.path = [os.path.abspath(entry) for entry in path]
        self.roots = tuple({_as_prefix(root) for root in (*self.path, *roots)})
        self.delegate = delegate
        self.top_level = frozenset(name for entry in self.path for name in _top_level_names(entry))
        #: Names that are taken from the container's environment although the application brings them.
        self.yielded: set[str] = set()
        #: Modules by full name, only those under a clashing top-level name; the others are in ``sys.modules``.
        self.modules: dict[str, ModuleType] = {}
        self.active = True
        #: The application's session manager, for code of the application that runs outside a request.
        self.session_manager: Any = None
        #: Frameworks that were told to keep their sessions in the container.
        self.adopted: set[str] = set()

    def __repr__(self) -> str:
        return f"ImportSpace({self.name!r})"

    def owns_file(self, file: str) -> bool:
        """True when a source file or directory lies in this application."""
        return file.startswith(self.roots) or f"{file}{os.sep}" in self.roots

    def owns_module(self, module: ModuleType) -> bool:
        """True when a module was loaded from this application's files."""
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            return self.owns_file(file)
        places = getattr(module, "__path__", ())  # a namespace package has only a path
        return any(isinstance(place, str) and self.owns_file(place) for place in places)

    def has_compiled(self, top_level: str) -> bool:
        """True when a package of this application contains compiled modules."""
        suffixes = tuple(EXTENSION_SUFFIXES)
        for entry in self.path:
            directory = os.path.join(entry, top_level)
            if any(name.endswith(suffixes) for _, _, names in os.walk(directory) for name in names):
                return True
            if any(os.path.exists(directory + suffix) for suffix in suffixes):
                return True
        return False

    @property
    def claimed(self) -> frozenset[str]:
        """The top-level names that mean this application's own module in its own code."""
        return self.top_level - sys.stdlib_module_names - self.yielded


def _as_prefix(directory: str) -> str:
    return os.path.join(os.path.abspath(directory), "")


def _top_level_names(entry: str) -> set[str]:
    """Modules and packages directly in a directory; every directory may be a namespace package."""
    found: set[str] = set()
    try:
        listing = list(os.scandir(entry))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for item in listing:
        if item.is_dir():
            name = item.name
        else:
            suffix = next((suffix for suffix in _SUFFIXES if item.name.endswith(suffix)), None)
            if suffix is None:
                continue
            name = item.name[: -len(suffix)]
        if name.isidentifier() and name != "__pycache__":
            found.add(name)
    return found
