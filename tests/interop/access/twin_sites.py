"""The same server.xml, users and applications for the real Tomcat and for ours."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.differential.servers import PROJECT, running_java, running_ours
from tests.support.needs import TOMCAT_JARS, need_java_tomcat
from tests.support.ports import free_port

__all__ = ["Site", "both", "tomcat_version"]

SERVER_XML = """<Server port="-1"><Service name="Catalina">
<Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" {connector}/>
<Engine name="Catalina" defaultHost="localhost">{engine}
<Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false">{host}</Host>
</Engine></Service></Server>
"""
#: Complete, and with the file below: otherwise Java reads all its classes again for each application, half a second.
WEB_XML = (
    '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">\n{}\n</web-app>\n'
)
CONTEXT_XML = '<Context containerSciFilter=".*"/>\n'
USERS = """<tomcat-users>
  <role rolename="user"/><role rolename="admin"/>
  <user username="joe" password="secret" roles="user"/>
  <user username="ann" password="pass:word" roles="user,admin"/>
  <user username="max" password="x" roles=""/>
  <user username="jörg" password="gehéim" roles="user"/>
</tomcat-users>
"""


@dataclass(frozen=True)
class Site:
    """A running server."""

    base: Path
    port: int

    def log(self, name: str) -> list[str]:
        """The lines of a file in ``logs``, each byte a character."""
        return (self.base / "logs" / name).read_text("iso-8859-1").splitlines()


def _build(base: Path, engine: str, host: str, apps: dict[str, dict[str, str]], connector: str) -> Site:
    port = free_port()
    for name in ("conf", "logs", "temp", "work", "webapps"):
        (base / name).mkdir(parents=True)
    text = SERVER_XML.format(port=port, engine=engine, host=host, connector=connector)
    (base / "conf" / "server.xml").write_text(text, "utf-8")
    (base / "conf" / "tomcat-users.xml").write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + USERS, "utf-8")
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    (base / "conf" / "context.xml").write_text(CONTEXT_XML, "utf-8")
    for name, files in apps.items():
        for file, content in {"WEB-INF/web.xml": "", **files}.items():
            path = base / "webapps" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(WEB_XML.format(content) if file == "WEB-INF/web.xml" else content, "utf-8")
    return Site(base, port)


def tomcat_version() -> tuple[int, ...]:
    """Version of the Java Tomcat here, as (10, 1, 55); () where there is none. Its own faults end with a version."""
    try:
        with zipfile.ZipFile(TOMCAT_JARS / "catalina.jar") as jar:
            text = jar.read("org/apache/catalina/util/ServerInfo.properties").decode()
    except OSError:
        return ()
    found = re.search(r"^server.number=([\d.]+)", text, re.MULTILINE)
    return tuple(map(int, found[1].split("."))) if found else ()


@contextmanager
def both(
    base: Path, apps: dict[str, dict[str, str]], engine: str = "", host: str = "", connector: str = ""
) -> Iterator[tuple[Site, Site]]:
    """The Java Tomcat and a node of ours, both with these applications: name -> file -> text."""
    jars = need_java_tomcat()
    java, ours = (_build(base / name, engine, host, apps, connector) for name in ("java", "ours"))
    with running_java(java.base, java.port, jars), running_ours(ours.base):
        yield java, ours
