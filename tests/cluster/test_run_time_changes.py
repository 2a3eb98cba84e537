"""A change at run time over JMX takes effect in the whole node, at once."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from catalina.jmx.remote_settings import PREFIX
from tests.cluster.clusters import full
from tests.cluster.node import Node, worker_counts
from tests.connector.certificates import pair
from tests.jmx.client import JmxClient
from tests.support.ports import free_port, free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

CLUSTER = "Catalina:type=Cluster,host=localhost"
MANAGER = "Catalina:type=Manager,host=localhost,context=/app"
REPLICATION = "Catalina:type=Valve,host=localhost,name=ReplicationValve"
CONTEXT = "Catalina:j2eeType=WebModule,name=//localhost/app,J2EEApplication=none,J2EEServer=none"
LOGGING = "java.util.logging:type=Logging"


class Two:
    """Two nodes of one group, each with a JMX client."""

    def __init__(self, nodes: list[Node], clients: list[JmxClient]) -> None:
        self.first, self.second = nodes
        self.jmx, self.other = clients


@pytest.fixture(scope="module", params=worker_counts(), ids=lambda count: f"workers={count}")
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    directory, port = tmp_path_factory.mktemp("two"), free_udp_port()
    nodes: list[Node] = []
    clients: list[JmxClient] = []
    try:
        with pytest.MonkeyPatch.context() as patch:
            ports = [free_port(), free_port()]
            for name, jmx_port in zip(("n1", "n2"), ports, strict=True):
                options = f"-D{PREFIX}.port={jmx_port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false"
                patch.setenv("JAVA_OPTS", options)
                nodes.append(
                    Node(
                        name, Path(directory) / name, cluster=full(port, send_options=6), workers=request.param
                    ).start()
                )
        clients = [JmxClient(each) for each in ports]
        yield Two(nodes, clients)
    finally:
        for client in clients:
            client.__exit__(None, None, None)
        for node in nodes:
            node.close()


def connector(two: Two) -> str:
    (name,) = two.jmx.names("Catalina:type=Connector,*")
    return name


def answers(node: Node) -> bool:
    try:
        return node.get("/count", timeout=0.5).status == 200
    except OSError:
        return False


def test_a_connector_pauses_and_resumes(two: Two) -> None:
    two.jmx.invoke(connector(two), "pause")
    assert not answers(two.first)
    two.jmx.invoke(connector(two), "resume")
    wait_until(lambda: answers(two.first), "the connector serves again")


def test_a_connector_drains_and_serves_as_before(two: Two) -> None:
    two.jmx.invoke(connector(two), "drain")
    assert two.jmx.get(connector(two), "draining") is True
    answer = two.first.get("/count")
    assert (answer.status, answer.headers.get("Connection")) == (200, "close")
    two.jmx.invoke(connector(two), "undrain")
    assert two.jmx.get(connector(two), "draining") is False
    assert two.first.get("/count").headers.get("Connection") != "close"


def test_an_application_stops_starts_and_reloads(two: Two) -> None:
    two.jmx.invoke(CONTEXT, "stop")
    assert two.first.get("/count").status == 404
    assert two.jmx.get(CONTEXT, "stateName") == "STOPPED"
    two.jmx.invoke(CONTEXT, "start")
    assert two.first.get("/count").status == 200
    two.jmx.invoke(CONTEXT, "reload")
    assert two.first.get("/count").status == 200
    assert two.jmx.get(CONTEXT, "stateName") == "STARTED"


def test_a_session_that_is_expired_here_is_gone_everywhere(two: Two) -> None:
    session_id = two.first.get("/count").session_id
    assert session_id is not None
    wait_until(lambda: session_id in two.other.invoke(MANAGER, "listSessionIds"), "the other node has it")
    assert two.jmx.invoke(MANAGER, "getSessionAttribute", session_id, "count") == "1"
    two.jmx.invoke(MANAGER, "expireSession", session_id)
    wait_until(lambda: session_id not in two.other.invoke(MANAGER, "listSessionIds"), "it has gone there, too")
    assert two.second.get("/count", session_id).session_id != session_id


def test_statistics_count_from_the_moment_they_are_switched_on(two: Two) -> None:
    two.jmx.set(REPLICATION, "doProcessingStats", True)
    two.jmx.invoke(REPLICATION, "resetStatistics")
    for _ in range(3):
        two.first.get("/count")
    assert two.jmx.get(REPLICATION, "nrOfRequests") == 3
    assert two.jmx.get(REPLICATION, "nrOfSendRequests") == 3
    two.jmx.set(REPLICATION, "doProcessingStats", False)
    two.first.get("/count")
    assert two.jmx.get(REPLICATION, "nrOfRequests") == 3


def test_messages_are_counted_by_kind(two: Two) -> None:
    before = two.jmx.get(MANAGER, "counterSend_EVT_SESSION_DELTA")
    received = two.other.get(MANAGER, "counterReceive_EVT_SESSION_DELTA")
    two.first.get("/count")
    assert two.jmx.get(MANAGER, "counterSend_EVT_SESSION_DELTA") > before
    assert two.other.get(MANAGER, "counterReceive_EVT_SESSION_DELTA") > received


def test_a_log_level_counts_at_once(two: Two) -> None:
    name = "org.apache.catalina.ha.session.JvmRouteBinderValve"
    line = "Detected a failover with different jvmRoute"
    two.first.get("/count", "A1B2.elsewhere")
    assert line not in two.first.log
    two.jmx.invoke(LOGGING, "setLoggerLevel", name, "FINE")
    two.first.get("/count", "A1B2.elsewhere")
    wait_until(lambda: line in two.first.log, "the line is in the log")
    assert two.other.invoke(LOGGING, "getLoggerLevel", name) != "FINE"


def test_a_cluster_leaves_the_group_and_comes_back(two: Two) -> None:
    members = f"{CLUSTER},component=Member,*"
    assert len(two.other.names(members)) == 2
    two.jmx.invoke(CLUSTER, "stop")
    wait_until(lambda: len(two.other.names(members)) == 1, "the other node has seen it leave")
    assert two.first.get("/count").status == 200
    two.jmx.invoke(CLUSTER, "start")
    wait_until(lambda: len(two.other.names(members)) == 2, "it is back")
    session_id = two.first.get("/count").session_id
    assert session_id is not None
    wait_until(lambda: session_id in two.other.invoke(MANAGER, "listSessionIds"), "sessions are replicated again")


def test_a_member_is_removed_and_taken_back(two: Two) -> None:
    (bean,) = two.jmx.names("*:component=Membership,*")
    (name,) = two.jmx.get(bean, "MembersByName")
    two.jmx.invoke(bean, "removeMember", name)
    assert two.jmx.get(bean, "MembersByName") == []
    assert two.jmx.get(bean, "RemovedMembers") == [name]
    assert two.first.get("/count").status == 200
    assert (
        len(two.other.get(two.other.names("*:component=Membership,*")[0], "MembersByName")) == 1
    )  # it is told nothing
    two.jmx.invoke(bean, "readmitMember", name)
    wait_until(lambda: two.jmx.get(bean, "MembersByName") == [name], "the member is heard again")


def test_every_change_has_left_its_line(two: Two) -> None:
    two.jmx.set(REPLICATION, "primaryIndicator", True)
    address = socket.gethostbyname("localhost")
    line = f"[-] at [{address}:"
    end = f"over [jmx] set [primaryIndicator] of [{REPLICATION}] from [False] to [True]"
    lines = wait_until(
        lambda: [each for each in two.first.log.splitlines() if end in each], "the audit line is in the log"
    )
    assert line in lines[0]


def test_a_node_whose_port_cannot_be_guarded_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_OPTS", f"-D{PREFIX}.port={free_port()} -D{PREFIX}.ssl=false")
    node = Node("n1", tmp_path / "n1")
    try:
        node.start(wait=False)
        assert node.process is not None
        assert node.process.wait(30) == 1
        assert "The JMX port cannot be opened: Password file not found" in node.log
    finally:
        node.close()


def process_of(port: int) -> object:
    """The process that serves a JMX port; None when none does."""
    try:
        with JmxClient(port) as client:
            return client.get("java.lang:type=Runtime", "Pid")
    except OSError:
        return None


def test_a_worker_that_is_started_again_opens_the_port_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    options = f"-D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false"
    monkeypatch.setenv("JAVA_OPTS", options)
    node = Node("n1", tmp_path / "n1").start()
    try:
        first = process_of(port)
        assert isinstance(first, int)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: process_of(port) not in (None, first), "the next process serves the port", 40)
        wait_until(lambda: answers(node), "the node serves", 40)
    finally:
        node.close()


class TlsNode:
    """A node with a TLS connector beside its own."""

    def __init__(self, base: Path) -> None:
        self.port, self.file = free_port(), base / "conf" / "tls.pem"
        self.node = Node("n1", base, workers=1)  # each worker looks for changed files in its own time
        self.issue("first")
        xml = (base / "conf" / "server.xml").read_text()
        connector = (
            f'<Connector port="{self.port}" address="127.0.0.1" SSLEnabled="true"><SSLHostConfig>'
            '<Certificate certificateFile="conf/tls.pem"/></SSLHostConfig></Connector>'
        )
        (base / "conf" / "server.xml").write_text(xml.replace("<Engine ", f"{connector}<Engine ", 1))

    def issue(self, name: str) -> None:
        issued = pair(name)
        self.file.write_bytes(issued.certificate_pem + issued.key_pem())

    def connect(self) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20))

    def name(self) -> str:
        """The subject of the certificate that a new client gets."""
        with self.connect() as connection:
            der = connection.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()


@pytest.mark.parametrize("kind", ["Connector", "ThreadPool", "ProtocolHandler"])
def test_new_certificates_are_read_at_run_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    port = free_port()
    monkeypatch.setenv("JAVA_OPTS", f"-D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false")
    tls = TlsNode(tmp_path / "n1")
    request = b"GET /app/count HTTP/1.1\r\nHost: localhost\r\n\r\n"
    try:
        tls.node.start()
        with JmxClient(port) as jmx, tls.connect() as before:
            (bean,) = [name for name in jmx.names(f"Catalina:type={kind},*") if str(tls.port) in name]
            assert tls.name() == "CN=first"
            tls.issue("second")
            assert tls.name() == "CN=first"
            jmx.invoke(bean, "reloadSslHostConfigs")
            assert tls.name() == "CN=second"
            before.sendall(request)
            assert before.recv(65536).startswith(b"HTTP/1.1 200")  # the server goes on serving the old connection
            tls.file.write_text("no certificate")
            with pytest.raises(AssertionError, match="MBeanException"):
                jmx.invoke(bean, "reloadSslHostConfigs")
            assert tls.name() == "CN=second"
            assert tls.node.get("/count").status == 200
        assert f"invoke [reloadSslHostConfigs] of [{bean}]" in tls.node.log
    finally:
        tls.node.close()


def names_of(node: Node, host: str) -> set[int]:
    """The statuses of some requests to a host, each on a connection of its own, so that each worker gets some."""
    found = set()
    for _ in range(12):
        connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=20)
        try:
            connection.request("GET", "/a.txt", headers={"Host": host})
            found.add(connection.getresponse().status)
        finally:
            connection.close()
    return found


def test_an_application_of_a_node_with_workers_is_in_the_group_again_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, group = free_port(), free_udp_port()
    nodes = [Node(name, tmp_path / name, cluster=full(group, send_options=6), workers=workers)
             for name, workers in (("n1", 2), ("n2", 1))]  # fmt: skip
    first, second = nodes
    try:
        second.start()
        monkeypatch.setenv("JAVA_OPTS", f"-D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false")
        first.start()
        with JmxClient(port) as jmx:
            session_id = second.get("/count").session_id
            assert session_id is not None
            wait_until(lambda: session_id in jmx.invoke(MANAGER, "listSessionIds"), "the node with workers has it")
            jmx.invoke(CONTEXT, "stop")
            jmx.invoke(CONTEXT, "start")
            assert session_id in jmx.invoke(MANAGER, "listSessionIds"), "the group has given its sessions"
            assert first.get("/count", session_id).values == {"count": 2}
            made = first.get("/count").session_id
            assert made is not None
            assert second.get("/count", made).values == {"count": 2}, "it tells the group of its own"
    finally:
        for node in nodes:
            node.close()


def aliases_by(port: int, bean: str) -> object:
    """The host's names as a new client sees them; None while there is no keeper, or it has no such bean yet."""
    try:
        with JmxClient(port) as jmx:
            return jmx.invoke(bean, "findAliases")
    except (OSError, EOFError, AssertionError):
        return None


