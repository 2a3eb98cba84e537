"""Nodes of a keeper and workers, as real processes: what happens to sessions when one of them is killed."""

from __future__ import annotations

import http.client
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.counting import CountingClients
from tests.cluster.node import Node
from tests.jmx.client import JmxClient
from tests.support.ports import free_port, free_ports, free_udp_port
from tests.support.waiting import take_time, wait_until

pytestmark = pytest.mark.cluster

WEB_XML = """<web-app><distributable/>
  <servlet><servlet-name>a</servlet-name><servlet-class>counting:application</servlet-class></servlet>
  <servlet-mapping><servlet-name>a</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>"""

APPLICATION = """
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/hog":
        return [str(pow(3, 30_000_000) % 7).encode()]  # one call of C code that holds the interpreter for seconds
    if environ["PATH_INFO"] == "/facts":
        return [f"{os.getpid()} {environ['wsgi.multiprocess']}".encode()]
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    return [f"{session['count']} {os.getpid()}".encode()]
"""

MakeNode = Callable[..., Node]


def write_application(root: Path, context: str = "", *, web_xml: str = WEB_XML, source: str = APPLICATION) -> Path:
    """An application of the module ``counting`` in a new directory, with a META-INF/context.xml if there is a text."""
    (root / "WEB-INF" / "classes").mkdir(parents=True)
    (root / "WEB-INF" / "web.xml").write_text(web_xml)
    (root / "WEB-INF" / "classes" / "counting.py").write_text(source)
    if context:
        (root / "META-INF").mkdir()
        (root / "META-INF" / "context.xml").write_text(context)
    return root


@pytest.fixture
def counting_webapp(tmp_path: Path) -> Path:
    """An application that counts in the session and says in which process."""
    return write_application(tmp_path / "counting")


def counting(*nodes: Node) -> CountingClients:
    return CountingClients([node.http_port for node in nodes], "/app/count")


def kill_now_and_then(node: Node, name: str, times: int, every: float) -> None:
    """``kill -9`` of a random process of that name, again and again, each some seconds after the last."""
    chance = random.Random(1)
    for _ in range(times):
        victims = wait_until(lambda: node.named_processes(name), f"a process {name}")
        os.kill(chance.choice(victims), signal.SIGKILL)
        take_time(every)  # the outage's own rhythm: the next one may come before the last is over


def test_killing_workers_loses_no_session_and_no_update(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=3).start()
    clients = counting(node)
    clients.run_while(lambda: kill_now_and_then(node, "catalina-w", times=5, every=2))
    assert clients.faults == []
    assert clients.answers > 100


