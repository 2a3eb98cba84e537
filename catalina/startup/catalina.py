"""Loads, starts and stops the server of one CATALINA_BASE (Tomcat: startup/Catalina.java)."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from catalina.core.standard_server import StandardServer
from catalina.digester.digester import Digested, Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.digester.substitution import Substitution
from catalina.digester.xml_tree import XmlElement
from catalina.errors import CatalinaError, ConfigurationError, LifecycleError
from catalina.jmx.jmx_remote import JmxRemote
from catalina.juli.logging_bean import LoggingBean
from catalina.lifecycle import LifecycleState
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.platform.platform_beans import platform_beans
from catalina.place import Place
from catalina.startup.catalina_properties import extend_import_path, load_catalina_properties
from catalina.startup.control_socket import ControlSocket
from catalina.startup.property_sources import substitution_for, unusable_sources
from catalina.startup.server_beans import server_beans
from catalina.startup.system_properties import process_remarks

__all__ = ["Catalina"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

REPLACE_SYSTEM_PROPERTIES = "org.apache.tomcat.util.digester.REPLACE_SYSTEM_PROPERTIES"
EXIT_ON_INIT_FAILURE = "org.apache.catalina.startup.EXIT_ON_INIT_FAILURE"


class Catalina:
    """One node: its directories, its properties and, once loaded, its server.

    The arbiter calls :meth:`load` and :meth:`init` before it forks; the worker calls :meth:`start`, waits, and calls
    :meth:`stop`. A test may do all of it in one process.

    Args:
        home: CATALINA_HOME.
        base: CATALINA_BASE.
        properties: the properties from ``-Dname=value``; :meth:`load` adds those of catalina.properties.
        config_file: server.xml, relative to the base.
    """

    def __init__(
        self, home: Path, base: Path, properties: Mapping[str, str] | None = None, config_file: str = "conf/server.xml"
    ) -> None:
        self.home = home.absolute()
        self.base = base.absolute()
        self.properties = dict(properties or {})
        self.properties["catalina.home"] = str(self.home)
        self.properties["catalina.base"] = str(self.base)
        self.properties.setdefault("java.io.tmpdir", str(self.base / "temp"))
        self.config_file = self.base / config_file
        self.server: StandardServer | None = None
        #: The bytes of server.xml, and of the files that it names as entities, by their paths.
        self.files: dict[str, bytes] = {}
        #: The ``<Server>`` of server.xml as it was loaded.
        self.root = XmlElement("Server", Place(str(self.config_file), 1))
        #: Findings about the properties, which are reported before any file's.
        self.remarks: list[Finding] = []

    def substitution(self) -> Substitution:
        """The values that replace ``${name}`` in this node's XML files."""
        return substitution_for(self.properties)

    def digester(self) -> Digester:
        """Read catalina.properties, and make the digester that knows this node's properties.

        Raises:
            ConfigurationError: catalina.properties cannot be used.
        """
        load_catalina_properties(self.properties)
        extend_import_path(self.properties)
        self.remarks = [*process_remarks(self.properties)]
        substitution = self.substitution()
        if self.properties.get(REPLACE_SYSTEM_PROPERTIES, "false").strip().lower() == "true":
            self.properties.update({name: substitution(value) for name, value in self.properties.items()})
        return Digester(substitution)

    def load(self) -> StandardServer:
        """Read the configuration, and log what was not understood.

        Raises:
            ConfigurationError: the configuration cannot be used; the reason has been logged.
        """
        try:
            digester = self.digester()
            for problem in unusable_sources(self.properties):
                log.error("%s", problem)
            for finding in self.remarks:
                log.log(finding.level, "%s", finding)
            root = digester.parse(self.config_file)
        except ConfigurationError as error:
            self._log_failure(error)
            raise
        for finding in digester.findings:
            log.log(finding.level, "%s", finding)
        self.files = digester.files
        return self.adopt(root)

    def load_again(self, files: Mapping[str, bytes]) -> StandardServer:
        """Make the same server in another process of the node, whatever has become of the files. Its properties are
        complete already, and what was not understood has been logged.

        Args:
            files: those that :meth:`load` has read.

        Raises:
            ConfigurationError: this process cannot make it.
        """
        extend_import_path(self.properties)
        self.files = dict(files)
        return self.adopt(Digester(self.substitution(), files).parse(self.config_file))

    def adopt(self, root: Digested) -> StandardServer:
        """Take the server that was made from a server.xml, and tell it its directories.

        Raises:
            ConfigurationError: the root element is no server.
        """
        server = root.component
        if not isinstance(server, StandardServer):
            raise ConfigurationError(f"{root.class_name} is not a StandardServer", root.element.place)
        self.root = root.element
        server.catalina_home = self.home
        server.catalina_base = self.base
        server.properties = self.properties
        server.add_lifecycle_listener(JmxRemote())
        server.add_lifecycle_listener(ControlSocket())
        server.mbeans.add_source(lambda: server_beans(server))
        server.mbeans.add_source(platform_beans(self.properties))
        server.mbeans.register(ObjectName("java.util.logging", {"type": "Logging"}), LoggingBean())
        self.server = server
        return server

    def _log_failure(self, error: ConfigurationError) -> None:
        findings = error.findings if isinstance(error, UnusableConfiguration) else []
        for finding in findings:
            log.log(finding.level, "%s", finding)
        log.error("Unable to load server configuration from [%s]%s", self.config_file, "" if findings else f": {error}")
        log.error("Cannot start server. Server instance is not configured.")

    def init(self) -> None:
        """Initialise the components; the connectors bind their ports.

        Raises:
            LifecycleError: a component failed. A connector counts only with the property EXIT_ON_INIT_FAILURE.
        """
        server = self._loaded()
        begun = time.monotonic()
        server.init()
        if self.properties.get(EXIT_ON_INIT_FAILURE, "false").strip().lower() == "true":
            for connector in (connector for service in server.services for connector in service.connectors):
                if connector.state is LifecycleState.FAILED:
                    raise LifecycleError(f"{connector} failed to initialise and {EXIT_ON_INIT_FAILURE} is true")
        log.info("Server initialization in [%s] milliseconds", _milliseconds_since(begun))

    def start(self) -> None:
        """Start the server; connectors accept when this returns.

        Raises:
            LifecycleError: a required component failed; that has been logged, and the rest is stopped.
        """
        server = self._loaded()
        begun = time.monotonic()
        try:
            server.start()
        except CatalinaError:
            log.exception("The required Server component failed to start so Tomcat is unable to start.")
            server.destroy()
            raise
        log.info("Server startup in [%s] milliseconds", _milliseconds_since(begun))

    def await_shutdown(self) -> None:
        """Return when the server shall stop: the shutdown command came, or :meth:`StandardServer.stop_await` was
        called.
        """
        self._loaded().await_shutdown()

    def stop(self) -> None:
        """Stop and destroy the server. A failure is logged and not raised, because the process ends anyway."""
        server = self._loaded()
        try:
            if server.state not in (LifecycleState.STOPPED, LifecycleState.DESTROYED):
                server.stop()
            server.destroy()
        except LifecycleError:
            log.exception("Error stopping the server")

    def _loaded(self) -> StandardServer:
        if self.server is None:
            raise LifecycleError("Catalina: load() comes first")
        return self.server


def _milliseconds_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