@pytest.mark.parametrize("workers", [1, 3])
def test_a_host_has_another_name_in_all_workers_also_in_those_that_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    port = free_port()
    monkeypatch.setenv("JAVA_OPTS", f"-D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false")
    node = Node("n1", tmp_path / "n1", workers=workers)
    xml = tmp_path / "n1" / "conf" / "server.xml"
    xml.write_text(xml.read_text().replace("</Engine>", '<Host name="other" appBase="other"/></Engine>'))
    (tmp_path / "n1" / "other" / "ROOT").mkdir(parents=True)
    (tmp_path / "n1" / "other" / "ROOT" / "a.txt").write_text("a")
    bean = "Catalina:type=Host,host=other"
    try:
        node.start()
        with JmxClient(port) as jmx:
            assert names_of(node, "shop.example") == {404}
            jmx.invoke(bean, "addAlias", "shop.example")
            assert jmx.invoke(bean, "findAliases") == ["shop.example"]
            assert names_of(node, "shop.example") == {200}
            if workers > 1:
                (processor,) = jmx.names("Catalina:type=GlobalRequestProcessor,*")
                (killed,) = node.named_processes("catalina-w0")
                os.kill(killed, signal.SIGKILL)
                wait_until(lambda: {killed} != set(node.named_processes("catalina-w0")) != set(), "it is replaced", 40)

                def has_served() -> bool:
                    assert names_of(node, "shop.example") == {200}
                    try:
                        return bool(jmx.get(f"{processor},worker=0", "requestCount"))
                    except AssertionError:  # there is no such worker yet
                        return False

                wait_until(has_served, "the worker that comes later serves", 60)
        if workers > 1:
            (killed,) = node.named_processes("catalina-keeper")
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: aliases_by(port, bean) == ["shop.example"], "the next keeper knows the name", 60)
            assert names_of(node, "shop.example") == {200}
        with JmxClient(port) as jmx:
            (connector_bean,) = jmx.names("Catalina:type=Connector,*")
            jmx.invoke(connector_bean, "pause")
            jmx.invoke(connector_bean, "resume")
            assert names_of(node, "shop.example") == {200}, "the keeper accepts no connection"
            jmx.invoke(bean, "removeAlias", "shop.example")
            assert names_of(node, "shop.example") == {404}
        assert f"invoke [addAlias] of [{bean}] to [['shop.example']]" in node.log
    finally:
        node.close()