def test_killing_the_keeper_loses_no_session_and_breaks_nothing_off(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    clients = counting(node)
    clients.run_while(lambda: kill_now_and_then(node, "catalina-keeper", times=3, every=3))
    assert clients.faults == []
    assert clients.broken_off == 0
    assert clients.answers > 100


def test_two_nodes_of_workers_are_a_group_of_two(make_node: MakeNode, counting_webapp: Path) -> None:
    port = free_udp_port()
    nodes = [make_node(f"n{i}", cluster=full(port, send_options=6), webapp=counting_webapp, workers=2) for i in (1, 2)]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    first, second = nodes
    sessions = [first.get("/count").session_id for _ in range(20)]
    first.kill()
    answers = [second.get("/count", session_id) for session_id in sessions]
    assert [answer.body.split()[0] for answer in answers] == [b"2"] * 20
    assert second.log.count("Replication member added") == 1


def test_backups_are_at_the_other_node_and_its_workers_serve_them(make_node: MakeNode, counting_webapp: Path) -> None:
    port = free_udp_port()
    manager = '<Manager className="org.apache.catalina.ha.session.BackupManager"/>'
    nodes = [
        make_node(f"n{i}", cluster=full(port, send_options=6, manager=manager), webapp=counting_webapp, workers=2)
        for i in (1, 2)
    ]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    first, second = nodes
    sessions = [first.get("/count").session_id for _ in range(20)]
    assert [second.get("/count", session_id).body.split()[0] for session_id in sessions[:10]] == [b"2"] * 10
    first.kill()
    answers = [second.get("/count", session_id) for session_id in sessions]
    assert [answer.body.split()[0] for answer in answers] == [b"3"] * 10 + [b"2"] * 10


def test_an_application_that_holds_the_interpreter_stops_no_heartbeat(
    make_node: MakeNode, counting_webapp: Path
) -> None:
    port = free_udp_port()
    first = make_node("n1", cluster=full(port), webapp=counting_webapp, workers=2)
    second = make_node("n2", cluster=full(port), webapp=counting_webapp)
    for node in (first, second):
        node.start(wait=False)
    for node in (first, second):
        node.wait_started()
    began = time.monotonic()
    assert first.get("/hog", timeout=60).status == 200
    assert time.monotonic() - began > 1, "the application computes for long enough to be missed"
    assert second.log.count("Received member disappeared") == 0


def test_what_would_be_different_in_each_worker_keeps_its_host_from_starting(
    make_node: MakeNode, counting_webapp: Path
) -> None:
    valve = '<Valve className="org.apache.catalina.valves.PersistentValve"/>'
    node = make_node("n1", cluster=valve, webapp=counting_webapp, workers=2)
    node.start(wait=False)
    expected = "PersistentValve[StandardEngine[Catalina].StandardHost[localhost]] cannot be used in a node of several"
    wait_until(lambda: expected in node.log, "the error")


def test_the_beans_are_those_of_one_tomcat(make_node: MakeNode, counting_webapp: Path) -> None:
    port = free_port()
    node = make_node("n1", webapp=counting_webapp, workers=2)
    node.options += f" -Dcom.sun.management.jmxremote.port={port} -Dcom.sun.management.jmxremote.authenticate=false"
    node.options += " -Dcom.sun.management.jmxremote.ssl=false"
    node.start()
    served = {int(node.get("/facts").body.split()[0]) for _ in range(40)}
    assert served <= set(node.named_processes("catalina-w"))
    with JmxClient(port) as client:
        (name,) = client.names("Catalina:type=GlobalRequestProcessor,*")
        wait_until(lambda: client.get(name, "requestCount") >= 40, "the sum of the workers' requests")
        alone = [client.get(f"{name},worker={worker}", "requestCount") for worker in (0, 1)]
        assert sum(alone) == client.get(name, "requestCount")
        client.invoke(name, "resetCounters")
        assert client.get(name, "requestCount") == 0
        assert client.get("Catalina:type=ThreadPool," + name.partition(",")[2], "maxThreads") == 400


def test_the_node_drains_as_one(make_node: MakeNode, counting_webapp: Path) -> None:
    valve = '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>'
    node = make_node("n1", cluster=valve, webapp=counting_webapp, workers=2).start()
    node.catalina("drain")
    assert {node.get("/health", app="").status for _ in range(20)} == {503}
    node.kill_worker()
    wait_until(lambda: len(node.named_processes("catalina-w")) == 2, "another worker")
    wait_until(lambda: {node.get("/health", app="").status for _ in range(20)} == {503}, "it drains, too")
    node.catalina("undrain")
    assert {node.get("/health", app="").status for _ in range(20)} == {200}


def test_every_process_ends_with_the_node(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=3).start()
    processes = node.processes()
    assert len(node.named_processes("catalina-w")) == 3
    assert len(node.named_processes("catalina-keeper")) == 1
    assert node.stop() == 143
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), "the end of all processes")


