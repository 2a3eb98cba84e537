"""The processes of a node around the start and stop of its components."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.core.standard_server import StandardServer
from catalina.digester.xml_tree import XmlElement
from catalina.place import Place
from catalina.startup.control_socket import ControlSocket
from catalina.startup.node_life import NodeLife
from catalina.startup.node_parts import Keeper, WorkerPart
from catalina.workers.shared_parts import SharedParts
from tests.support.waiting import wait_until


class OneNode:
    """The things that the processes of a node get from their arbiter."""

    def __init__(self, base: Path) -> None:
        self.shared = SharedParts.make(3)
        self.life = NodeLife()
        self.servers: list[StandardServer] = []

    def server(self) -> StandardServer:
        server = StandardServer(port=8005)
        server.add_lifecycle_listener(ControlSocket())
        server.reactor.start()
        self.servers.append(server)
        return server

    def keeper(self) -> Keeper:
        return Keeper(self.server(), XmlElement("Server", Place("server.xml", 1)), self.shared, self.life, 2)

    def worker(self, index: int) -> WorkerPart:
        return WorkerPart(self.server(), self.shared.for_worker(), self.life, index)

    def close(self) -> None:
        for server in self.servers:
            server.reactor.stop()
        self.shared.close()
        self.life.memory.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[OneNode]:
    made = OneNode(tmp_path)
    yield made
    made.close()


def test_a_worker_starts_when_the_keeper_has_deployed_everything(node: OneNode) -> None:
    keeper, worker = node.keeper(), node.worker(0)
    keeper.after_start()
    assert worker.before_start()
    worker.after_stop()
    keeper.after_stop()


def test_a_worker_that_is_told_to_stop_meanwhile_does_not_start(node: OneNode) -> None:
    worker = node.worker(0)
    node.servers[0].stop_await()
    assert not worker.before_start()
    worker.after_stop()


def test_the_keeper_alone_has_the_shutdown_port_and_takes_commands(node: OneNode) -> None:
    node.keeper()
    worker = node.worker(0)
    keeper_server, server = node.servers
    assert keeper_server.port == 8005
    assert server.port == -1
    assert not any(isinstance(listener, ControlSocket) for listener in server.lifecycle_listeners)
    worker.after_stop()


def test_the_keeper_ends_after_its_workers(node: OneNode) -> None:
    keeper, worker = node.keeper(), node.worker(0)
    server = node.servers[1]
    keeper.after_start()
    assert worker.before_start()
    server.reactor.call_later(0, lambda: None)
    thread = node.servers[0].reactor
    thread.submit(keeper.before_stop)
    wait_until(lambda: server.is_ending, "the worker is told")
    assert node.life.is_ending
    worker.before_stop()
    worker.after_stop()
    keeper.after_stop()


def test_a_worker_that_ends_alone_leaves_the_ports_open(node: OneNode) -> None:
    worker = node.worker(0)
    server = node.servers[0]
    assert server.role is not None
    worker.before_stop()
    assert server.role.others_serve
    node.life.end()
    worker.before_stop()
    assert not server.role.others_serve
    worker.after_stop()


def test_one_worker_reports_the_start(node: OneNode) -> None:
    workers = [node.worker(index) for index in range(3)]
    assert [worker.reports for worker in workers] == [True, False, False]
    assert not node.keeper().reports
    for worker in workers:
        worker.after_stop()
