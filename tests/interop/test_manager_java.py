"""The manager's text interface beside the Java Tomcat's: the same requests, the same answers.

Allowed differences stand in :data:`OURS`, with the reasons in docs/differences.md.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.interop.differential.servers import running_java
from tests.manager.site import PROJECT, USERS, make_base, running
from tests.support.needs import need_file, need_java_tomcat
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

ADMIN = "/usr/share/tomcat10-admin"

SERVER_XML = """<Server port="-1">
<GlobalNamingResources>
<Environment name="answer" type="java.lang.Integer" value="42"/>
<Resource name="UserDatabase" type="org.apache.catalina.UserDatabase" auth="Container"
 factory="org.apache.catalina.users.MemoryUserDatabaseFactory" pathname="conf/tomcat-users.xml"/>
</GlobalNamingResources>
<Service name="Catalina">
<Connector port="{port}" address="127.0.0.1"/>
<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.LockOutRealm" failureCount="100">
<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/></Realm>
<Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false">
<Context path="/fixed" docBase="{fixed}"/></Host>
</Engine></Service></Server>
"""
BROKEN_JAVA = (
    '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true"><listener>'
    "<listener-class>no.Such</listener-class></listener></web-app>"
)


class Manager:
    """One server's manager."""

    def __init__(self, base: Path, port: int) -> None:
        self.base = base
        self.port = port

    def ask(self, method: str, path: str, body: bytes = b"", login: str | None = "op:secret") -> tuple[int, str]:
        headers = {}
        if login is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path.replace("$BASE", str(self.base)), body or None, headers)
            response = connection.getresponse()
            text = response.read().decode()
        return response.status, text.replace(str(self.base), "$BASE") if response.status == 200 else ""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Manager, Manager]]:
    """Java's and ours, with the same files."""
    jars = need_java_tomcat()
    need_file(f"{ADMIN}/manager/WEB-INF/web.xml", "tomcat10-admin")
    java = _java_base(tmp_path_factory.mktemp("java"))
    port = free_port()
    (java / "conf" / "server.xml").write_text(SERVER_XML.format(port=port, fixed=java / "fixed"))
    ours = make_base(tmp_path_factory.mktemp("ours") / "base", managers=("manager", "host-manager"))
    (ours / "conf" / "server.xml").write_text(SERVER_XML.format(port=0, fixed=ours / "fixed"))
    for base in (java, ours):
        (base / "fixed" / "WEB-INF").mkdir(parents=True)
        (base / "ext" / "dirapp" / "WEB-INF").mkdir(parents=True)
        _war(base / "ext" / "foo.war", {"index.html": "foo", "WEB-INF/web.xml": _empty()})
        (base / "ext" / "ctx.xml").write_text(f'<Context docBase="{base}/ext/dirapp"/>')
    with running_java(java, port, jars), running(ours) as site:
        yield Manager(java, port), Manager(ours, site.port)


def _empty() -> str:
    return '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true"/>'


def _java_base(base: Path) -> Path:
    for name in ("conf/Catalina/localhost", "logs", "temp", "work", "webapps/plain/WEB-INF"):
        (base / name).mkdir(parents=True)
    (base / "webapps" / "plain" / "WEB-INF" / "web.xml").write_text(_empty())
    (base / "conf" / "tomcat-users.xml").write_text(USERS)
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    (base / "conf" / "context.xml").write_text('<Context containerSciFilter=".*"/>')
    for name in ("manager", "host-manager"):
        shutil.copytree(f"{ADMIN}/{name}", base / "admin" / name)
        web_xml = base / "admin" / name / "WEB-INF" / "web.xml"
        # Its error pages are JSPs, which take seconds to compile.
        web_xml.write_text(re.sub("<error-page>.*?</error-page>", "", web_xml.read_text(), flags=re.DOTALL))
        xml = f'<Context docBase="{base}/admin/{name}" privileged="true"/>'
        (base / "conf" / "Catalina" / "localhost" / f"{name}.xml").write_text(xml)
    return base


def _war(file: Path, files: dict[str, str]) -> bytes:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.read_bytes()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    files = {"index.html": "shop", "WEB-INF/web.xml": _empty()}
    return _war(tmp_path_factory.mktemp("war") / "x.war", files)


