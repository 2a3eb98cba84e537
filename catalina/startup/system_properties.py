"""The properties that a Java process has without asking and that configuration files refer to: ``${user.dir}`` and
such."""

from __future__ import annotations

import getpass
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from catalina.attributes import Place
from catalina.digester.findings import Finding

__all__ = ["process_properties", "process_remarks"]

_JMX_REMOTE = "com.sun.management.jmxremote"


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


def process_remarks(properties: Mapping[str, str]) -> Iterator[Finding]:
    """Requests of a node's properties that are not met: findings of level WARNING."""
    asked = sorted(name for name in properties if name.startswith(_JMX_REMOTE))
    if asked:
        text = f"there is no JMX port yet: {', '.join(asked)} {'opens' if len(asked) == 1 else 'open'} nothing"
        yield Finding(logging.WARNING, Place("properties", 0), "", text)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry, as in many containers
        return str(os.getuid())
