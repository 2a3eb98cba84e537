"""/manager/jmxproxy beside the Java Tomcat's: the same requests, the same bytes."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.mbeans.platform.platform_beans import platform_beans
from catalina.startup.server_beans import server_beans
from catalina.valves.remote_cidr_valve import RemoteCIDRValve
from tests.core.node import Node, web_xml
from tests.interop.java_tomcat import JavaTomcat

pytestmark = pytest.mark.interop

WEB_XML = web_xml(
    "<servlet><servlet-name>proxy</servlet-name><servlet-class>org.apache.catalina.manager.JMXProxyServlet"
    "</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>proxy</servlet-name><url-pattern>/jmxproxy/*</url-pattern></servlet-mapping>"
)
VALVES = """<Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
<Valve className="org.apache.catalina.ha.tcp.ReplicationValve" filter=".*\\.gif"/>
<Valve className="org.apache.catalina.valves.RemoteCIDRValve" allow="127.0.0.1"/>"""
BINDER = "Catalina:type=Valve,host=localhost,name=JvmRouteBinderValve"
REPLICATION = "Catalina:type=Valve,host=localhost,name=ReplicationValve"
MANAGER = "Catalina:type=Manager,host=localhost,context=/app"


class Both:
    """The two servers."""

    def __init__(self, java: JavaTomcat, ours: Node) -> None:
        self.java = java
        self.ours = ours

    def ask(self, **parameters: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The answers of both: status, two header fields, body; without the frames of Java's stacks."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        path = f"/app/jmxproxy/?{query}"
        connection = http.client.HTTPConnection(self.java.address, self.java.http_port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            theirs = (str(answer.status), *map(str, (answer.headers["Content-Type"],
                      answer.headers["X-Content-Type-Options"])), without_frames(answer.read()))  # fmt: skip
        finally:
            connection.close()
        own = self.ours.ask(path)
        fields = map(str, (own.get("Content-Type"), own.get("X-Content-Type-Options")))
        return theirs, (str(own.status), *fields, without_frames(own.body))


def without_frames(body: bytes) -> str:
    return re.sub(r"\t(?:at |\.\.\. \d+ (?:more|common)).*\n", "", body.decode())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    java = JavaTomcat("n", tmp_path_factory.mktemp("java") / "base", Path("/nowhere"), cluster=VALVES, web_xml=WEB_XML)
    context = java.base / "webapps" / "app" / "META-INF"
    context.mkdir()
    (context / "context.xml").write_text('<Context privileged="true"/>')
    ours = Node(tmp_path_factory.mktemp("ours"))
    ours.engine.jvm_route = "n"
    ours.host.add_valve(JvmRouteBinderValve())
    ours.host.add_valve(filtered())
    ours.host.add_valve(cidr())
    ours.add("app", {"WEB-INF/web.xml": WEB_XML}, path="/app", privileged=True)
    ours.server.mbeans.add_source(lambda: server_beans(ours.server))
    ours.server.mbeans.add_source(platform_beans({}))
    java.start()
    try:
        with ours:
            yield Both(java, ours)
    finally:
        java.kill()


def filtered() -> ReplicationValve:
    valve = ReplicationValve()
    valve.set_attribute("filter", r".*\.gif")
    return valve


def cidr() -> RemoteCIDRValve:
    valve = RemoteCIDRValve()
    valve.set_attribute("allow", "127.0.0.1")
    return valve


@pytest.mark.parametrize(
    "query",
    [
        {"get": BINDER, "att": "enabled"},
        {"set": BINDER, "att": "enabled", "val": "false"},
        {"get": BINDER, "att": "enabled", "after": "false"},
        {"set": BINDER, "att": "enabled", "val": "quark"},
        {"get": BINDER, "att": "enabled", "after": "quark"},
        {"set": BINDER, "att": "enabled", "val": "true"},
        {"get": BINDER, "att": "enabled", "after": "true"},
        {"set": BINDER, "att": "enabled"},
        {"get": BINDER, "att": "enabled", "after": "nothing"},
        {"set": BINDER, "att": "nope", "val": "1"},
        {"set": BINDER, "att": "stateName", "val": "1"},
        {"set": BINDER},
        {"get": BINDER, "att": "nope"},
        {"get": BINDER, "att": ""},
        {"get": BINDER},
        {"get": BINDER, "att": "enabled", "key": "x"},
        {"get": "Catalina:type=No", "att": "x"},
        {"set": "Catalina:type=No", "att": "x", "val": "1"},
        {"get": "foo", "att": "x"},
        {"get": "a:b", "att": "x"},
        {"get": "a:b=", "att": "x"},
        {"get": "a:b=c,", "att": "x"},
        {"get": "a:b=c,b=d", "att": "x"},
        {"get": "a:b=c:d", "att": "x"},
        {"get": ":a=b", "att": "x"},
        {"get": ""},
        {"get": "Catalina:type=Valve,*", "att": "x"},
        {"qry": "foo"},
        {"qry": "none:*"},
        {"qry": BINDER},
        {"invoke": REPLICATION, "op": "resetStatistics"},
        {"invoke": BINDER, "op": "nope"},
        {"invoke": BINDER, "op": "start", "ps": "1,2"},
        {"invoke": BINDER},
        {"invoke": BINDER, "op": "stop"},
        {"invoke": BINDER, "op": "start"},
        {"invoke": "Catalina:type=No", "op": "x"},
        {"invoke": "foo", "op": "x"},
        {"set": MANAGER, "att": "maxActiveSessions", "val": "12x"},
        {"set": MANAGER, "att": "maxActiveSessions", "val": "12"},
        {"get": MANAGER, "att": "maxActiveSessions"},
        {"set": MANAGER, "att": "maxActiveSessions", "val": "-1"},
        {"invoke": MANAGER, "op": "listSessionIds"},
        {"invoke": MANAGER, "op": "expireSession", "ps": "nope"},
        {"invoke": MANAGER, "op": "getSessionAttribute", "ps": "nope,a"},
        {"invoke": "Catalina:type=Valve,host=localhost,name=RemoteCIDRValve", "op": "isAllowed", "ps": "10.0.0.1"},
        {"get": "java.lang:type=Memory", "att": "HeapMemoryUsage", "key": "nope"},
        {"get": "Catalina:type=Service", "att": "name", "key": "x"},
        {"get": "Catalina:type=Valve,host=localhost,name=RemoteCIDRValve", "att": "allow"},
    ],
    ids=str,
)
def test_an_answer_is_the_java_tomcats_to_the_byte(both: Both, query: dict[str, str]) -> None:
    theirs, ours = both.ask(**query)
    assert ours == theirs


#: Attributes that a text would only repeat (the object itself), and those that do not exist here.
NOT_HERE = {"managedResource", "realm", "startChildren", "children", "catalinaBase", "name"}


@pytest.mark.parametrize(
    "name",
    [BINDER, REPLICATION, "Catalina:type=Engine", "Catalina:type=Host,host=localhost", "Catalina:type=Server", MANAGER],
)
def test_a_bean_has_all_that_means_something_here(both: Both, name: str) -> None:
    theirs, ours = (
        dict(line.split(": ", 1) for line in answer[3].split("\r\n") if ": " in line) for answer in both.ask(qry=name)
    )
    assert {line: value for line, value in theirs.items() if line not in ours and line not in NOT_HERE} == {}


def test_the_replication_valves_bean_is_the_same_but_for_the_order(both: Both) -> None:
    theirs, ours = (sorted(answer[3].split("\r\n")) for answer in both.ask(qry=REPLICATION))
    assert ours == theirs
