"""Nodes of a cluster in one process, on a network that delivers when it is told to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from catalina.ha import request_deliveries
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, ChannelMessage, Delivery
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import ORDERED_PEER
from tests.session.support import FakeClock, FakeContext, FakeEngine, FakeHost
from tests.support.fake_channel import FakeChannelBase


class FakeNetwork:
    """Messages that were sent and not yet delivered, in order; tests may drop, delay and shuffle it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.nodes: list[Node] = []
        self.on_the_way: list[tuple[Node, Node, ChannelMessage, Delivery]] = []
        self.immediate = True

    def send(self, sender: Node, to: Node, message: ChannelMessage, delivery: Delivery) -> None:
        self.on_the_way.append((sender, to, message, delivery))
        if self.immediate:
            self.deliver()

    def deliver(self, count: int | None = None) -> None:
        """Deliver the oldest messages, also those that are sent meanwhile when no count is given."""
        while self.on_the_way and count != 0:
            sender, to, message, delivery = self.on_the_way.pop(0)
            if to.alive:
                to.channel.receive(message, sender.channel.local_member)
            delivery.succeeded()
            count = None if count is None else count - 1


@contextlib.contextmanager
def collected() -> Iterator[list[Delivery]]:
    """The deliveries that a request would have to wait for, if this were one."""
    deliveries: list[Delivery] = []
    request_deliveries.current.noted.deliveries = deliveries
    try:
        yield deliveries
    finally:
        request_deliveries.current.noted.deliveries = None


class FakeChannel(FakeChannelBase):
    """A channel whose peers are the other nodes of the network."""

    def __init__(self, node: Node, number: int) -> None:
        super().__init__()
        self.node = node
        self.local_member = Member(
            bytes((10, 0, 0, number)),
            4000,
            alive_ms=1000 - number,
            unique_id=bytes([number]) * 16,
            payload=ORDERED_PEER,
        )
        self.reactor = None
        self.sent: list[tuple[bytes, int]] = []
        self.started = 0

    @property
    def members(self) -> Sequence[Member]:
        others = (node.channel.local_member for node in self.node.network.nodes if node is not self.node and node.alive)
        return tuple(sorted(others, key=lambda member: -member.alive_ms))

    @property
    def has_members(self) -> bool:
        return bool(self.members)

    def start(self, level: int = 15) -> None:
        self.started |= level

    def stop(self, level: int = 15) -> None:
        self.started &= ~level

    def heartbeat(self) -> None:
        self.sent.append((b"heartbeat", 0))

    def post(
        self, to: Sequence[Member], message: bytes, options: int, handler: Any = None, key: Any = None
    ) -> Delivery:
        return self.post_all(to, [(message, key)], options, handler)

    def post_all(
        self, to: Sequence[Member], messages: Sequence[tuple[bytes, Any]], options: int, handler: Any = None
    ) -> Delivery:
        delivery = Delivery(len(to) * len(messages))
        for data, _ in messages:
            self.sent.append((bytes(data), options))
            for member in to:
                node = next(node for node in self.node.network.nodes if node.channel.local_member == member)
                message = ChannelMessage(bytes(data), options, 0, bytes(16), self.local_member)
                self.node.network.send(self.node, node, message, delivery)
        if options & SEND_OPTIONS_ASYNCHRONOUS:
            delivery.finish()
        return delivery

    def send(self, to: Sequence[Member], message: bytes, options: int, handler: Any = None) -> bytes:
        self.post(to, message, options)
        self.node.network.deliver()
        return b""


class FakePipelineContainer(FakeHost):
    """A Host that takes valves."""

    def __init__(self, name: str = "localhost", parent: Any = None) -> None:
        super().__init__(name, parent)
        self.valves: list[Any] = []
        self.server: Any = None
        self.children: tuple[Any, ...] = ()

    @property
    def pipeline(self) -> FakePipelineContainer:
        return self

    def add_valve(self, valve: Any) -> None:
        self.valves.append(valve)

    def remove_valve(self, valve: Any) -> None:
        self.valves.remove(valve)


class Node:
    """A cluster under a Host with one application and its manager, started like a container does."""

    def __init__(self, network: FakeNetwork, template: ClusterManagerBase | None = None, **cluster_values: Any) -> None:
        self.network = network
        self.alive = True
        self.channel = FakeChannel(self, len(network.nodes) + 1)
        self.host = FakePipelineContainer(parent=FakeEngine(jvm_route=f"node{len(network.nodes) + 1}"))
        self.cluster = SimpleTcpCluster(**cluster_values)
        self.cluster.container = self.host
        self.cluster.channel = self.channel  # type: ignore[assignment]
        if template is not None:
            self.cluster.manager_template = template
        self.context = FakeContext("/app", parent=self.host)
        network.nodes.append(self)
        self.cluster.start()

    def start_manager(self) -> Any:
        manager: Any = self.cluster.create_manager("/app")
        manager.use_clock(self.network.clock)
        manager.context = self.context
        self.cluster.register_manager(manager)
        manager.start()
        self.manager = manager
        return manager

    def request(self, session: Any) -> None:
        """Do everything that a request does to a session that it has used."""
        session.access()
        self.manager.request_completed(session, None)
        session.end_access()


def two_nodes(**cluster_values: Any) -> tuple[FakeNetwork, Node, Node]:
    """Two nodes, both with the application running."""
    network = FakeNetwork()
    nodes = [Node(network, **cluster_values) for _ in range(2)]
    for node in nodes:
        node.start_manager()
    return network, nodes[0], nodes[1]
