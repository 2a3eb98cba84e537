"""The manager's text interface, for scripts (Tomcat: manager/ManagerServlet.java)."""

from __future__ import annotations

import logging
import os
import platform
from typing import TYPE_CHECKING, Any

from catalina.errors import DeploymentError, NamingError
from catalina.manager import tls_report
from catalina.manager.applications import Applications
from catalina.manager.asked import Asked, Refused, context_name
from catalina.manager.installation import Installation
from catalina.manager.text_servlet import Lines, TextServlet
from catalina.mbeans.managed_bean import tomcat_class_name
from catalina.startup.vm_report import thread_dump, vm_info
from catalina.util.context_name import ContextName
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig

__all__ = ["ManagerServlet", "name_of_file"]

log = logging.getLogger("org.apache.catalina.manager.ManagerServlet")

NO_STORE_CONFIG = (
    "No StoreConfig MBean registered at [Catalina:type=StoreConfig]. Registration is typically performed by the "
    "StoreConfigLifecycleListener."
)
#: Java's class names for objects of Python.
JAVA_TYPES = {str: "java.lang.String", bool: "java.lang.Boolean", int: "java.lang.Integer", float: "java.lang.Double"}


class ManagerServlet(TextServlet):
    """The commands for applications, sessions, certificates, and facts of the server."""

    audited = ("path", "version", "update", "war", "config", "tag", "fileName", "idle", "tlsHostName")

    def start_servlet(self, config: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        super().start_servlet(config, context)
        self.applications = Applications(context)

    @property
    def _connectors(self) -> list[Connector]:
        engine: Any = self.applications.host.parent
        return list(engine.service.connectors)

    # -- applications ----------------------------------------------------------------------------------------------

    def _list(self, asked: Asked) -> Lines:
        return self.applications.list()

    def _start(self, asked: Asked) -> Lines:
        return self.applications.start(asked.name())

    def _stop(self, asked: Asked) -> Lines:
        return self.applications.stop(asked.name())

    def _reload(self, asked: Asked) -> Lines:
        return self.applications.reload(asked.name())

    def _undeploy(self, asked: Asked) -> Lines:
        return self.applications.undeploy(asked.name())

    def _sessions(self, asked: Asked) -> Lines:
        idle = asked["idle"] or ""
        if idle and not (idle.isascii() and idle.isdecimal() and len(idle) < 10):
            log.warning("Could not parse integer idle parameter [%s]", idle)
            idle = ""
        return self.applications.sessions(asked.name(), int(idle or -1))

    def _deploy(self, asked: Asked) -> Lines:
        war, config, tag = asked["war"], asked["config"], asked["tag"]
        if war is None and config is None:
            if tag is None:
                raise Refused(f"Invalid parameters supplied for command [{asked.command}]")
            return Installation(self.applications, asked.name(), update=True).from_tag(tag)
        path = asked["path"]
        name = asked.name() if path is not None else name_of_file(config if config is not None else war)
        return Installation(self.applications, name, asked.flag("update")).from_server(war, config)

    def _upload(self, asked: Asked) -> Lines:
        installation = Installation(self.applications, asked.name(), asked.flag("update"))
        if asked["config"]:
            raise Refused("Encountered exception [an upload brings its own META-INF/context.xml; config= is not read]")
        return installation.upload(asked.environ["wsgi.input"], asked["tag"], asked["fileName"])

    def _find_leaks(self, asked: Asked) -> Lines:
        found = self.applications.find_leaks()
        if not asked.flag("statusLine"):
            return found
        if not found:
            return ["OK - No memory leaks found"]
        return ["OK - Found potential memory leaks in the following applications:", *found]

    def _save(self, asked: Asked) -> Lines:
        raise Refused(NO_STORE_CONFIG)

    # -- the server ------------------------------------------------------------------------------------------------

    def _server_info(self, asked: Asked) -> Lines:
        system = os.uname()
        return [
            "OK - Server info",
            f"Tomcat Version: [{SERVER_INFO}]",
            f"OS Name: [{system.sysname}]",
            f"OS Version: [{system.release}]",
            f"OS Architecture: [{system.machine}]",
            f"JVM Version: [{platform.python_implementation()} {platform.python_version()}]",
            "JVM Vendor: [Python Software Foundation]",
        ]

    def _resources(self, asked: Asked) -> Lines:
        wanted = asked["type"]
        resources = self.server.global_naming_resources
        if resources is None:
            raise Refused("No global JNDI resources are available")
        lines = [f"OK - Listed global resources of {f'type [{wanted}]' if wanted is not None else 'all types'}"]
        declared = {entry.name: entry.type for entry in resources.entries}
        for name in resources.names.names:
            try:
                found: Any = resources.lookup(name)
            except NamingError as error:
                lines.append(f"FAIL - Encountered exception [{error}]")
                continue
            kind = JAVA_TYPES.get(type(found)) or tomcat_class_name(type(found))
            if wanted is None or wanted in (kind, declared.get(name)):
                lines.append(f"{name}:{kind}")
        return lines

    def _vm_info(self, asked: Asked) -> tuple[Lines, str]:
        return ["OK - VM info"], vm_info(self.server.properties)

    def _thread_dump(self, asked: Asked) -> tuple[Lines, str]:
        elsewhere = self.applications.own.elsewhere
        others = {} if elsewhere is None else elsewhere.ask_all("threads")
        dumps = [thread_dump(), *(f"Worker [{number}]:\r\n{dump}" for number, dump in others.items())]
        return ["OK - JVM thread dump"], "\r\n".join(dumps)

    def _ciphers(self, asked: Asked) -> Lines:
        lines = ["OK - Connector / SSL Cipher information"]
        for name, found in tls_report.ciphers(self._connectors):
            lines += [name, *(f"  {cipher}" for cipher in found)]
        return lines

    def _certificates(self, asked: Asked) -> Lines:
        lines = ["OK - Connector / Certificate Chain information"]
        for name, found in tls_report.certificates(self._connectors):
            lines += [name, *found]
        return lines

    def _trusted_certificates(self, asked: Asked) -> Lines:
        lines = ["OK - Connector / Trusted Certificate information"]
        for name, found in tls_report.trusted_certificates(self._connectors):
            lines += [name, *found]
        return lines

    def _reload_tls(self, asked: Asked) -> Lines:
        engine: Any = self.applications.host.parent

        def reload(connector: Connector) -> None:
            bean = self.server.mbeans.find(connector.object_name(engine.name))
            bean.invoke(bean.operation("reloadSslHostConfigs", 0), [])

        return tls_report.reload_tls(self._connectors, asked["tlsHostName"], reload)

    commands = {
        "GET": {
            "/deploy": _deploy,
            "/list": _list,
            "/reload": _reload,
            "/resources": _resources,
            "/save": _save,
            "/serverinfo": _server_info,
            "/sessions": _sessions,
            "/expire": _sessions,
            "/start": _start,
            "/stop": _stop,
            "/undeploy": _undeploy,
            "/findleaks": _find_leaks,
            "/vminfo": _vm_info,
            "/threaddump": _thread_dump,
            "/sslConnectorCiphers": _ciphers,
            "/sslConnectorCerts": _certificates,
            "/sslConnectorTrustedCerts": _trusted_certificates,
            "/sslReload": _reload_tls,
        },
        "PUT": {"/deploy": _upload},
    }
    changing = frozenset(
        ("/deploy", "/reload", "/sessions", "/expire", "/start", "/stop", "/undeploy", "/sslReload", "/save")
    )


def name_of_file(file: str | None) -> ContextName:
    """The application that a descriptor's or archive's file name stands for."""
    try:
        return ContextName.of_file(file or "")
    except DeploymentError:
        return context_name(file)
