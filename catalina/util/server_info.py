"""The server's version: version lines, and the name in error pages and logs (Tomcat: util/ServerInfo.java)."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import catalina

__all__ = ["SERVER_INFO", "server_built", "server_number", "version_lines"]

#: ``name/version``, like Tomcat's ``Apache Tomcat/10.1.60``.
SERVER_INFO = f"Catalina for Python/{catalina.__version__}"


def server_number() -> str:
    """Four numbers, as in Tomcat: ``0.2.0.0``."""
    numbers = catalina.__version__.split(".")
    return ".".join((*numbers, "0", "0", "0", "0")[:4])


def server_built() -> str:
    """The time at which the installed package was written, UTC."""
    changed = Path(catalina.__file__).stat().st_mtime
    return datetime.datetime.fromtimestamp(changed, datetime.UTC).strftime("%b %d %Y %H:%M:%S UTC")


def version_lines() -> Iterator[str]:
    """The lines of ``version.sh``, with Tomcat's labels."""
    system = os.uname()
    yield f"Server version: {SERVER_INFO}"
    yield f"Server built:   {server_built()}"
    yield f"Server number:  {server_number()}"
    yield f"OS Name:        {system.sysname}"
    yield f"OS Version:     {system.release}"
    yield f"Architecture:   {system.machine}"
    yield f"JVM Version:    Python {platform.python_version()}"
    yield f"JVM Vendor:     {platform.python_implementation()}"
    yield "APR loaded:     false"
