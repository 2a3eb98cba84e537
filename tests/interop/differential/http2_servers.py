"""The real Tomcat and ours with HTTP/2 on a port without TLS, each with the same small site."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.differential.servers import PROJECT, running_java, running_ours
from tests.support.ports import free_port

__all__ = ["java_http2", "our_http2"]

HERE = Path(__file__).parent
SERVER_XML = """<Server port="-1"><Service name="Catalina">
<Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1">
<UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol" streamReadTimeout="4000" keepAliveTimeout="4000"
    maxConcurrentStreams="20"/>
</Connector>
<Engine name="Catalina" defaultHost="localhost">
<Host name="localhost" appBase="webapps" autoDeploy="false"/>
</Engine></Service></Server>
"""
WEB_XML = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
<servlet><servlet-name>body</servlet-name><servlet-class>{servlet}</servlet-class></servlet>
<servlet-mapping><servlet-name>body</servlet-name><url-pattern>/body</url-pattern></servlet-mapping>
</web-app>
"""
#: The twin of BodyServlet.java.
BODY = """
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REQUEST_METHOD']} {len(body)}".encode()]
"""


def _make_base(base: Path, port: int, servlet: str) -> Path:
    for name in ("conf", "logs", "temp", "work", "webapps/ROOT/WEB-INF/classes"):
        (base / name).mkdir(parents=True)
    (base / "conf" / "server.xml").write_text(SERVER_XML.format(port=port))
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    root = base / "webapps" / "ROOT"
    (root / "a.txt").write_text("hello\n")
    (root / "big.bin").write_bytes(bytes(100_000))
    (root / "WEB-INF" / "web.xml").write_text(WEB_XML.format(servlet=servlet))
    return root / "WEB-INF" / "classes"


@contextmanager
def java_http2(base: Path, jars: Path) -> Iterator[int]:
    """The port of a running Java Tomcat."""
    port = free_port()
    classes = _make_base(base, port, "BodyServlet")
    subprocess.run(
        ["javac", "-nowarn", "-cp", str(jars / "servlet-api.jar"), "-d", str(classes), str(HERE / "BodyServlet.java")],
        check=True,
    )
    with running_java(base, port, jars):
        yield port


@contextmanager
def our_http2(base: Path) -> Iterator[int]:
    """The port of a node of ours, in this process."""
    port = free_port()
    classes = _make_base(base, port, "body:application")
    (classes / "body.py").write_text(BODY)
    with running_ours(base):
        yield port
