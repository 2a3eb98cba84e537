"""The CATALINA_BASE of a node for a trial or a test: one application, in place, and perhaps a group."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from catalina.development.project import Project
from catalina.startup.home_directory import home_directory
from catalina.util.context_name import ContextName

__all__ = ["Meeting", "TrialBase", "free_port"]

_CONSOLE = """\
handlers = java.util.logging.ConsoleHandler
.handlers = java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level = ALL
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
java.util.logging.ConsoleHandler.encoding = UTF-8
"""
#: Logging for a developer: the application's messages and faults, without the container's own.
_QUIET = """\
org.apache.level = WARNING
org.apache.catalina.core.ContainerBase.level = INFO
org.apache.catalina.ha.level = SEVERE
"""

_CLUSTER = """
<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="{options}">
  {manager}
  <Channel className="org.apache.catalina.tribes.group.GroupChannel">
    <Membership className="org.apache.catalina.tribes.membership.McastService"
                address="228.0.0.4" port="{meeting}" frequency="500" dropTime="3000" bind="127.0.0.1"/>
    <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver"
              address="127.0.0.1" port="{receiver}" autoBind="1"/>
    <Sender className="org.apache.catalina.tribes.transport.ReplicationTransmitter">
      <Transport className="org.apache.catalina.tribes.transport.nio.PooledParallelSender"/>
    </Sender>
    {interceptors}
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor"/>
  </Channel>
  <Valve className="org.apache.catalina.ha.tcp.ReplicationValve" filter=""/>
  <Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
  <ClusterListener className="org.apache.catalina.ha.session.ClusterSessionListener"/>
</Cluster>"""

_SERVER = """\
<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector port="{port}" address={address} protocol="HTTP/1.1" maxKeepAliveRequests="-1"/>
    <Engine name="Catalina" defaultHost="localhost" jvmRoute={name} backgroundProcessorDelay="1">
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false" installDependencies="false"
            failCtxIfServletStartFails="true"
            errorReportValveClass="org.apache.catalina.valves.LocalTracebackValve">{cluster}
        {valves}
      </Host>
    </Engine>
  </Service>
</Server>
"""

_ACCESS_LOG = '<Valve className="catalina.development.console_access_log.ConsoleAccessLog" node={}/>'


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of the loopback that is free at this moment."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Meeting:
    """The settings with which the nodes of a group on this machine find each other and replicate.

    Args:
        port: the multicast port, which only this group uses.
        options: channelSendOptions.
        manager: ``DeltaManager`` or ``BackupManager``.
        interceptors: XML, above the others.
    """

    port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    options: int = 6
    manager: str = "DeltaManager"
    interceptors: str = ""

    def element(self, receiver: int) -> str:
        """The ``<Cluster>`` of one node, whose receiver listens on that port."""
        own = f'<Manager className="org.apache.catalina.ha.session.{self.manager}"/>'
        return _CLUSTER.format(
            options=self.options, manager=own, meeting=self.port, receiver=receiver, interceptors=self.interceptors
        )


@dataclass(frozen=True, slots=True)
class TrialBase:
    """The settings of one node.

    Args:
        directory: its CATALINA_BASE, which is made.
        project: the application.
        path: its context path, empty for the root.
        port: the port of its connector.
        address: the address of its connector.
        name: its jvmRoute.
        meeting: the group that it joins, None for a node alone.
        receiver: the port at which the group's messages come in.
        quiet: log only the application and faults.
        access_log: a line for each request, too.
        workers: the processes that serve; None: WEB_CONCURRENCY of the environment, else one.
    """

    directory: Path
    project: Project
    path: str = ""
    port: int = 8080
    address: str = "127.0.0.1"
    name: str = "node1"
    meeting: Meeting | None = None
    receiver: int = field(default_factory=free_port)
    quiet: bool = True
    access_log: bool = True
    workers: int | None = None

    def write(self) -> None:
        """Make the directory and its files."""
        conf = self.directory / "conf"
        host = conf / "Catalina" / "localhost"
        host.mkdir(parents=True)
        for name in ("logs", "temp", "webapps", "work"):
            (self.directory / name).mkdir()
        shutil.copy(home_directory() / "conf" / "web.xml", conf / "web.xml")
        (conf / "logging.properties").write_text(_CONSOLE + (_QUIET if self.quiet else ""))
        cluster = self.meeting.element(self.receiver) if self.meeting is not None else ""
        (conf / "server.xml").write_text(
            _SERVER.format(
                port=self.port,
                address=quoteattr(self.address),
                name=quoteattr(self.name),
                cluster=cluster,
                valves=_ACCESS_LOG.format(quoteattr(self.name if self.meeting else "")) if self.access_log else "",
            ),
            "utf-8",
        )
        base_name = ContextName.of_path(self.path, "").base_name
        (host / f"{base_name}.xml").write_text(self._context(conf / "application.xml"), "utf-8")

    def _context(self, web_xml: Path) -> str:
        """The application's descriptor. Sessions survive a reload: in a file, or on the other nodes. An ASGI
        application is served as far as a2wsgi can. It is alone, so the node's own processes run it.
        """
        attributes = f'docBase={quoteattr(str(self.project.root))} asgi="wrap" isolation="shared"'
        if self._write_web_xml(web_xml):
            attributes += f" altDDName={quoteattr(str(web_xml))}"
        manager = '\n  <Manager pathname="SESSIONS.ser"/>' if self.meeting is None else ""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Context {attributes}>{manager}\n</Context>\n'

    def _write_web_xml(self, file: Path) -> bool:
        """Write a descriptor for an application without one; returns False when the application has its own."""
        project = self.project
        own = project.is_archive or (project.root / "WEB-INF" / "web.xml").is_file()
        travels = project.distributable or self.meeting is not None
        if own or not (project.callable or travels):
            return False
        parts = ["<distributable/>"] if travels else []
        if project.callable:
            parts.append(
                f"<servlet><servlet-name>application</servlet-name><servlet-class>{project.callable}</servlet-class>"
                "<load-on-startup>1</load-on-startup></servlet><servlet-mapping><servlet-name>application"
                "</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
            )
        text = "\n".join(parts)
        file.write_text(
            f'<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">\n{text}\n</web-app>\n', "utf-8"
        )
        return True
