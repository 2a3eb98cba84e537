"""Tells if an application brings packages of its own, for ``isolation="auto"``."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

__all__ = ["brings_packages"]

#: Files and directories by which projects say what they need.
_SIGNS = ("requirements.txt", "pyproject.toml", ".venv")
#: Directory entries that are looked at for compiled modules; a larger application has not shown any by then.
MOST_ENTRIES = 20_000


def brings_packages(root: Path) -> bool:
    """True when a directory says that its application needs packages, or has libraries or compiled modules.

    Args:
        root: the application's document base.
    """
    if any((root / sign).exists() for sign in _SIGNS):
        return True
    try:
        if any(not name.startswith(".") for name in os.listdir(root / "WEB-INF" / "lib")):
            return True
    except OSError:
        pass  # most applications have no such directory
    seen = 0
    for _, directories, files in os.walk(root, followlinks=True):  # a circle of links ends with the number of entries
        if any(name.endswith(tuple(EXTENSION_SUFFIXES)) for name in files):
            return True
        seen += len(directories) + len(files)
        if seen > MOST_ENTRIES:
            return False
    return False
