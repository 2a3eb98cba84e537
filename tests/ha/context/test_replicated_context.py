from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from typing import Any

import pytest

from catalina.ha.context.replicated_context import AttributeCodec, ReplicatedAttributes, ReplicatedContext
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.lifecycle import LifecycleEvent
from catalina.tribes.io.java import EncodedValue, OpaqueValue
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.tribes.io.java.values import Cart
from tests.tribes.tipis.network import FakeChannel, Network


class FakeContext:
    """The part of their context that the attributes use."""

    name = "/app"

    class loader:
        bound = staticmethod(nullcontext)
        load_imported = staticmethod(lambda name: False)

    def __init__(self, own: bool = True) -> None:
        self.own = own

    def allows_class(self, name: str) -> bool:
        return self.own


class Nodes:
    def __init__(self, size: int, own: bool = True) -> None:
        self.network = Network()
        self.channels: list[FakeChannel] = []
        self.attributes: list[Any] = []
        self.own = own
        for _ in range(size):
            self.join()

    def join(self) -> Any:
        channel = self.network.add(len(self.channels) + 1)
        shared = ReplicatedMap(channel, "/app", None, AttributeCodec(), clock=self.network.clock)
        shared.start()
        self.network.settle()
        found = ReplicatedAttributes({}, shared, FakeContext(self.own))  # type: ignore[arg-type]
        self.channels.append(channel)
        self.attributes.append(found)
        return found


def test_what_one_node_sets_the_others_read() -> None:
    nodes = Nodes(3)
    nodes.attributes[0]["motd"] = {"text": ["hello"]}
    nodes.network.settle()
    assert [each["motd"] for each in nodes.attributes] == [{"text": ["hello"]}] * 3
    assert [dict(each) for each in nodes.attributes] == [{"motd": {"text": ["hello"]}}] * 3


def test_a_value_whose_module_is_not_loaded_is_read_when_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(2)
    nodes.attributes[0]["cart"] = Cart("joe")
    nodes.network.settle()
    module = sys.modules[Cart.__module__]
    monkeypatch.delitem(sys.modules, Cart.__module__)
    assert isinstance(nodes.attributes[1]["cart"], OpaqueValue)
    monkeypatch.setitem(sys.modules, Cart.__module__, module)
    assert nodes.attributes[1]["cart"] == Cart("joe")


def test_a_value_that_cannot_be_read_is_opaque_and_fails_nobody(caplog: pytest.LogCaptureFixture) -> None:
    nodes = Nodes(2)
    nodes.attributes[0]["motd"] = "hello"
    nodes.network.settle()
    shared = nodes.attributes[1]._shared.peek("motd")
    shared.encoded = EncodedValue(b"\x73\x72rubbish", 0)
    assert isinstance(nodes.attributes[1]["motd"], OpaqueValue)
    assert "attribute [motd] of another node cannot be read" in caplog.text


def test_the_last_one_who_sets_wins() -> None:
    nodes = Nodes(3)
    for number, each in enumerate(nodes.attributes):
        each["n"] = number
        nodes.network.settle()
    assert [each["n"] for each in nodes.attributes] == [2, 2, 2]


def test_reading_sends_nothing_and_takes_nothing_over() -> None:
    nodes = Nodes(2)
    nodes.attributes[0]["n"] = 1
    nodes.network.settle()
    nodes.network.sent.clear()
    assert nodes.attributes[1]["n"] == 1
    nodes.network.settle()
    assert nodes.network.sent == []


def test_a_value_is_decoded_once() -> None:
    nodes = Nodes(2)
    nodes.attributes[0]["list"] = [1]
    nodes.network.settle()
    assert nodes.attributes[1]["list"] is nodes.attributes[1]["list"]


def test_a_newcomer_has_all_attributes() -> None:
    nodes = Nodes(1)
    nodes.attributes[0]["n"] = 1
    assert nodes.join()["n"] == 1


def test_attributes_live_on_when_their_node_dies() -> None:
    nodes = Nodes(3)
    nodes.attributes[0]["n"] = 1
    nodes.network.settle()
    nodes.network.kill(nodes.channels[0])
    nodes.network.settle()
    assert nodes.attributes[1]["n"] == 1
    nodes.attributes[2]["n"] = 2
    nodes.network.settle()
    assert nodes.attributes[1]["n"] == 2


def test_removing_removes_everywhere() -> None:
    nodes = Nodes(2)
    nodes.attributes[0]["n"] = 1
    nodes.network.settle()
    del nodes.attributes[1]["n"]
    nodes.network.settle()
    assert "n" not in nodes.attributes[1]
    with pytest.raises(KeyError):
        del nodes.attributes[1]["n"]


def test_what_cannot_travel_stays_in_its_node(caplog: pytest.LogCaptureFixture) -> None:
    nodes = Nodes(2)
    lock = threading.Lock()
    nodes.attributes[0]["lock"] = "placeholder"
    nodes.network.settle()
    nodes.attributes[0]["lock"] = lock
    nodes.network.settle()
    assert nodes.attributes[0]["lock"] is lock
    assert "lock" not in nodes.attributes[1]
    assert "stays in this node" in caplog.text


@pytest.mark.parametrize("name", ["catalina.x", "org.apache.catalina.resources", "jakarta.servlet.context.tempdir"])
def test_the_container_s_own_names_stay_in_their_node(name: str) -> None:
    nodes = Nodes(2)
    nodes.attributes[0][name] = 1
    nodes.network.settle()
    assert nodes.attributes[0][name] == 1
    assert name not in nodes.attributes[1]


@pytest.mark.parametrize("own", [True, False])
def test_only_classes_of_the_application_are_decoded(own: bool) -> None:
    nodes = Nodes(2, own)
    nodes.attributes[0]["cart"] = Cart("joe")
    nodes.network.settle()
    assert isinstance(nodes.attributes[0]["cart"], Cart)
    assert isinstance(nodes.attributes[1]["cart"], Cart if own else OpaqueValue)


def test_without_a_cluster_attributes_are_local(caplog: pytest.LogCaptureFixture) -> None:
    context = ReplicatedContext()
    before = context.application_context.attributes
    context._on_event(LifecycleEvent(context, "configure_start", None))
    assert context.application_context.attributes is before
    assert "has no cluster" in caplog.text
    context._on_event(LifecycleEvent(context, "after_stop", None))


def test_it_joins_before_the_application_starts_and_leaves_when_it_has_stopped() -> None:
    network = Network()
    context = ReplicatedContext()
    context.name = "/app"
    channel = network.add(1)

    cluster = SimpleTcpCluster()
    cluster.channel = channel  # type: ignore[assignment]  # the simulated one
    context.cluster = cluster
    context._on_event(LifecycleEvent(context, "configure_start", None))
    assert isinstance(context.application_context.attributes, ReplicatedAttributes)
    assert channel.listeners
    context._on_event(LifecycleEvent(context, "after_stop", None))
    assert channel.listeners == []
    assert context.map is None


def test_send_options_are_numbers_or_names() -> None:
    context = ReplicatedContext()
    assert context.map_send_options == 2
    assert context.set_attribute("mapSendOptions", "sync,use_ack")
    assert context.map_send_options == 6
