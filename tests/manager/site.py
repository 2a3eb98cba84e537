"""A node with the manager and some applications, and somebody who asks it."""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.startup.catalina import Catalina
from catalina.startup.host_config import HostConfig

PROJECT = Path(__file__).parents[2]

SERVER_XML = """<Server port="-1">
<GlobalNamingResources>
<Environment name="answer" type="java.lang.Integer" value="42"/>
<Resource name="UserDatabase" type="org.apache.catalina.UserDatabase" auth="Container"
 factory="org.apache.catalina.users.MemoryUserDatabaseFactory" pathname="conf/tomcat-users.xml"/>
</GlobalNamingResources>
<Service name="Catalina">
<Connector port="0" address="127.0.0.1" maxParameterCount="1000"/>
<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.LockOutRealm" failureCount="3">
<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/></Realm>
<Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false">{host}</Host>
</Engine></Service></Server>
"""
USERS = """<?xml version="1.0" encoding="UTF-8"?>
<tomcat-users>
<role rolename="manager-script"/><role rolename="manager-gui"/><role rolename="manager-jmx"/>
<role rolename="manager-status"/><role rolename="admin-script"/><role rolename="admin-gui"/>
<user username="op" password="secret" roles="manager-script,admin-script,manager-jmx"/>
<user username="gui" password="secret" roles="manager-gui,admin-gui"/>
<user username="watch" password="secret" roles="manager-status"/>
<user username="low" password="low" roles=""/>
</tomcat-users>
"""
APPLICATION = """
def application(environ, start_response):
    session = environ["catalina.session"]
    session["n"] = session.get("n", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{text}"]
"""


@dataclass
class Answer:
    """The answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Site:
    """A running node.

    Args:
        server: of it.
    """

    def __init__(self, server: StandardServer, base: Path) -> None:
        self.server = server
        self.base = base
        self.service = server.services[0]
        self.port = self.service.connectors[0].local_port
        self.login: str | None = "op:secret"
        self.cookie = ""
        #: Cookies of other applications are for their paths.
        self.keeps_cookies_of = "/manager"

    def hosts(self, command: str) -> list[str]:
        """The lines that a command of the host manager answers."""
        return self.ask(f"/host-manager/text/{command}").lines

    @property
    def host(self) -> StandardHost:
        return self.service.engine.find_child("localhost")  # type: ignore[union-attr,return-value]

    @property
    def config(self) -> HostConfig:
        found = HostConfig.of(self.host)
        assert found is not None
        return found

    def ask(self, path: str, method: str = "GET", body: bytes = b"", login: str | None = "", **headers: str) -> Answer:
        """One request, by default as the user ``op``; ``login=None`` without a login."""
        who = self.login if login == "" else login
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            fields["Authorization"] = "Basic " + base64.b64encode(who.encode()).decode()
        if self.cookie:
            fields["Cookie"] = self.cookie
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body or None, fields)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            made = response.getheader("Set-Cookie")
            if made is not None and path.startswith(self.keeps_cookies_of):
                self.cookie = made.partition(";")[0]
            return Answer(response.status, dict(response.getheaders()), text)

    def text(self, command: str, method: str = "GET", body: bytes = b"") -> list[str]:
        """The lines of an answer of the text interface."""
        answer = self.ask(f"/manager/text/{command}", method, body)
        assert answer.status == 200, answer
        return answer.lines


def war(text: str = "hello", **files: str) -> bytes:
    """A zip with wsgi.py in it."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in ({"wsgi.py": APPLICATION.replace("{text}", text)} | files).items():
            archive.writestr(name, content)
    return sink.getvalue()


def make_base(base: Path, host: str = "", managers: tuple[str, ...] = ("manager",)) -> Path:
    """A base with the managers deployed by descriptors, and the application ``/plain``."""
    for name in ("conf/Catalina/localhost", "logs", "temp", "work", "webapps/plain"):
        (base / name).mkdir(parents=True)
    (base / "conf" / "server.xml").write_text(SERVER_XML.format(host=host))
    (base / "conf" / "tomcat-users.xml").write_text(USERS)
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    for name in managers:
        redirect = ' mapperContextRootRedirectEnabled="false"' if name in ("metrics", "jolokia") else ""
        xml = f'<Context privileged="true" docBase="{PROJECT}/webapps/{name}"{redirect}/>'
        (base / "conf" / "Catalina" / "localhost" / f"{name}.xml").write_text(xml)
    (base / "webapps" / "plain" / "wsgi.py").write_text(APPLICATION.replace("{text}", "plain"))
    return base


@contextlib.contextmanager
def running(base: Path) -> Iterator[Site]:
    """The node of a base."""
    catalina = Catalina(PROJECT, base)
    catalina.load()
    catalina.init()
    assert catalina.server is not None
    catalina.server.reactor.start()
    catalina.start()
    try:
        yield Site(catalina.server, base)
    finally:
        catalina.stop()
        catalina.server.reactor.stop()
