"""The manager's text interface, for scripts (Tomcat: manager/ManagerServlet.java)."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.core.container_servlet import ContainerServlet
from catalina.core.context_name import ContextName
from catalina.errors import CatalinaError, DeploymentError, NamingError
from catalina.loader.load_failure import describe_failure
from catalina.manager import tls_report
from catalina.manager.applications import Applications
from catalina.manager.asked import Asked, Environ, Refused, StartResponse, context_name, text_answer
from catalina.manager.installation import Installation
from catalina.manager.vm_report import thread_dump, vm_info
from catalina.mbeans.audit import audit
from catalina.util.server_info import SERVER_INFO
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_wrapper import ServletConfig

__all__ = ["ManagerServlet"]

log = logging.getLogger("org.apache.catalina.manager.ManagerServlet")

NO_STORE_CONFIG = (
    "No StoreConfig MBean registered at [Catalina:type=StoreConfig]. Registration is typically performed by the "
    "StoreConfigLifecycleListener."
)
#: What objects of Python are called where Java's class names are asked for.
JAVA_TYPES = {str: "java.lang.String", bool: "java.lang.Boolean", int: "java.lang.Integer", float: "java.lang.Double"}

Lines = list[str]


class ManagerServlet(ContainerServlet):
    """``/text/<command>``: each answer is lines of plain text, the first begins with ``OK -`` or ``FAIL -``."""

    debug = Attribute(int, 1, inert="what is logged is configured in logging.properties")

    #: What the audit log calls this door.
    door = "manager/text"

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        self.applications = Applications(context)
        warn_without_lock_out(context)

    @property
    def _server(self) -> StandardServer:
        server = self.applications.host.server
        if server is None:
            raise Refused("Encountered exception [the host has no server]")
        return server

    @property
    def _connectors(self) -> list[Connector]:
        engine: Any = self.applications.host.parent
        return list(engine.service.connectors)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "PUT"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        asked = Asked(environ, self.door)
        with self._server.reactor.blocking():
            lines, rest = self._answer(asked)
        return text_answer(start_response, lines, rest)

    def _answer(self, asked: Asked) -> tuple[Lines, str]:
        commands = PUT_COMMANDS if asked.method == "PUT" else COMMANDS
        command = commands.get(asked.command)
        if command is None:
            return [f"FAIL - Unknown command [{asked.command}]"], ""
        try:
            answer = command(self, asked)
        except Refused as refused:
            answer = f"FAIL - {refused}".split("\n")
        except CatalinaError as error:
            log.error("%s: %s", asked.command, error)
            answer = [f"FAIL - Encountered exception [{error}]"]
        except OSError as error:
            log.exception("%s failed", asked.command)
            answer = [f"FAIL - Encountered exception [{describe_failure(error)}]"]
        lines, rest = answer if isinstance(answer, tuple) else (answer, "")
        if asked.command in CHANGING:
            failed = Refused(lines[0]) if lines and lines[0].startswith("FAIL") else None
            audit(asked.caller, asked.command.strip("/"), _subject(asked), failed=failed)
        return lines, rest

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
        name = asked.name() if path is not None else _name_of_file(config if config is not None else war)
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
        resources = self._server.global_naming_resources
        if resources is None:
            raise Refused("No global JNDI resources are available")
        lines = [f"OK - Listed global resources of {f'type [{wanted}]' if wanted is not None else 'all types'}"]
        declared = {str(getattr(entry, "name", "")): str(getattr(entry, "type", "")) for entry in resources.entries}
        for name in resources.names.names:
            try:
                found: Any = resources.lookup(name)
            except NamingError as error:
                lines.append(f"FAIL - Encountered exception [{error}]")
                continue
            kind = JAVA_TYPES.get(type(found)) or _class_name(type(found))
            if wanted is None or wanted in (kind, declared.get(name)):
                lines.append(f"{name}:{kind}")
        return lines

    def _vm_info(self, asked: Asked) -> tuple[Lines, str]:
        return ["OK - VM info"], vm_info(self._server.properties)

    def _thread_dump(self, asked: Asked) -> tuple[Lines, str]:
        return ["OK - JVM thread dump"], thread_dump()

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
        return tls_report.reload_tls(self._connectors, asked["tlsHostName"])


COMMANDS: dict[str, Callable[[ManagerServlet, Asked], Lines | tuple[Lines, str]]] = {
    "/deploy": ManagerServlet._deploy,
    "/list": ManagerServlet._list,
    "/reload": ManagerServlet._reload,
    "/resources": ManagerServlet._resources,
    "/save": ManagerServlet._save,
    "/serverinfo": ManagerServlet._server_info,
    "/sessions": ManagerServlet._sessions,
    "/expire": ManagerServlet._sessions,
    "/start": ManagerServlet._start,
    "/stop": ManagerServlet._stop,
    "/undeploy": ManagerServlet._undeploy,
    "/findleaks": ManagerServlet._find_leaks,
    "/vminfo": ManagerServlet._vm_info,
    "/threaddump": ManagerServlet._thread_dump,
    "/sslConnectorCiphers": ManagerServlet._ciphers,
    "/sslConnectorCerts": ManagerServlet._certificates,
    "/sslConnectorTrustedCerts": ManagerServlet._trusted_certificates,
    "/sslReload": ManagerServlet._reload_tls,
}
PUT_COMMANDS: dict[str, Callable[[ManagerServlet, Asked], Lines | tuple[Lines, str]]] = {
    "/deploy": ManagerServlet._upload
}
#: Commands that change something.
CHANGING = frozenset(
    ("/deploy", "/reload", "/sessions", "/expire", "/start", "/stop", "/undeploy", "/sslReload", "/save")
)


def warn_without_lock_out(context: StandardContext) -> None:
    """Say that passwords can be guessed without end, when the realm is no LockOutRealm."""
    from catalina.realm.lock_out_realm import LockOutRealm

    if context.realm is not None and not isinstance(context.realm, LockOutRealm):
        log.warning("The realm of [%s] is no LockOutRealm: whoever reaches the application can try passwords without "
                    "end. Put its <Realm> into <Realm className=\"org.apache.catalina.realm.LockOutRealm\">",
                    context.name)  # fmt: skip


def _subject(asked: Asked) -> str:
    """What a command is about, for the audit log: ``path=/shop update=true``."""
    named = (f"{name}={asked[name]}" for name in ("path", "version", "war", "config", "tag", "idle", "tlsHostName")
             if asked[name] is not None)  # fmt: skip
    return " ".join(named)


def _name_of_file(file: str | None) -> ContextName:
    """The application that a descriptor's or archive's file name stands for."""
    try:
        return ContextName.of_file(file or "")
    except DeploymentError:
        return context_name(file)


def _class_name(kind: type) -> str:
    from catalina.mbeans.managed_bean import tomcat_class_name

    return tomcat_class_name(kind)
