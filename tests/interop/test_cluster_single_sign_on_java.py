"""One group of a Java Tomcat 10.1 and a node of ours: who has logged in on one is known on the other."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

SSO = "JSESSIONIDSSO"
_USERS = '<tomcat-users><role rolename="user"/><user username="joe" password="secret" roles="user"/></tomcat-users>'
_IN_HOST = """
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Valve className="org.apache.catalina.ha.authenticator.ClusterSingleSignOn"/>
"""
_SECURITY = """
  <security-constraint>
    <web-resource-collection><web-resource-name>all</web-resource-name><url-pattern>/*</url-pattern></web-resource-collection>
    <auth-constraint><role-name>user</role-name></auth-constraint>
  </security-constraint>
  <login-config><auth-method>BASIC</auth-method></login-config>
  <security-role><role-name>user</role-name></security-role>
</web-app>"""


def protect(node: Node) -> None:
    """The probe application behind a login."""
    (node.base / "conf" / "tomcat-users.xml").write_text(_USERS)
    descriptor = node.base / "webapps" / "app" / "WEB-INF" / "web.xml"
    descriptor.write_text(descriptor.read_text().replace("</web-app>", _SECURITY))


class Browser:
    """Keeps cookies by name, whichever node sets them."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def ask(self, node: Node, path: str, password: str | None = None) -> int:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if password is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"joe:{password}".encode()).decode()
        connection = http.client.HTTPConnection(node.address, node.http_port, timeout=15)
        try:
            connection.request("GET", "/app" + path, headers=headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "max-age=0" in line.lower():
                del self.cookies[name]
        return answer.status

    def sso_only(self) -> Browser:
        """The same user, without a session."""
        other = Browser()
        other.cookies[SSO] = self.cookies[SSO]
        return other


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Node]]:
    base: Path = tmp_path_factory.mktemp("sso")
    classes = base / "classes"
    classes.mkdir()
    compile_probe(classes)
    inside = _IN_HOST + full(free_udp_port(), send_options=6)
    java = JavaTomcat("java1", base / "java1", classes, cluster=inside)
    ours = Node("py1", base / "py1", cluster=inside)
    for node in (java, ours):
        protect(node)
    java.start()
    ours.start()
    wait_until(lambda: "Replication member added" in java.log, "Java sees our node")
    try:
        yield {"java": java, "ours": ours}
    finally:
        java.close()
        ours.close()


@pytest.mark.parametrize(("first", "second"), [("java", "ours"), ("ours", "java")])
def test_a_login_counts_on_the_other_node(nodes: dict[str, Node], first: str, second: str) -> None:
    browser = Browser()
    assert browser.ask(nodes[first], "/count") == 401
    assert browser.ask(nodes[first], "/count", "wrong") == 401
    assert browser.ask(nodes[first], "/count", "secret") == 200
    assert browser.sso_only().ask(nodes[second], "/count") == 200


@pytest.mark.parametrize(("first", "second"), [("java", "ours"), ("ours", "java")])
@pytest.mark.parametrize("there", [False, True], ids=["where_he_logged_in", "on_the_other_node"])
def test_logging_out_counts_on_both(nodes: dict[str, Node], first: str, second: str, there: bool) -> None:
    browser = Browser()
    assert browser.ask(nodes[first], "/count", "secret") == 200
    again = browser.sso_only()
    assert browser.ask(nodes[second if there else first], "/invalidate") == 200
    wait_until(lambda: again.sso_only().ask(nodes[second], "/show") == 401, "the other node has heard", 5)
    wait_until(lambda: again.sso_only().ask(nodes[first], "/show") == 401, "the first node has heard", 5)


def test_an_id_of_nobody_is_refused(nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        browser = Browser()
        browser.cookies[SSO] = "0" * 32
        assert browser.ask(node, "/count") == 401


def test_neither_node_has_complained(nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        assert "SEVERE" not in node.log
        assert "Exception" not in node.log
        assert "Traceback" not in node.log
