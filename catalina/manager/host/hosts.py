"""The host manager's commands for the hosts of its engine, which the text and the HTML pages share."""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalina.core.standard_host import HOST_NAME, StandardHost
from catalina.errors import CatalinaError, DeploymentError
from catalina.manager.asked import Refused
from catalina.mbeans.object_name import ObjectName
from catalina.startup.host_config import HostConfig
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from pathlib import Path

    from catalina.core.standard_context import StandardContext

__all__ = ["FLAGS", "Hosts"]

log = logging.getLogger("org.apache.catalina.manager.host.HostManagerServlet")

Lines = list[str]

#: Parameter of ``add`` -> attribute of the Host, and its default.
FLAGS = {
    "autoDeploy": ("auto_deploy", True),
    "deployOnStartup": ("deploy_on_startup", True),
    "deployXML": ("deploy_xml", True),
    "unpackWARs": ("unpack_wars", True),
    "copyXML": ("copy_xml", False),
}
NO_STORE_CONFIG = "Please enable StoreConfig to use this feature"


class Hosts:
    """The hosts of one engine.

    Args:
        own: the host manager's context; its own host is neither stopped nor removed.
    """

    def __init__(self, own: StandardContext) -> None:
        self.own = own
        self.engine: Any = own.host.parent
        self._lock = threading.Lock()

    def find(self, name: str | None) -> StandardHost:
        """The host of a name. Raises Refused when there is none."""
        host = self.engine.find_child(_valid(name))
        if not isinstance(host, StandardHost):
            raise Refused(f"Host name [{name}] does not exist")
        return host

    def list(self) -> Lines:
        """One line for each: ``[host]:[alias,alias]``."""
        return ["OK - Listed hosts", *(f"[{host.name}]:[{','.join(host.aliases)}]" for host in self.engine.children)]

    def add(self, name: str | None, aliases: str, app_base: str, flags: Mapping[str, bool], manager: bool) -> Lines:
        """Add a host that runs until the server ends; server.xml does not change.

        Args:
            aliases: separated by commas.
            app_base: relative to CATALINA_BASE, or absolute; empty is the host's name.
            flags: of :data:`FLAGS`.
            manager: deploy the manager into it, too.
        """
        valid = _valid(name)
        names = [_valid(alias) for alias in re.split(r"[,\s]+", aliases) if alias]
        with self._lock:
            if self.engine.find_child(valid) is not None:
                raise Refused(f"Host already exists with host name [{name}]")
            host = StandardHost(name=valid, app_base=app_base or valid)
            for flag, value in flags.items():
                setattr(host, FLAGS[flag][0], value)
            for alias in names:
                host.add_alias(alias)
            host.parent = self.engine  # for its directories
            base = self._make_directories(host)
            if manager:
                self._lay_descriptor(base)
            host.add_lifecycle_listener(HostConfig())
            elsewhere = self.own.elsewhere
            if elsewhere is not None:
                elsewhere.add_host(host)
            try:
                self.engine.add_child(host)
            except CatalinaError as error:
                if elsewhere is not None:
                    elsewhere.remove_host(self.engine.name, valid)
                raise Refused(f"Encountered exception [{error}]") from error
        return [f"OK - Host [{name}] added"]

    def _make_directories(self, host: StandardHost) -> Path:
        """Make appBase and xmlBase. Raises Refused for places that must not be served, or cannot be made."""
        base, app_base = host.catalina_base, host.app_base_path
        real = os.path.realpath(app_base)
        if not os.path.isabs(host.app_base) and not _is_below(app_base, base):
            raise Refused(f"Unable to use [{real}] as that is outside the expected directory [{base}]")
        conf = os.path.realpath(base / "conf")
        if os.path.commonpath([conf, real]) in (conf, real):
            raise Refused(f"Unable to use [{app_base}]: the server's own configuration is in it")
        try:
            app_base.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.error("%s", error)
            raise Refused(f"Failed to create appBase directory [{app_base}] for host [{host.name}]") from error
        try:
            checked_name(host.name, "host name", "add")
            host.config_base_path.mkdir(parents=True, exist_ok=True)
        except (OSError, DeploymentError) as error:
            log.error("%s", error)
            raise Refused(f"Failed to identify configBase directory for host [{host.name}]") from error
        return host.config_base_path

    def _lay_descriptor(self, config_base: Path) -> None:
        """Write the manager's descriptor, which admits only the loopback, unless there is one already."""
        source = self.own.document_root / "WEB-INF" / "manager.xml"
        target = config_base / "manager.xml"
        try:
            with source.open("rb") as opened, target.open("xb") as sink:
                shutil.copyfileobj(opened, sink)
        except OSError as error:
            log.error("%s", error)
            raise Refused("Couldn't install manager.xml") from error

    def remove(self, name: str | None) -> Lines:
        """Stop a host with its applications, and remove it. Its files stay."""
        host = self._find_other(name, "remove")
        self.engine.remove_child(host)
        if self.own.elsewhere is not None:
            self.own.elsewhere.remove_host(self.engine.name, host.name)
        return [f"OK - Removed host [{name}]"]

    def start(self, name: str | None) -> Lines:
        """Start a host that was stopped."""
        host = self._find_other(name, "start")
        if host.state.available:
            raise Refused(f"Host [{name}] is already started")
        try:
            self._act(host, "start")
        except CatalinaError as error:
            raise Refused(f"Failed to start host [{name}]\nFAIL - Encountered exception [{error}]") from error
        return [f"OK - Host [{name}] started"]

    def stop(self, name: str | None) -> Lines:
        """Stop a host with its applications."""
        host = self._find_other(name, "stop")
        if not host.state.available:
            raise Refused(f"Host [{name}] is already stopped")
        try:
            self._act(host, "stop")
        except CatalinaError as error:
            raise Refused(f"Failed to stop host [{name}]\nFAIL - Encountered exception [{error}]") from error
        return [f"OK - Host [{name}] stopped"]

    def _act(self, host: StandardHost, operation: str) -> None:
        """As by JMX: a node of several processes remembers it."""
        self.engine.server.mbeans.act(ObjectName(self.engine.name, {"type": "Host", "host": host.name}), operation)

    def persist(self) -> Lines:
        """Tomcat writes server.xml here when its StoreConfig is configured; this server does not."""
        raise Refused(NO_STORE_CONFIG)

    def _find_other(self, name: str | None, what: str) -> StandardHost:
        host = self.find(name)
        if host is self.own.host:
            raise Refused(f"Cannot {what} your own host [{name}]")
        return host


def _valid(name: str | None) -> str:
    if not name or not HOST_NAME.fullmatch(name):
        raise Refused(f"Invalid host name [{'null' if name is None else name}] was specified")
    return name.lower()


def _is_below(path: Path, base: Path) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(base), ""))
