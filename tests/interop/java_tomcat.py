"""A real Java Tomcat 10.1 with a CATALINA_BASE of its own, from the Debian jars."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.cluster.namespaces import Namespace
from tests.cluster.node import STARTED, Answer, Node
from tests.support.needs import need_file, need_java_tomcat
from tests.support.ports import free_port
from tests.support.waiting import comes_true

__all__ = ["JavaTomcat", "compile_probe"]

HERE = Path(__file__).resolve().parent
#: A JVM on a busy machine of two cores.
START_SECONDS = 90.0

_SERVER_XML = """<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1"/>
    <Engine name="Catalina" defaultHost="localhost" jvmRoute="{route}" backgroundProcessorDelay="1">
      {engine_cluster}
      <Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false">
        {cluster}
      </Host>
    </Engine>
  </Service>
</Server>
"""
_WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <distributable/>
  <servlet><servlet-name>probe</servlet-name><servlet-class>ProbeServlet</servlet-class></servlet>
  <servlet-mapping><servlet-name>probe</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
</web-app>
"""
_LOGGING = """handlers = java.util.logging.ConsoleHandler
.handlers = java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level = ALL
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
"""


def compile_probe(target: Path, source: Path = HERE / "ProbeServlet.java") -> Path:
    """Compile a servlet into ``target``, once for a test session; returns the directory with the classes."""
    jars = need_java_tomcat()
    subprocess.run(
        ["javac", "-nowarn", "-cp", str(jars / "servlet-api.jar"), "-d", str(target), str(source)],
        check=True,
    )
    return target


class JavaTomcat(Node):
    """A Java node with the interface of :class:`Node`.

    Args:
        classes: what :func:`compile_probe` made.
        jvm: options of the virtual machine; by default small and quick to start.
        namespace: the network namespace it runs in; requests to it are made inside too.
    """

    def __init__(
        self,
        name: str,
        base: Path,
        classes: Path,
        cluster: str = "",
        engine_cluster: str = "",
        web_xml: str = _WEB_XML,
        jvm: str = "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        namespace: Namespace | None = None,
    ) -> None:
        self.name = name
        self.base = base
        self.jvm = jvm
        self.address = "127.0.0.1"
        self.namespace = namespace
        self.http_port = free_port()
        self.workers = 1
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        for directory in ("conf", "logs", "temp", "work", "webapps/app/WEB-INF/classes"):
            (base / directory).mkdir(parents=True)
        (base / "conf" / "server.xml").write_text(
            _SERVER_XML.format(port=self.http_port, route=name, cluster=cluster, engine_cluster=engine_cluster)
            # The HOW-TO's own name; Tomcat has dropped the class and kept the text.
            .replace("MessageDispatch15Interceptor", "MessageDispatchInterceptor")
        )
        (base / "conf" / "logging.properties").write_text(_LOGGING)
        application = base / "webapps" / "app" / "WEB-INF"
        (application / "web.xml").write_text(web_xml)
        for file in classes.glob("*.class"):
            (application / "classes" / file.name).write_bytes(file.read_bytes())

    def start(self, wait: bool = True) -> JavaTomcat:
        """Start the JVM; with ``wait`` return when it answers."""
        need_java_tomcat()
        need_file("/usr/share/tomcat10/bin/catalina.sh", "tomcat10-common")
        options = f"{self.jvm} -Djava.net.preferIPv4Stack=true"
        environment = dict(
            os.environ, CATALINA_HOME="/usr/share/tomcat10", CATALINA_BASE=str(self.base), CATALINA_OPTS=options
        )
        self._starts = self.log.count(STARTED)
        inside = self.namespace.command if self.namespace else ()
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(
                [*inside, "/bin/sh", "/usr/share/tomcat10/bin/catalina.sh", "run"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        if wait:
            self.wait_started(START_SECONDS)
        return self

    def wait_started(self, seconds: float = START_SECONDS) -> None:
        """Until it answers."""
        super().wait_started(seconds)

    def kill(self) -> None:
        """``kill -9``; ``catalina.sh run`` is replaced by the JVM, so there is one process."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def wait_for_log(self, text: str, seconds: float = 15.0) -> None:
        """Until the log has the text."""
        if not comes_true(lambda: text in self.log, seconds, 0.05):
            raise AssertionError(f"{text!r} did not appear in {seconds} s:\n{self.log}")


def described(node: Node, session_id: str | None) -> Answer:
    """The session's values with their Java classes, as the Java node sees them."""
    return node.get("/described", session_id)