def test_an_application_knows_that_there_are_more_processes(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    facts = [node.get("/facts").body.decode().split() for _ in range(20)]
    assert {multiprocess for _, multiprocess in facts} == {"True"}
    assert {int(pid) for pid, _ in facts} <= set(node.named_processes("catalina-w"))


def test_the_connections_of_a_client_come_together_at_one_worker(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    session_id = node.get("/count").session_id
    connections = [http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30) for _ in range(16)]
    workers: list[set[bytes]] = []
    for _ in range(2):
        workers.append(set())
        for connection in connections:
            connection.request("GET", "/app/count", headers={"Cookie": f"JSESSIONID={session_id}"})
            count, pid = connection.getresponse().read().split()
            workers[-1].add(pid)
    assert len(workers[0] | workers[1]) == 1
    assert count == b"33", "and no change was lost"
    for connection in connections:
        connection.close()


def test_new_connections_are_spread_over_the_workers(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    connections = [http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30) for _ in range(10)]
    pids = []
    for connection in connections:
        connection.request("GET", "/app/facts")
        pids.append(connection.getresponse().read().split()[0])
    assert sorted(Counter(pids).values()) == [5, 5]
    for connection in connections:
        connection.close()


def signal_arbiter(node: Node, number: signal.Signals) -> None:
    """Send a signal to the process that the operator knows."""
    os.kill(node.arbiter, number)


def test_hup_replaces_the_workers_and_breaks_nothing_off(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    before = set(node.named_processes("catalina-w"))

    def replace() -> None:
        signal_arbiter(node, signal.SIGHUP)
        wait_until(lambda: not before & set(node.processes()), "other workers", seconds=60)
        wait_until(lambda: len(node.named_processes("catalina-w")) == 2, "both workers", seconds=60)

    clients = counting(node)
    clients.run_while(replace)
    assert clients.faults == []
    assert clients.broken_off == 0
    assert clients.answers > 100


def test_ttin_and_ttou_add_and_remove_a_worker(make_node: MakeNode, counting_webapp: Path) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2).start()

    def change() -> None:
        signal_arbiter(node, signal.SIGTTIN)
        wait_until(lambda: len(node.named_processes("catalina-w")) == 3, "a third worker", seconds=60)
        wait_until(lambda: node.log.count("Server startup in [") == 4, "it serves", seconds=60)
        signal_arbiter(node, signal.SIGTTOU)
        wait_until(lambda: len(node.named_processes("catalina-w")) == 2, "two workers", seconds=60)

    clients = counting(node)
    clients.run_while(change)
    assert clients.faults == []
    assert clients.broken_off == 0


def test_an_operation_adds_and_removes_a_worker(make_node: MakeNode, counting_webapp: Path) -> None:
    port = free_port()
    node = make_node("n1", webapp=counting_webapp, workers=2)
    node.options += f" -Dcom.sun.management.jmxremote.port={port} -Dcom.sun.management.jmxremote.authenticate=false"
    node.options += " -Dcom.sun.management.jmxremote.ssl=false"
    node.start()
    with JmxClient(port) as client:
        assert client.invoke("Catalina:type=Server", "addWorker") == 3
        wait_until(lambda: len(node.named_processes("catalina-w")) == 3, "a third worker", seconds=60)
        wait_until(lambda: node.log.count("Server startup in [") == 4, "it serves", seconds=60)
        assert client.invoke("Catalina:type=Server", "removeWorker") == 2
        wait_until(lambda: len(node.named_processes("catalina-w")) == 2, "two workers", seconds=60)


def test_a_worker_that_has_served_enough_is_replaced_and_nobody_notices(
    make_node: MakeNode, counting_webapp: Path
) -> None:
    node = make_node("n1", webapp=counting_webapp, workers=2)
    node.options = "-Dcatalina.worker.maxRequests=500"
    node.start()
    clients = counting(node)
    clients.run_while(lambda: wait_until(lambda: "is replaced, as it has served" in node.log, "a fresh worker", 60))
    assert clients.faults == []
    assert clients.broken_off == 0


def test_each_worker_has_a_port_and_a_route_that_its_successor_takes(
    make_node: MakeNode, counting_webapp: Path
) -> None:
    first = free_ports(2)
    node = make_node("n1", cluster=full(free_udp_port()), webapp=counting_webapp, workers=2, http_port=first)
    server_xml = node.base / "conf" / "server.xml"
    server_xml.write_text(server_xml.read_text().replace("<Connector ", '<Connector workerPorts="true" '))
    node.start()
    assert node.log.count(f"the workers have ports [{first}] to [{first + 1}], routes [n1-0] to [n1-1]") == 1
    made = [node.get("/count", port=first + index) for index in (0, 1)]
    assert [str(answer.session_id).partition(".")[2] for answer in made] == ["n1-0", "n1-1"]
    session_id, dead = made[1].session_id, int(made[1].body.split()[1])
    answer = node.get("/count", session_id, port=first)
    assert (answer.body.split()[0], answer.session_id) == (b"2", session_id), "the other worker leaves it its route"
    os.kill(dead, signal.SIGKILL)

    def served() -> bool:
        try:
            return int(node.get("/facts", port=first + 1).body.split()[0]) != dead
        except OSError:
            return False

    wait_until(served, "the successor at the same port")
    answer = node.get("/count", session_id, port=first + 1)
    assert (answer.body.split()[0], answer.session_id) == (b"3", session_id)


def test_requests_with_one_key_meet_at_one_worker_over_any_connection(
    make_node: MakeNode, counting_webapp: Path
) -> None:
    context_xml = '<Context affinity="query:tenant"/>'
    node = make_node("n1", webapp=counting_webapp, workers=3, context_xml=context_xml).start()
    found: dict[str, set[bytes]] = {}
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30)
        for tenant in [str(number) for number in range(20)] * 2:
            connection.request("GET", f"/app/facts?tenant={tenant}")
            found.setdefault(tenant, set()).add(connection.getresponse().read().split()[0])
        connection.close()
    assert {len(pids) for pids in found.values()} == {1}
    assert len(set().union(*found.values())) == 3, "all workers have keys"


