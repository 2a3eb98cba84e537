"""The HOW-TO's second configuration, word for word, on three nodes in network namespaces; and mixed managers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import full
from tests.cluster.namespaces import Switch
from tests.cluster.node import HERE, Node
from tests.support.needs import need_network_namespaces
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

#: Apache Tomcat 10.1, cluster-howto: the configuration with BackupManager.
HOWTO = r"""
<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster"
         channelSendOptions="6">

  <Manager className="org.apache.catalina.ha.session.BackupManager"
           expireSessionsOnShutdown="false"
           notifyListenersOnReplication="true"
           mapSendOptions="6"/>
  <!--
  <Manager className="org.apache.catalina.ha.session.DeltaManager"
           expireSessionsOnShutdown="false"
           notifyListenersOnReplication="true"/>
  -->
  <Channel className="org.apache.catalina.tribes.group.GroupChannel">
    <Membership className="org.apache.catalina.tribes.membership.McastService"
                address="228.0.0.4"
                port="45564"
                frequency="500"
                dropTime="3000"/>
    <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver"
              address="auto"
              port="5000"
              selectorTimeout="100"
              maxThreads="6"/>

    <Sender className="org.apache.catalina.tribes.transport.ReplicationTransmitter">
      <Transport className="org.apache.catalina.tribes.transport.nio.PooledParallelSender"/>
    </Sender>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatch15Interceptor"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.ThroughputInterceptor"/>
  </Channel>

  <Valve className="org.apache.catalina.ha.tcp.ReplicationValve"
         filter=".*\.gif|.*\.js|.*\.jpeg|.*\.jpg|.*\.png|.*\.htm|.*\.html|.*\.css|.*\.txt"/>

  <Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer"
            tempDir="/tmp/war-temp/"
            deployDir="/tmp/war-deploy/"
            watchDir="/tmp/war-listen/"
            watchEnabled="false"/>

  <ClusterListener className="org.apache.catalina.ha.session.ClusterSessionListener"/>
</Cluster>
"""

BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager" mapSendOptions="sync,use_ack"/>'


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Three nodes of the HOW-TO's second configuration; a test that kills one starts it again."""
    need_network_namespaces()
    base: Path = tmp_path_factory.mktemp("backup")
    switch = Switch()
    nodes = [
        Node(name, base / name, cluster=HOWTO, namespace=switch.add(name), http_port=8080)
        for name in ("n1", "n2", "n3")
    ]
    try:
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_started()
        yield nodes
    finally:
        for node in nodes:
            node.close()
        switch.close()


@pytest.mark.netns
def test_the_configuration_is_understood_without_a_word(three: list[Node]) -> None:
    for node in three:
        assert not re.search(r"WARNING.*server\.xml", node.log)
        assert "BackupManager" in node.log or "Server startup in [" in node.log
        assert node.log.count("Replication member added") >= 2


@pytest.mark.netns
def test_a_session_counts_on_whichever_node_the_request_reaches(three: list[Node]) -> None:
    session_id = None
    for number in range(1, 13):
        answer = three[number % 3].get("/count", session_id)
        assert answer.values == {"count": number}
        session_id = answer.session_id


@pytest.mark.netns
def test_values_of_all_kinds_and_changes_inside_them_are_there_on_every_node(three: list[Node]) -> None:
    session_id = three[0].get("/cart?owner=ann").session_id
    for node, item in zip(three, ("apple", "pear", "plum"), strict=True):
        node.get(f"/add?item={item}", session_id)
    cart = three[0].get("/show", session_id).values["cart"]
    assert cart == {"items": ["apple", "pear", "plum"], "owner": "ann"}


@pytest.mark.netns
def test_an_invalidated_session_is_gone_everywhere(three: list[Node]) -> None:
    session_id = three[0].get("/count").session_id
    three[1].get("/count", session_id)
    three[2].get("/invalidate", session_id)
    assert [node.get("/show", session_id).json["id"] for node in three] == [None] * 3


@pytest.mark.netns
def test_a_new_id_is_known_everywhere_and_the_old_one_nowhere(three: list[Node]) -> None:
    old = three[0].get("/count").session_id
    new = three[0].get("/change_id", old).session_id
    assert new != old
    assert three[1].get("/count", new).values == {"count": 2}
    assert three[2].get("/show", old).json["id"] is None


