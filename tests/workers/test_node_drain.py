"""Draining a node with several workers."""

from collections.abc import Callable
from typing import Any

import pytest

from catalina.workers.node_drain import KeeperDrain, ask_drain, offer_drain
from catalina.workers.services import DRAIN
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


class Server:
    """The part of a server that draining needs."""

    def __init__(self, running: int) -> None:
        self.running_requests = running
        self.drained: list[bool] = []

    def drain_connectors(self, draining: bool) -> None:
        self.drained.append(draining)


def workers_of(node: SmallNode) -> list[Any]:
    servers = [Server(1), Server(2)]
    for server, worker in zip(servers, node.workers, strict=True):
        unchecked: Any = server
        offer_drain(unchecked, worker.channel.services)
    return servers


def test_all_workers_drain_and_serve_again(make_node: MakeNode) -> None:
    node = make_node()
    drain, servers = KeeperDrain(node.keeper.links, node.memory), workers_of(node)
    assert drain.drain(True) == 3
    assert drain.is_draining
    assert [server.drained for server in servers] == [[True], [True]]
    assert drain.drain(None) == 3
    drain.drain(False)
    assert [server.drained for server in servers] == [[True, False], [True, False]]
    assert not drain.is_draining


def test_a_worker_that_comes_later_drains_too(make_node: MakeNode) -> None:
    node = make_node()
    drain, _ = KeeperDrain(node.keeper.links, node.memory), workers_of(node)
    server: Any = Server(0)
    ask_drain(server, node.workers[0].queries)
    assert server.drained == []
    drain.drain(True)
    ask_drain(server, node.workers[0].queries)
    assert server.drained == [True]


def test_the_next_keeper_drains_too(make_node: MakeNode) -> None:
    node = make_node()
    KeeperDrain(node.keeper.links, node.memory).drain(True)
    drain = KeeperDrain(node.keeper.links, node.memory)
    assert drain.is_draining
    drain.drain(False)
    assert not KeeperDrain(node.keeper.links, node.memory).is_draining


def test_a_worker_that_cannot_say_is_left_out(make_node: MakeNode, caplog: pytest.LogCaptureFixture) -> None:
    node = make_node()
    drain, _ = KeeperDrain(node.keeper.links, node.memory), workers_of(node)
    broken: Any = object()
    offer_drain(broken, node.workers[1].channel.services)
    assert drain.drain(True) == 1
    assert "worker [1]" in caplog.text
    assert DRAIN in caplog.text
