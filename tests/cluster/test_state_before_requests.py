"""A node that joins lets clients in when it has the sessions of the group, and says meanwhile how far it is."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import HERE, Node
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

SESSIONS = 40
#: The state goes in four blocks, with pauses between them that a test can look into.
IN_BLOCKS = (
    '<Manager className="org.apache.catalina.ha.session.DeltaManager" sendAllSessions="false"'
    ' sendAllSessionsSize="10" sendAllSessionsWaitTime="600"/>'
)
ASKED, HERE_NOW = "requesting session state from", "session state sent at ["


def node_with_sessions(make_node: Callable[..., Node], cluster: str) -> Node:
    """A started node that has sessions to give."""
    node = make_node("tomcatA", cluster=cluster).start()
    for _ in range(SESSIONS):
        node.get("/count")
    return node


def edit(node: Node, old: str, new: str) -> None:
    """Change server.xml of a node that is not started."""
    config = node.base / "conf" / "server.xml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def lets_in(node: Node) -> bool:
    """True when a client is not refused."""
    try:
        socket.create_connection((node.address, node.http_port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_port_refuses_until_the_state_is_there(make_node: Callable[..., Node]) -> None:
    cluster = full(free_udp_port(), send_options=6, manager=IN_BLOCKS)
    node_with_sessions(make_node, cluster)
    b = make_node("tomcatB", cluster=cluster, workers=1).start(wait=False)
    wait_until(lambda: ASKED in b.log, "B asks for the state")
    assert not lets_in(b)
    assert HERE_NOW not in b.log
    wait_until(lambda: lets_in(b), "B lets clients in")
    assert HERE_NOW in b.log
    # From now on the socket listens as long as the node's arbiter lives: clients of a worker that is killed wait.
    b.wait_started()
    session_id = b.get("/count").session_id
    b.kill_worker()
    assert b.get("/count", session_id, timeout=30).values == {"count": 2}
    assert b.log.count(HERE_NOW) == 2


def test_with_listen_on_init_clients_wait_for_the_state_as_with_tomcat(make_node: Callable[..., Node]) -> None:
    cluster = full(free_udp_port(), send_options=6, manager=IN_BLOCKS)
    node_with_sessions(make_node, cluster)
    b = make_node("tomcatB", cluster=cluster)
    edit(b, "<Connector ", '<Connector listenOnInit="true" ')
    b.start(wait=False)
    wait_until(lambda: ASKED in b.log, "B asks for the state")
    answer = b.get("/count")
    assert answer.values == {"count": 1}
    assert HERE_NOW in b.log


def test_the_health_check_says_how_many_sessions_have_come(make_node: Callable[..., Node], tmp_path: Path) -> None:
    cluster = full(free_udp_port(), send_options=6, manager=IN_BLOCKS)
    node_with_sessions(make_node, cluster)
    valve = '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>'
    b = make_node("tomcatB", cluster=cluster + valve, workers=1)  # workers let nobody in before the keeper has all
    edit(b, 'autoDeploy="false"', 'autoDeploy="true"')
    shutil.rmtree(b.base / "webapps" / "app")
    b.start()
    assert json.loads(b.get("/health", app="").body) == {"status": "UP", "checks": []}
    shutil.copytree(HERE / "webapp", tmp_path / "app")
    (tmp_path / "app").rename(b.base / "webapps" / "app")  # B serves, and gets an application with sessions

    def progress() -> dict[str, int] | None:
        answer = b.get("/health", app="")
        checks = answer.json["checks"]
        if not checks or not checks[0]["data"]["received"]:
            return None
        assert (answer.status, answer.json["status"]) == (503, "DOWN")
        assert (checks[0]["name"], checks[0]["status"]) == ("sessions of /app", "DOWN")
        found: dict[str, int] = checks[0]["data"]
        return found

    found = wait_until(progress, "the health check shows the progress")
    assert found["expected"] == SESSIONS
    assert 0 < found["received"] < SESSIONS
    wait_until(lambda: b.get("/health", app="").status == 200, "B is ready")
    assert HERE_NOW in b.log