#: Method and path behind /manager/text/, in this order; ``A`` behind the method sends the archive.
STEPS = (
    "GET ", "GET frobnicate", "PUT list", "PUT frobnicate", "GET serverinfo?x", "HEAD list",
    "GET sessions", "GET sessions?path=/nosuch", "GET sessions?path=del", "GET sessions?path=/plain&version=7",
    "GET sessions?path=/plain", "GET expire?path=/plain", "GET expire?path=/plain&idle=0",
    "GET expire?path=/plain&idle=abc", "GET start?path=/plain", "GET stop?path=/plain", "GET stop?path=/plain",
    "GET reload?path=/plain", "GET start?path=/plain", "GET reload?path=/plain", "GET start", "GET start?path=/nosuch",
    "GET start?path=nosuch", "GET start?path=/a%3Cb%3E", "GET start?path=%3Cb%3E/x", "GET stop?path=/manager",
    "GET reload?path=/manager", "GET undeploy?path=/manager", "GET start?path=/manager", "GET undeploy?path=/nosuch",
    "GET undeploy", "GET undeploy?path=/fixed", "GET stop?path=/nosuch", "GET reload?path=/nosuch",
    "PUTA deploy?path=/foo", "PUTA deploy?path=/foo", "PUTA deploy?path=/foo&update=true",
    "PUTA deploy?path=/foo&update=true&tag=v1", "GET deploy?path=/foo&tag=v1", "GET deploy?path=/foo&tag=v9",
    "PUTA deploy?path=/foo&version=2", "PUTA deploy?path=/a/b", "PUTA deploy", "PUTA deploy?path=foo",
    "GET undeploy?path=/foo&version=2", "GET undeploy?path=/foo", "GET undeploy?path=/a/b",
    "GET deploy?path=/ext&war=file:$BASE/ext/foo.war", "GET deploy?path=/ext&war=file:$BASE/ext/foo.war",
    "GET deploy?path=/ext&war=file:$BASE/ext/foo.war&update=true", "GET undeploy?path=/ext",
    "GET deploy?path=/extdir&war=file:$BASE/ext/dirapp", "GET undeploy?path=/extdir",
    "GET deploy?war=file:$BASE/ext/foo.war", "GET undeploy?path=/foo",
    "GET deploy?path=/miss&war=file:$BASE/ext/nosuch.war", "GET deploy?path=/miss&war=../ext/foo.war",
    "GET deploy?path=/cfg&config=file:$BASE/ext/ctx.xml", "GET undeploy?path=/cfg",
    "GET deploy?config=file:$BASE/ext/ctx.xml", "GET undeploy?path=/ctx", "GET deploy", "GET deploy?path=/x",
    "GET resources?type=org.apache.catalina.UserDatabase", "GET resources?type=java.lang.Long",
    "GET resources?type=java.lang.Integer", "GET findleaks?statusLine=true", "GET findleaks", "GET save",
    "GET save?path=/plain", "GET save?path=/nosuch", "GET sslReload", "GET sslReload?tlsHostName=nosuch",
)  # fmt: skip


def test_the_same_requests_get_the_same_answers(both, archive):
    java, ours = both
    different = []
    for step in STEPS:
        method, path = step.split(" ", 1)
        body = archive if method == "PUTA" else b""
        answers = [server.ask(method.removesuffix("A"), f"/manager/text/{path}", body) for server in (java, ours)]
        theirs, own = answers
        if "serverinfo" in path:
            theirs, own = ((status, re.sub(r"\[.*?\]", "[]", text)) for status, text in answers)
        if theirs != own:
            different.append((step, theirs, own))
    assert different == [], "\n".join(map(repr, different))


HOST_STEPS = (
    "", "frob", "list", "add?name=vh1&appBase=vh1&aliases=a.vh1,b.vh1&manager=false", "add?name=vh1", "add",
    "add?name=", "list", "start?name=vh1", "stop?name=vh1", "stop?name=vh1", "start?name=vh1", "remove?name=vh1",
    "remove?name=localhost", "stop?name=localhost", "start?name=localhost", "start?name=zz", "remove?name=zz", "stop",
    "add?name=vh2&appBase=../out", "persist", "list",
)  # fmt: skip


def test_the_same_hosts_are_added_and_removed(both):
    answers = [[server.ask("GET", f"/host-manager/text/{step}") for step in HOST_STEPS] for server in both]
    java, ours = ([(status, re.sub(r"\[/.*/out\]", "[out]", text)) for status, text in each] for each in answers)
    assert ours == java


@pytest.mark.parametrize(
    ("method", "path", "login"),
    [
        ("GET", "/manager/text/list", None),
        ("GET", "/manager/text/list", "op:wrong"),
        ("GET", "/manager/text/list", "low:low"),
        ("POST", "/manager/text/list", "op:secret"),
        ("DELETE", "/manager/text/list", "op:secret"),
        ("GET", "/manager/text", "op:secret"),
    ],
)
def test_who_may_is_the_same(both, method, path, login):
    java, ours = both
    assert ours.ask(method, path, login=login) == java.ask(method, path, login=login)


def test_the_list_has_the_same_lines(both):
    java, ours = (server.ask("GET", "/manager/text/list")[1].splitlines() for server in both)
    # The managers of the two lie in different directories.
    own = [re.sub(r"[^:]*(/(host-)?manager)$", r"\1", line) for line in ours[1:]]
    theirs = [re.sub(r"[^:]*(/(host-)?manager)$", r"\1", line) for line in java[1:]]
    assert ours[0] == java[0]
    assert sorted(own) == sorted(theirs)


def _shape(element: etree._Element) -> tuple[object, ...]:
    """Names of elements and attributes in their order, each kind of child once."""
    children = {_shape(child) for child in element}
    return element.tag, tuple(map(str, element.keys())), tuple(sorted(map(str, children)))


def test_the_status_in_xml_has_the_same_elements_and_attributes(both):
    shapes = []
    for server in both:
        status, text = server.ask("GET", "/manager/status/all?XML=true")
        assert status == 200
        assert text.startswith('<?xml version="1.0" encoding="utf-8"?><?xml-stylesheet type="text/xsl" href="/manager/')
        root = etree.fromstring(text.encode())
        for workers in root.findall("connector/workers"):
            for worker in workers:  # how many there are, and of which request, is each one's own business
                workers.remove(worker)
        shapes.append(_shape(root))
    assert shapes[0] == shapes[1]


def _keys(value: object) -> Any:
    if isinstance(value, dict):
        return {name: _keys(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_keys(value[0])] if value else []
    return type(value).__name__


def test_the_status_in_json_has_the_same_keys_and_types(both):
    java, ours = (_keys(json.loads(server.ask("GET", "/manager/status/all?JSON=true")[1])["tomcat"]) for server in both)
    for tree in (java, ours):
        (context,) = tree["context"]
        context.pop("jsp", None)
        context.pop("tldScanTime", None)
        context["wrapper"][0].pop("classLoadTime", None)
    assert ours == java
