"""One wheel deployed again and again under load: no request fails, no session is lost, memory does not grow."""

from __future__ import annotations

import http.client
import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from catalina.startup import control_client
from catalina.startup.control_socket import socket_path
from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.deploy.archives import make_wheel
from tests.support.ports import free_udp_port
from tests.support.waiting import take_time, wait_until

pytestmark = pytest.mark.cluster

ROUNDS = 50
#: Answers that each client gets from each deployment.
ANSWERS = 20
WARM_UP = 10
#: Bytes that fifty deployments may add after the first ten: allocator noise, not one application (about 1 MB each).
ALLOWED_GROWTH = 6 * 2**20

COUNTER = """
class Count:
    def __init__(self):
        self.value = 0

BALLAST = [str(number) for number in range(10_000)]

def application(environ, start_response):
    session = environ["catalina.session"]
    count = session.get("count") or Count()
    count.value += 1
    session["count"] = count
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{round} %d" % count.value]
"""


def wheel(directory: Path, number: int, version: str = "1") -> Path:
    source = COUNTER.replace("{round}", str(number))
    return make_wheel(
        directory, "counter", version, {"counter.py": source}, entry_point=("counter", "counter:application"),
        distributable=True,
    )  # fmt: skip


def deploy(node: Node, file: Path) -> None:
    """``catalina deploy``, as an operator types it when the node has started."""
    wait_until(socket_path(node.base).exists, "the node takes commands")
    assert control_client.main("deploy", [str(file)], node.base) == 0


def resident(node: Node) -> int:
    """Bytes of memory of the worker."""
    pages = Path(f"/proc/{node.processes()[-1]}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Load(threading.Thread):
    """One client with one session, asking without pause over one connection."""

    def __init__(self, node: Node) -> None:
        super().__init__(name="load")
        self.node = node
        self.answers = 0
        self.faults: list[str] = []
        self.slowest = 0.0
        self.rounds: set[bytes] = set()
        self.stopping = False

    def run(self) -> None:
        cookie: dict[str, str] = {}
        connection = http.client.HTTPConnection("127.0.0.1", self.node.http_port, timeout=30)
        while not self.stopping:
            begun = time.monotonic()
            connection.request("GET", "/counter/", headers=cookie)
            response = connection.getresponse()
            body = response.read()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.answers += 1
            number, _, count = body.partition(b" ")
            self.rounds.add(number)
            if response.status != 200 or count != b"%d" % self.answers:
                self.faults.append(f"answer {self.answers}: {response.status} {body[:80]!r}")
            if "Set-Cookie" in response.headers:
                cookie = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
            take_time(0.002)
        connection.close()


def have_answers(clients: list[Load], goal: list[int]) -> bool:
    return all(client.answers >= each for client, each in zip(clients, goal, strict=True))


def test_fifty_deployments_under_load(tmp_path: Path) -> None:
    node = Node("soak", tmp_path / "soak", cluster=full(free_udp_port()))
    clients = [Load(node) for _ in range(3)]
    try:
        node.start()
        deploy(node, wheel(tmp_path / "from", 0))
        for client in clients:
            client.start()
        memory = []
        for number in range(1, ROUNDS + 1):
            deploy(node, wheel(tmp_path / "from", number))
            goal = [client.answers + ANSWERS for client in clients]
            wait_until(partial(have_answers, clients, goal), "the load goes on")
            memory.append(resident(node))
        for client in clients:
            client.stopping = True
            client.join()
        assert [fault for client in clients for fault in client.faults] == []
        assert all(client.rounds >= {b"%d" % number for number in range(1, ROUNDS + 1)} for client in clients)
        grown = max(memory[-5:]) - max(memory[WARM_UP - 5 : WARM_UP])
        assert grown < ALLOWED_GROWTH, f"{grown} bytes in {ROUNDS - WARM_UP} deployments: {memory}"
        assert "appears to have started a thread" not in node.log
    finally:
        for client in clients:
            client.stopping = True
            if client.is_alive():
                client.join()
        node.close()


def test_sessions_stay_on_their_version_until_they_end(tmp_path: Path) -> None:
    node = Node("versions", tmp_path / "versions", cluster=full(free_udp_port()))
    server_xml = node.base / "conf/server.xml"
    text = server_xml.read_text().replace('autoDeploy="false"', 'autoDeploy="true" undeployOldVersions="true"')
    server_xml.write_text(text)
    try:
        node.start()
        deploy(node, wheel(tmp_path / "from", 9, version="1.9"))
        first = node.get("/", app="/counter")
        assert first.body == b"9 1"
        deploy(node, wheel(tmp_path / "from", 10, version="1.10"))
        assert node.get("/", app="/counter").body == b"10 1"
        assert node.get("/", first.session_id, app="/counter").body == b"9 2"
    finally:
        node.close()


def test_values_of_own_classes_pass_between_two_states_of_an_application(tmp_path: Path) -> None:
    """One node runs the new state already, the other one still the old; the session goes to and fro."""
    cluster = full(free_udp_port(), send_options=6)
    nodes = [Node(name, tmp_path / name, cluster=cluster) for name in ("old", "new")]
    try:
        for node in nodes:
            node.start(wait=False)
        for number, node in enumerate(nodes):
            node.wait_started()
            deploy(node, wheel(tmp_path / "from", number))
        session_id, answers = None, []
        for turn in range(4):
            answer = nodes[turn % 2].get("/", session_id, app="/counter")
            session_id = answer.session_id
            answers.append(answer.body)
        assert answers == [b"0 1", b"1 2", b"0 3", b"1 4"]
    finally:
        for node in nodes:
            node.close()
