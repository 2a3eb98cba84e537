"""The properties that a Java process has without asking and that configuration files refer to: ``${user.dir}`` and
such."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

__all__ = ["process_properties"]


def process_properties() -> dict[str, str]:
    """What this process knows of itself, under Java's names."""
    system = os.uname()
    return {
        "file.separator": os.sep,
        "path.separator": os.pathsep,
        "line.separator": os.linesep,
        "os.arch": "amd64" if system.machine == "x86_64" else system.machine,
        "os.name": system.sysname,
        "os.version": system.release,
        "python.version": platform.python_version(),
        "user.dir": str(Path.cwd()),
        "user.home": str(Path("~").expanduser()),
        "user.name": _user_name(),
    }


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry, as in many containers
        return str(os.getuid())
