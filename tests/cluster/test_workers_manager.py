"""The manager application on a node of a keeper and workers, as real processes: each command acts on the node."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.node import PROJECT, Node
from tests.cluster.test_workers_deployment import BROKEN, archive, versions

pytestmark = pytest.mark.cluster

USERS = """<tomcat-users>
  <role rolename="manager-script"/><role rolename="manager-gui"/><role rolename="manager-status"/>
  <user username="admin" password="secret" roles="manager-script,manager-status,manager-gui"/></tomcat-users>"""
DESCRIPTOR = f"""<Context privileged="true" docBase="{PROJECT}/webapps/manager">
  <Realm className="org.apache.catalina.realm.LockOutRealm">
    <Realm className="org.apache.catalina.realm.MemoryRealm"/>
  </Realm>
</Context>"""


class Manager:
    """A client of the manager of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.node.http_port, timeout=60)
        login = base64.b64encode(b"admin:secret").decode()
        try:
            connection.request(method, f"/manager/{path}", body, {"Authorization": f"Basic {login}"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def says(self, command: str, method: str = "GET", body: bytes | None = None) -> str:
        status, text = self.ask(f"text/{command}", method, body)
        assert status == 200, text
        return text


@pytest.fixture
def manager(make_node: Callable[..., Node], tmp_path: Path) -> Manager:
    """The manager of a node with two workers, which has deployed /shop."""
    node = make_node("n1", workers=2)
    (node.base / "conf" / "tomcat-users.xml").write_text(USERS)
    descriptors = node.base / "conf" / "Catalina" / "localhost"
    descriptors.mkdir(parents=True)
    (descriptors / "manager.xml").write_text(DESCRIPTOR)
    made = Manager(node.start())
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


def test_what_shows_one_process_says_so(manager: Manager) -> None:
    status, text = manager.ask("status/all")
    assert status == 501
    assert "the node has several workers" in text
    assert manager.says("sslReload").startswith("FAIL")


def test_the_pages_and_the_metrics_are_the_nodes(manager: Manager) -> None:
    for _ in range(20):
        manager.node.get("/count", app="/shop")
    status, page = manager.ask("html/list")
    assert status == 200
    assert "/shop" in page
    status, metrics = manager.ask("metrics")
    assert status == 200
    assert "tomcat_" in metrics
