"""Restricts applications that work on the container itself (``privileged="true"``): their deployment and their clients.

Such an application, the manager above all, is closed until an operator opens it:

- Its own META-INF/context.xml does not make it privileged. A descriptor in xmlBase does, or a
  ``<Context>`` in server.xml.
- It serves only clients on the machine itself, unless its Context has a valve that allows other addresses.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.digester.xml_tree import read_xml
from catalina.errors import ConfigurationError
from catalina.util.net_mask import net_masks
from catalina.valves.remote_cidr_valve import RemoteCIDRValve
from catalina.valves.request_filter_valve import RequestFilterValve

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["LOOPBACK", "guard_privileged", "is_privileged_directory"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

LOOPBACK = "127.0.0.0/8, ::1/128"
CONTEXT_XML = "META-INF/context.xml"


def is_privileged_directory(directory: str) -> bool:
    """True when the META-INF/context.xml of a directory says ``privileged="true"``; False when it cannot be read."""
    file = os.path.join(directory, CONTEXT_XML)
    if not os.path.isfile(file):
        return False
    try:
        found = read_xml(Path(file), file).get("privileged")
    except (ConfigurationError, OSError):
        return False  # deployment will report the fault
    return (found or "").strip().lower() == "true"


def guard_privileged(context: StandardContext) -> None:
    """Let only clients on this machine reach a privileged application that does not restrict its clients itself.

    This is called while the application is configured, before it gets its authenticator, so that a stranger cannot even
    try passwords.
    """
    if not context.privileged or any(isinstance(valve, RequestFilterValve) for valve in context.pipeline.valves):
        return
    log.info(
        "The privileged application [%s] has no RemoteCIDRValve, RemoteAddrValve or RemoteHostValve; it serves "
        "addresses of this machine only [%s]", context.name or "/", LOOPBACK,
    )  # fmt: skip
    context.pipeline.add_valve(RemoteCIDRValve(allow=net_masks(LOOPBACK)))