@pytest.mark.netns
def test_kill_9_of_an_owner_loses_no_session_and_a_second_kill_neither(three: list[Node]) -> None:
    sessions = [three[0].get("/count").session_id for _ in range(40)]
    three[0].kill()
    survivors = three[1:]
    found = [survivors[number % 2].get("/count", session_id).values for number, session_id in enumerate(sessions)]
    assert found == [{"count": 2}] * 40
    wait_until(lambda: all("Received member disappeared" in node.log for node in survivors), "the death is noticed", 20)
    three[0].start()
    wait_until(lambda: three[0].log.count("Replication member added") >= 2, "n1 sees the others again", 20)
    # n1 has joined again and is a backup; now the other owner dies.
    found = [survivors[1].get("/count", session_id).values for session_id in sessions]
    assert found == [{"count": 3}] * 40
    survivors[1].kill()
    found = [three[0].get("/count", session_id).values for session_id in sessions]
    assert found == [{"count": 4}] * 40
    survivors[1].start()


@pytest.mark.netns
def test_an_owner_that_stops_in_order_hands_its_sessions_on(three: list[Node]) -> None:
    session_id = three[1].get("/count").session_id
    three[1].stop()
    assert three[2].get("/count", session_id).values == {"count": 2}
    assert three[0].get("/count", session_id).values == {"count": 3}
    three[1].start()


def test_each_context_has_the_manager_that_it_names(make_node: Callable[..., Node]) -> None:
    port = free_udp_port()
    nodes = []
    for name in ("a", "b"):
        node = make_node(name, cluster=full(port, send_options=6), context_xml=f"<Context>{BACKUP}</Context>")
        other = node.base / "webapps" / "delta"
        shutil.copytree(HERE / "webapp", other)
        nodes.append(node)
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    first, second = nodes
    ids: dict[str, Any] = {app: first.get("/count", app=app).session_id for app in ("/app", "/delta")}
    assert {app: second.get("/count", ids[app], app=app).values for app in ids} == {
        "/app": {"count": 2},
        "/delta": {"count": 2},
    }
    assert "requesting session state" in first.log + second.log


def test_replication_goes_only_to_nodes_that_have_the_application(make_node: Callable[..., Node]) -> None:
    port = free_udp_port()
    cluster = full(port, send_options=6, manager=BACKUP)
    nodes = [make_node(name, cluster=cluster) for name in ("a", "b", "c")]
    app = nodes[2].base / "webapps" / "app"
    app.rename(nodes[2].base / "webapps" / "other")
    for node in nodes:
        node.start(wait=False)
    for node in nodes[:2]:
        node.wait_started()
    wait_until(lambda: "Server startup in [" in nodes[2].log, "c has started", 40)
    sessions = [nodes[0].get("/count").session_id for _ in range(10)]
    nodes[0].kill()
    assert [nodes[1].get("/count", session_id).values for session_id in sessions] == [{"count": 2}] * 10


SHARED = """
def application(environ, start_response):
    attributes = environ["catalina.context"].attributes
    name, _, value = environ.get("QUERY_STRING", "").partition("=")
    if value:
        attributes[name] = {"value": value}
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(attributes.get(name)).encode()]
"""


def test_a_replicated_context_shares_its_attributes(make_node: Callable[..., Node], tmp_path: Path) -> None:
    application = tmp_path / "shared"
    application.mkdir()
    (application / "wsgi.py").write_text(SHARED)
    context = (
        '<Context className="org.apache.catalina.ha.context.ReplicatedContext" path="/shared"'
        f' docBase="{application}"/>'
    )
    cluster = full(free_udp_port(), send_options=6) + context
    nodes = [make_node(name, cluster=cluster) for name in ("a", "b")]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    first, second = nodes
    assert first.get("/?motd=hello", app="/shared").body == b"{'value': 'hello'}"
    wait_until(lambda: second.get("/?motd", app="/shared").body == b"{'value': 'hello'}", "b has it", 5)
    first.kill()
    assert second.get("/?motd=bye", app="/shared").body == b"{'value': 'bye'}"
    first.start()
    assert first.get("/?motd", app="/shared").body == b"{'value': 'bye'}"
