"""Orders for this node and for others, over a simulated group."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.live_facts import LiveFacts
from catalina.ha.tcp.node_facts import NodeFacts
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.manager.cluster import orders as orders_module
from catalina.manager.cluster.orders import MAX_AT_ONCE, NodeOrders, Order, Outcome, older_version, read_order
from catalina.mbeans.audit import Caller
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import Registry
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_encoder import encode_value
from tests.support.stand_in import stand_in
from tests.tribes.tipis.network import FakeChannel, Network

CALLER = Caller("manager/cluster", "gui", "127.0.0.1")


class Connector:
    """A connector that can be drained."""

    draining = False

    def drain(self) -> None:
        self.draining = True

    def undrain(self) -> None:
        self.draining = False


class Node:
    """A node with a connector, a JvmRouteBinderValve and the host localhost."""

    def __init__(self, channel: FakeChannel, guarded: bool = True) -> None:
        channel.is_guarded = guarded
        self.channel = channel
        self.connector = Connector()
        self.valve = JvmRouteBinderValve()
        host = StandardHost(name="localhost")
        engine = stand_in(StandardEngine, default_host="localhost", children=[host], find_child={"localhost": host}.get)
        registry = Registry()
        registry.register(ObjectName("Catalina", {"type": "Valve", "name": "JvmRouteBinderValve"}), self.valve)
        service: Any = stand_in(StandardService, connectors=[self.connector], engine=engine)
        server = StandardServer(port=-1)
        server.services, server.mbeans = [service], registry
        self.facts = stand_in(NodeFacts, live=stand_in(LiveFacts, operable=False, look_anew=lambda: None))
        cluster: Any = stand_in(SimpleTcpCluster, channel=channel, valves=[self.valve], deployer=None, facts=self.facts)
        self.orders = NodeOrders(cluster, server)
        self.orders.open()


def order(verb: str, application: str = "", idle: int = 0) -> Order:
    return Order(verb, application, idle, "gui", "10.0.0.9")


@pytest.fixture
def network():
    return Network()


def test_a_node_is_drained_and_taken_back_with_an_audit_line(network, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    node = Node(network.add(1))
    assert node.orders.carry_out(order("drain"), CALLER).good
    assert node.connector.draining
    assert "[gui] at [127.0.0.1] over [manager/cluster] drain [this node]" in caplog.text
    assert node.orders.carry_out(order("undrain"), CALLER) == Outcome(True, "health checks say UP again")
    assert not node.connector.draining


def test_the_turnover_valve_is_switched_with_old_and_new_value_in_the_audit_line(network, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    node = Node(network.add(1))
    assert node.orders.carry_out(order("turnover-off"), CALLER) == Outcome(True, "JvmRouteBinderValve.enabled is false")
    assert node.valve.enabled is False
    assert "[enabled] of [Catalina:type=Valve,name=JvmRouteBinderValve] from [True] to [False]" in caplog.text
    node.orders.carry_out(order("turnover-on"), CALLER)
    assert node.valve.enabled is True


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (order("sleep"), "no order 'sleep'"),
        (order("expire", "nowhere/shop"), "no host nowhere"),
        (order("expire", "localhost/shop"), "no application [/shop] on host localhost"),
        (order("expire", "localhost/shop", -1), "expected minutes, got -1"),
        (order("redeploy", "localhost/shop"), "no application [/shop] on host localhost"),
        (order("roll-back", "localhost/shop##2"), "[/shop##2] has no earlier version that runs beside it"),
    ],
)
def test_what_cannot_be_done_is_said_and_noted(network, caplog, wanted, text):
    outcome = Node(network.add(1)).orders.carry_out(wanted, CALLER)
    assert outcome == Outcome(False, text)
    assert f"failed: {text}" in caplog.text


def test_a_member_does_what_it_is_told_and_notes_who_told_it(network, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    one, two = Node(network.add(1)), Node(network.add(2))
    assert two.facts.live.operable
    assert one.orders.pass_on(order("drain"), two.channel.local_member).good
    assert two.connector.draining
    assert not one.connector.draining
    assert "[gui] at [10.0.0.9 by way of tcp://10.0.0.1:4000] over [cluster] drain [this node]" in caplog.text


def test_a_group_that_strangers_can_join_gives_no_orders(network, caplog):
    one, two = Node(network.add(1)), Node(network.add(2), guarded=False)
    assert not two.facts.live.operable
    outcome = one.orders.pass_on(order("drain"), two.channel.local_member)
    assert outcome == Outcome(False, orders_module.NOT_GUARDED)
    assert not two.connector.draining
    assert "drain [this node] failed" in caplog.text


def test_a_node_whose_manager_has_stopped_takes_no_orders(network, monkeypatch):
    monkeypatch.setattr(orders_module, "ANSWER_SECONDS", 5.0)
    one, two = Node(network.add(1)), Node(network.add(2))
    two.orders.close()
    assert not two.facts.live.operable
    outcome = one.orders.pass_on(order("drain"), two.channel.local_member)
    assert not outcome.good
    assert "has not answered" in outcome.text
    one.orders.close()
    assert one.orders.pass_on(order("drain"), two.channel.local_member).text == "this node passes nothing on"


def test_a_node_carries_out_only_so_many_orders_of_members_at_once(network):
    one, two = Node(network.add(1)), Node(network.add(2))
    for _ in range(MAX_AT_ONCE):
        two.orders._free.acquire()
    assert one.orders.pass_on(order("drain"), two.channel.local_member).text == "this node is busy with other orders"


def test_an_order_that_breaks_the_node_is_answered(network, monkeypatch, caplog):
    one, two = Node(network.add(1)), Node(network.add(2))
    monkeypatch.setattr(two.orders, "carry_out", lambda *_: 1 // 0)
    assert one.orders.pass_on(order("drain"), two.channel.local_member) == Outcome(False, "ZeroDivisionError")
    assert "An order of tcp://10.0.0.1:4000 failed" in caplog.text
    monkeypatch.undo()
    assert one.orders.pass_on(order("drain"), two.channel.local_member).good


@pytest.mark.parametrize(
    "said", [b"", b"{}", b"[]", None, 7, b'{"verb": 1}', b"[" * 9999, b" " * orders_module.MAX_ORDER]
)
def test_what_is_no_order_is_none(said):
    assert read_order(encode_value(said)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_order_or_none(data):
    assert read_order(EncodedValue(data, 1)) is None


@pytest.mark.parametrize(
    ("name", "running", "found"),
    [
        ("/shop##2", ["/shop##1", "/shop##2"], "/shop##1"),
        ("/shop##3", ["/shop", "/shop##1", "/shop##3"], "/shop##1"),
        ("/shop##1", ["/shop##1", "/shop##2"], None),
        ("/shop", ["/shop", "/blog"], None),
        ("/shop##1", ["/shop", "/shop##1"], "/shop"),
    ],
)
def test_the_version_before(name, running, found):
    assert older_version(name, running) == found
