"""Elections on a fake network."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.group.interceptors import non_blocking_coordinator as module
from catalina.tribes.group.interceptors.non_blocking_coordinator import (
    COORD_ALIVE,
    COORD_CONF,
    COORD_HEADER,
    COORD_REQUEST,
    CoordinationMessage,
    NonBlockingCoordinator,
)
from tests.support.narrowing import of_type
from tests.support.ports import free_udp_port
from tests.support.work import assert_linear
from tests.tribes.fake_network import Network
from tests.tribes.fakes import LOCAL, PEER, Stack, a_member
from tests.tribes.groups import make_channel, started, until
from tests.tribes.wire import cases, member

MESSAGE = CoordinationMessage(LOCAL, PEER, (LOCAL, PEER), b"i" * 16, COORD_CONF)


@pytest.fixture
def network(monkeypatch):
    return make_network(monkeypatch)


def make_network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network(NonBlockingCoordinator)

    def probe(channel: Any, member: Any, frame: Any, connect_timeout: Any, read_timeout: Any, verdict: Any) -> None:
        channel.running_reactor.call_soon(lambda: verdict(member not in network.dead))

    monkeypatch.setattr(module, "TcpProbe", probe)
    return network


def views(network: Network) -> dict[str, str]:
    """Node -> its view as letters, the coordinator first."""
    return {
        name: "".join(map(network.name_of, of_type(NonBlockingCoordinator, network.layer(name)).view)) or "-"
        for name in network.nodes
    }


def beat(network: Network) -> None:
    for name in tuple(network.nodes):
        network.layer(name).heartbeat(network.reactor.time)
    network.deliver()


#: Step, the views afterwards, why.
STEPS = """
join A            A:A                    alone: no election
join B A          A:A B:-                B waits for A, which is first, to ask
see A B           A:AB B:AB              A asks B, confirms to B
join C AB         A:AB B:AB C:-          C waits to be asked
see A C           A:ABC B:ABC C:ABC      B hears of C by the message, and connects to it
see B C           A:ABC B:ABC C:ABC      no news
die A             B:ABC C:ABC            nobody knows yet
lose C A          B:ABC C:ABC            C is not first among those left
lose B A          B:BC C:BC              B is, and elects
join A BC         A:ABC B:ABC C:ABC      A is first: it asks, and the others hear of it by that
see B A           A:ABC B:ABC C:ABC      no news
see C A           A:ABC B:ABC C:ABC      no news
"""


def test_elections_go_as_the_table_says(network):
    for line in STEPS.strip().splitlines():
        verb, name, *rest = line.split()
        expected = dict(word.split(":") for word in rest if re.fullmatch("[A-E]:[A-E-]+", word))
        argument = rest[0] if rest[0].isupper() and ":" not in rest[0] else ""
        if verb == "join":
            network.join(name, argument)
        elif verb == "see":
            network.see(name, argument)
        elif verb == "lose":
            network.lose(name, argument)
        else:
            network.die(name)
        network.deliver()
        assert views(network) == expected, line


@settings(deadline=None, max_examples=40)
@given(st.permutations("ABCDE"), st.randoms())
def test_whatever_the_order_everybody_ends_with_one_view(names, random):
    with pytest.MonkeyPatch.context() as monkeypatch:
        network = make_network(monkeypatch)
        for name in names:
            network.join(name, "".join(network.nodes))
            for other in tuple(network.nodes):
                if other != name:
                    network.see(other, name)
                if random.random() < 0.5:
                    network.deliver()
        network.deliver()
        beat(network)
        assert views(network) == dict.fromkeys("ABCDE", "ABCDE")
        network.die("A")
        for name in tuple(network.nodes):
            network.lose(name, "A")
        network.deliver()
        beat(network)
        assert views(network) == dict.fromkeys("BCDE", "BCDE")


def test_a_member_that_dies_during_the_election_is_left_out(network):
    network.join("A")
    network.join("B", "A")
    network.join("C", "AB")
    network.die("B")
    network.see("A", "B")
    network.see("A", "C")
    network.deliver()
    network.lose("A", "B")
    network.lose("C", "B")
    network.deliver()
    beat(network)
    assert views(network) == {"A": "AC", "C": "AC"}


def test_the_coordinator_knows_that_it_is_it(network):
    network.join("A")
    network.join("B", "A")
    network.see("A", "B")
    network.deliver()
    assert network.layer("A").is_coordinator
    assert not network.layer("B").is_coordinator
    assert network.layer("B").coordinator == network.members["A"]
    assert network.layer("A").view_id == network.layer("B").view_id


def test_without_any_reachable_member_the_election_is_given_up(network, caplog):
    network.join("B")
    network.members["C"] = a_member(3)
    network.dead.add(a_member(3))
    network.see("B", "C")
    network.deliver()
    assert "Unable to send election message to" in caplog.text
    assert "to any member of the view" in caplog.text
    assert views(network) == {"B": "B"}


def test_messages_of_the_application_pass_and_those_of_elections_do_not():
    stack = Stack(NonBlockingCoordinator(), members=())
    stack.receive(stack.message(b"hello"))
    stack.receive(stack.message(COORD_ALIVE))
    assert stack.delivered == [b"hello"]


def test_a_damaged_message_of_an_election_is_refused():
    stack = Stack(NonBlockingCoordinator(), members=())
    with pytest.raises(ProtocolError):
        stack.receive(stack.message(COORD_HEADER + b"\0\0"))
    assert stack.delivered == []


def test_a_message_cannot_make_this_node_connect_to_everybody():
    stack = Stack(NonBlockingCoordinator(), members=())
    view = tuple(a_member(number) for number in range(1, 120))
    message = CoordinationMessage(PEER, PEER, view, b"i" * 16, COORD_REQUEST)
    with pytest.raises(ProtocolError, match="unknown members, limit 100"):
        stack.receive(stack.message(message.encode()))


def test_a_stopped_coordinator_takes_no_part():
    layer = NonBlockingCoordinator()
    stack = Stack(layer, members=())
    stack.reactor.run()
    assert layer.view == (stack.bottom.local,)
    layer.stop(15)
    assert layer.coordinator is None
    stack.receive(stack.message(CoordinationMessage(PEER, PEER, (PEER,), b"i" * 16, COORD_REQUEST).encode()))
    assert stack.sent == []


def test_three_real_channels_agree_on_one_coordinator():
    port = free_udp_port()
    layers = [NonBlockingCoordinator() for _ in range(3)]
    channels = [make_channel(port, layer)[0] for layer in layers]
    with started(*channels):
        for channel in channels:
            channel.heartbeat_sleeptime = 100
        until(lambda: all(len(layer.view) == 3 for layer in layers))
        assert len({layer.coordinator for layer in layers}) == 1
        assert sum(layer.is_coordinator for layer in layers) == 1


@pytest.mark.parametrize("case", cases("interceptors", "coordinator"), ids=lambda case: case["type"][:4])
def test_messages_of_tomcat_are_read_and_written_to_the_byte(case):
    wire = bytes.fromhex(case["wire"])
    message = CoordinationMessage.decode(wire)
    assert message.leader == member(case["leader"])
    assert message.source == member(case["source"])
    assert list(message.view) == [member(each) for each in case["view"]]
    assert (message.unique_id.hex(), message.kind.hex()) == (case["id"], case["type"])
    assert message.encode() == wire


def test_the_alive_message_is_tomcats():
    assert cases("interceptors", "coordinator_alive")[0]["wire"] == COORD_ALIVE.hex()
    assert COORD_REQUEST != COORD_CONF


@given(st.integers(0, len(MESSAGE.encode()) - 1))
def test_a_message_cut_short_is_refused(length):
    with pytest.raises(ProtocolError):
        CoordinationMessage.decode(MESSAGE.encode()[:length])


@given(st.integers(0, len(MESSAGE.encode()) - 1), st.integers(0, 255))
def test_a_damaged_message_is_a_message_or_the_documented_error(at, value):
    wire = bytearray(MESSAGE.encode())
    wire[at] = value
    with contextlib.suppress(ProtocolError):
        assert CoordinationMessage.decode(bytes(wire)).view


def test_a_view_larger_than_the_message_is_refused():
    wire = MESSAGE.encode()
    at = 16 + 2 * 81
    with pytest.raises(ProtocolError, match="view of 1000000"):
        CoordinationMessage.decode(wire[:at] + (1_000_000).to_bytes(4, "big") + wire[at + 4 :])


def test_the_work_grows_with_the_view_and_no_faster():
    def read(size: int) -> Callable[[], object]:
        data = CoordinationMessage(LOCAL, PEER, (PEER,) * size, b"i" * 16, COORD_CONF).encode()
        return lambda: CoordinationMessage.decode(data)

    assert_linear(read, 100)