LISTENING = """
import os

def note(*words):
    with open(os.path.join(os.environ["CATALINA_BASE"], "heard"), "a") as heard:
        heard.write(" ".join(words) + chr(10))

class Listener:
    def session_created(self, event):
        note("created", event.session.id)

    def session_destroyed(self, event):
        note("destroyed", event.session.id)

class Cart:
    def __init__(self):
        self.items = ["apple"]

    def value_unbound(self, event):
        note(*self.items, event.session.id)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    session = environ["catalina.session"]
    session["cart"] = Cart()
    session.max_inactive_interval = 1
    return [str(os.getpid()).encode()]
"""


def test_each_session_is_told_to_begin_and_to_end_once_in_the_node(make_node: MakeNode, counting_webapp: Path) -> None:
    descriptor = counting_webapp / "WEB-INF" / "web.xml"
    listener = "<listener><listener-class>counting:Listener</listener-class></listener>"
    descriptor.write_text(WEB_XML.replace("<distributable/>", f"<distributable/>{listener}"))
    (counting_webapp / "WEB-INF" / "classes" / "counting.py").write_text(LISTENING)
    node = make_node("n1", webapp=counting_webapp, workers=2).start()
    answers = [node.get("/") for _ in range(20)]
    assert len({answer.body for answer in answers}) == 2, "both workers have made sessions"
    node.kill_worker()
    heard = node.base / "heard"
    wait_until(lambda: heard.read_text().count("apple") >= 20, "the end of all sessions", seconds=30)
    node.stop()
    ids = {answer.session_id for answer in answers}
    lines = [line for line in heard.read_text().splitlines() if line.split()[1] in ids]
    expected = [f"{word} {each}" for word in ("created", "destroyed", "apple") for each in ids]
    assert sorted(lines) == sorted(expected)
