"""The manager application on a node of a keeper and workers, as real processes: each command acts on the node."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, STARTED, Node, started
from tests.cluster.test_workers_deployment import BROKEN, archive, versions
from tests.cluster.test_workers_tls import CONNECTOR
from tests.connector.certificates import pair
from tests.support.ports import free_port, free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

USERS = """<tomcat-users>
  <role rolename="manager-script"/><role rolename="manager-gui"/><role rolename="manager-status"/>
  <role rolename="admin-script"/><role rolename="jolokia"/>
  <user username="admin" password="secret" roles="manager-script,manager-status,manager-gui,admin-script,jolokia"/>
</tomcat-users>"""
DESCRIPTOR = f"""<Context privileged="true" docBase="{PROJECT}/webapps/{{}}">
  <Realm className="org.apache.catalina.realm.LockOutRealm">
    <Realm className="org.apache.catalina.realm.MemoryRealm"/>
  </Realm>
</Context>"""


class Manager:
    """A client of the manager of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._login = {"Authorization": f"Basic {base64.b64encode(b'admin:secret').decode()}"}

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, application: str = "manager"
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.node.http_port, timeout=60)
        try:
            connection.request(method, f"/{application}/{path}", body, self._login)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    @contextmanager
    def opened(self, path: str, application: str = "manager") -> Iterator[http.client.HTTPResponse]:
        """An answer that is still coming."""
        connection = http.client.HTTPConnection("127.0.0.1", self.node.http_port, timeout=30)
        try:
            connection.request("GET", f"/{application}/{path}", headers=self._login)
            yield connection.getresponse()
        finally:
            connection.close()

    def says(self, command: str, method: str = "GET", body: bytes | None = None) -> str:
        status, text = self.ask(f"text/{command}", method, body)
        assert status == 200, text
        return text


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with two workers in a group of its own, which has the managers, Jolokia, and a TLS connector."""
    made = Node("n1", tmp_path_factory.mktemp("manager") / "n1", cluster=full(free_udp_port()), workers=2)
    conf = made.base / "conf"
    (conf / "tomcat-users.xml").write_text(USERS)
    descriptors = conf / "Catalina" / "localhost"
    descriptors.mkdir(parents=True)
    for application in ("manager", "host-manager", "jolokia"):
        (descriptors / f"{application}.xml").write_text(DESCRIPTOR.format(application))
    pair("localhost").write(conf, "node")
    text = (conf / "server.xml").read_text()
    (conf / "server.xml").write_text(text.replace("<Engine ", CONNECTOR.format(port=free_port(), directory=conf), 1))
    with started([made]):
        yield made


@pytest.fixture
def manager(node: Node, tmp_path: Path) -> Manager:
    """The manager, which has deployed /shop."""
    made = Manager(node)
    if versions(node) != {"one"}:
        war = archive(tmp_path / "shop.war", "one").read_bytes()
        assert made.says("deploy?path=/shop", "PUT", war) == "OK - Deployed application at context path [/shop]\n"
    return made


def test_a_deployed_application_runs_in_all_workers(manager: Manager) -> None:
    assert versions(manager.node) == {"one"}
    assert "/shop:running:0:shop" in manager.says("list")


def test_a_version_that_does_not_start_changes_nothing(manager: Manager, tmp_path: Path) -> None:
    war = archive(tmp_path / "bad.war", "bad", BROKEN).read_bytes()
    text = manager.says("deploy?path=/shop&update=true", "PUT", war)
    assert text.startswith("FAIL")
    assert "it does not start" in text
    assert versions(manager.node) == {"one"}


def test_stop_start_reload_and_undeploy_act_on_all_workers(manager: Manager) -> None:
    assert manager.says("stop?path=/shop").startswith("OK")
    assert versions(manager.node) == {"404"}
    assert manager.says("start?path=/shop").startswith("OK")
    assert versions(manager.node) == {"one"}
    assert manager.says("reload?path=/shop").startswith("OK")
    assert versions(manager.node) == {"one"}
    assert manager.says("undeploy?path=/shop").startswith("OK")
    assert versions(manager.node) == {"404"}


def test_sessions_of_all_workers_are_counted_and_expired(manager: Manager) -> None:
    sessions = [manager.node.get("/count", app="/shop").session_id for _ in range(10)]
    assert "[10] sessions" in manager.says("sessions?path=/shop")
    assert "[10] sessions were expired" in manager.says("expire?path=/shop&idle=0")
    counts = [manager.node.get("/count", session, app="/shop").body.split()[0] for session in sessions]
    assert counts == [b"1"] * 10


def test_a_thread_dump_has_all_processes(manager: Manager) -> None:
    text = manager.says("threaddump")
    assert "Worker [0]:" in text
    assert "Worker [1]:" in text


def test_the_status_pages_show_the_node(manager: Manager) -> None:
    for _ in range(20):
        manager.node.get("/count", app="/shop")
    status, page = manager.ask("status/all")
    assert status == 200
    assert "localhost/shop" in page
    told = json.loads(manager.ask("status/all?JSON=true")[1])["tomcat"]
    connector = told["connector"][0]
    assert connector["requestInfo"]["requestCount"] >= 20
    assert connector["threadInfo"]["maxThreads"] == 2 * 200
    [shop] = [each for each in told["context"] if each["name"] == "localhost/shop"]
    assert shop["manager"]["activeSessions"] >= 20
    _, xml = manager.ask("status?XML=true")
    under_way = [each.get("currentUri", "") for each in ElementTree.fromstring(xml).iter("worker")]
    assert any(uri.startswith("/manager/status") for uri in under_way), "the request itself"


def test_a_host_is_added_to_all_workers_and_removed_from_them(manager: Manager) -> None:
    node = manager.node
    (node.base / "b" / "ROOT").mkdir(parents=True)
    (node.base / "b" / "ROOT" / "index.html").write_text("here")

    def pages() -> set[int]:
        return {node.get("/index.html", app="", Host="b.org").status for _ in range(20)}

    assert pages() == {404}
    assert manager.ask("text/add?name=b.org&appBase=b", application="host-manager")[1] == "OK - Host [b.org] added\n"
    assert pages() == {200}
    node.kill_worker()
    wait_until(lambda: len(node.named_processes("catalina-w")) == 2, "another worker")
    wait_until(lambda: node.log.count(STARTED) == 4, "it serves")
    assert pages() == {200}
    assert manager.ask("text/remove?name=b.org", application="host-manager")[1] == "OK - Removed host [b.org]\n"
    assert pages() == {404}


def test_the_page_of_the_cluster_shows_the_node_and_is_live(manager: Manager) -> None:
    status, page = manager.ask("cluster")
    assert status == 200
    assert "/shop" in page
    with manager.opened("cluster/events") as events:
        assert events.getheader("Content-Type") == "text/event-stream;charset=utf-8"
        seen = [events.readline() for _ in range(40)]
        assert sum(line.startswith(b"event: live") for line in seen) >= 1


def test_listeners_of_jolokia_are_the_nodes_whatever_worker_is_asked(manager: Manager) -> None:
    def asked(path: str) -> Any:
        answer = json.loads(manager.ask(path, application="jolokia")[1])
        assert answer["status"] == 200, answer
        return answer["value"]

    bean = "Catalina:type=Manager,host=localhost,context=!/shop"
    registered = asked("notification/register")
    client, store = registered["id"], registered["backend"]["pull"]["store"]
    handles = {mode: asked(f"notification/add/{client}/{mode}/{bean}") for mode in ("pull", "sse")}
    with manager.opened(f"notification/open/{client}/sse", "jolokia") as events:
        assert events.readline() == b"retry: 2000\n"
        asked(f"write/{bean}/processExpiresFrequency/4")
        told = next(line for line in events if line.startswith(b"data: "))
    pulled = [asked(f"exec/{store}/pull/{client}/{handles['pull']}") for _ in range(10)]
    for result in (json.loads(told.removeprefix(b"data: ")), pulled[0]):
        assert [one["newValue"] for one in result["notifications"]] == [4]
    assert all(result["notifications"] == [] for result in pulled[1:])
    asked(f"notification/unregister/{client}")


def test_certificates_are_read_anew_by_all_workers(manager: Manager) -> None:
    conf, text = manager.node.base / "conf", (manager.node.base / "conf" / "server.xml").read_text()
    port = int(re.findall(r'port="(\d+)"[^>]*SSLEnabled', text)[0])

    def shown() -> set[str]:
        return {ssl.get_server_certificate(("127.0.0.1", port)) for _ in range(20)}

    [old] = shown()
    pair("shop.example.org").write(conf, "node")
    assert manager.says("sslReload") == "OK - Reloaded TLS configuration for all TLS virtual hosts\n"
    [new] = shown()
    assert new != old


def test_the_pages_and_the_metrics_are_the_nodes(manager: Manager) -> None:
    for _ in range(20):
        manager.node.get("/count", app="/shop")
    status, page = manager.ask("html/list")
    assert status == 200
    assert "/shop" in page
    status, metrics = manager.ask("metrics")
    assert status == 200
    assert "tomcat_" in metrics
