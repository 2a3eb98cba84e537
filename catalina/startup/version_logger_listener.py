"""Logs the versions of everything that runs here, as the first lines of the log (Tomcat:
startup/VersionLoggerListener.java).
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.secrets import shown
from catalina.util.server_info import SERVER_INFO, server_built, server_number

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer

__all__ = ["VersionLoggerListener"]

log = logging.getLogger("org.apache.catalina.startup.VersionLoggerListener")


class VersionLoggerListener(LifecycleListener):
    """Logs versions, directories and the command line before the server is initialised."""

    log_args = Attribute(bool, True, doc="Log the command line.")
    log_env = Attribute(bool, False, doc="Log the environment; values whose names look like secrets are left out.")
    log_props = Attribute(bool, False, doc="Log the properties; values whose names look like secrets are left out.")

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Log on ``before_init`` of the server."""
        if event.type == "before_init":
            for label, value in self.lines(event.source):  # type: ignore[arg-type]  # the listener stands in <Server>
                log.info("%s%s", label.ljust(23), value)

    def lines(self, server: StandardServer) -> Iterator[tuple[str, str]]:
        """The label and value of each line."""
        system = os.uname()
        yield "Server version name:", SERVER_INFO
        yield "Server built:", server_built()
        yield "Server version number:", server_number()
        yield "OS Name:", system.sysname
        yield "OS Version:", system.release
        yield "Architecture:", system.machine
        yield "Python Home:", sys.prefix
        yield "Python Version:", platform.python_version()
        yield "Python Vendor:", platform.python_implementation()
        yield "CATALINA_BASE:", str(server.catalina_base)
        yield "CATALINA_HOME:", str(server.catalina_home)
        if self.log_args:
            for argument in sys.argv[1:]:
                name, equals, value = argument.partition("=")
                yield "Command line argument:", name + equals + _shown(name, value)
        if self.log_env:
            for name, value in sorted(os.environ.items()):
                yield "Environment variable:", f"{name} = {_shown(name, value)}"
        if self.log_props:
            for name, value in sorted(server.properties.items()):
                yield "System property:", f"{name} = {_shown(name, value)}"


def _shown(name: str, value: str) -> str:
    return shown(name, value)
