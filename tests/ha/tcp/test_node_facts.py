"""The facts that nodes exchange when a group is examined."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.ha.tcp import node_facts
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.ha.tcp.node_facts import WATCHED, NodeFacts
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.standard_manager import StandardManager
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_encoder import encode_value
from tests.support.stand_in import stand_in
from tests.tribes.tipis.network import FakeChannel, Network


def facts_of(channel: FakeChannel, ahead: float = 0.0, **values: Any) -> NodeFacts:
    """A node with the application ``/shop`` on localhost whose clock is ahead."""
    host = StandardHost(name="localhost")
    context = StandardContext(path="/shop")
    context.distributable = True
    context.manager = StandardManager()
    host.add_child(context)
    cluster = stand_in(SimpleTcpCluster,
        container=host, channel=channel, channel_send_options=8, deployer=None, valves=[], traffic=dict,
        missed=MissedMessages(), **values,
    )  # fmt: skip
    facts = NodeFacts(cluster, clock=lambda: 1000.0 + ahead)
    group: Any = channel
    facts.open(group)
    return facts


def test_a_member_says_what_it_runs_and_how_far_its_clock_is_ahead() -> None:
    network = Network()
    one, two = network.add(1), network.add(2)
    asking = facts_of(one)
    facts_of(two, ahead=12.0)
    (answer,) = asking.ask([two.local_member], 5.0)
    assert answer.facts is not None
    assert answer.facts["applications"] == [
        {"name": "localhost/shop", "runs": False, "distributable": True, "manager": "StandardManager"}
    ]
    assert answer.facts["alike"]["channelSendOptions"] == "8"
    assert abs(answer.offset - 12.0) <= answer.accuracy + 0.001
    assert answer.accuracy < 5


def test_who_watches_is_told_what_the_node_does_now() -> None:
    network = Network()
    one, two = network.add(1), network.add(2)
    asking = facts_of(one)
    facts_of(two, ahead=-3.0)
    (answer,) = asking.ask([two.local_member], 5.0, WATCHED)
    assert answer.facts is None
    assert answer.live is not None
    assert [each.name for each in answer.live.applications] == ["localhost/shop"]
    assert abs(answer.offset + 3.0) <= answer.accuracy + 0.001


def test_a_node_that_is_asked_faster_than_it_can_look_says_nothing() -> None:
    network = Network()
    one, two = network.add(1), network.add(2)
    asking, asked = facts_of(one), facts_of(two)
    for _ in range(node_facts.MAX_LOOKING):
        asked._looking.acquire()
    (answer,) = asking.ask([two.local_member], 5.0, WATCHED)
    assert answer.live is None


def test_an_earlier_version_answers_another_question() -> None:
    network = Network()
    one, two = network.add(1), network.add(2)
    asking, asked = facts_of(one), facts_of(two)
    (answer,) = asking.ask([two.local_member], 5.0, b"a question of a later version")
    assert answer.facts is not None
    said = encode_value(json.dumps(asked.own()).encode())
    assert node_facts.read_answer(two.local_member, said, WATCHED) is None


def test_a_member_without_such_a_channel_has_no_answer() -> None:
    network = Network()
    one, two = network.add(1), network.add(2)
    asking = facts_of(one)
    closed = facts_of(two)
    closed.close()
    (answer,) = asking.ask([two.local_member], 0.05)
    assert answer.facts is None
    assert asking.ask([], 1.0) == []
    asking.close()
    assert asking.ask([two.local_member], 1.0)[0].facts is None


@pytest.mark.parametrize(
    "said",
    [
        b"no json", b"[]", b"{}", b"[" * 5000, None, 7, "text",
        b'{"now": "late", "software": "x", "alike": {}, "applications": []}',
        b'{"now": 1.0, "software": "x", "alike": {"a": 1}, "applications": []}',
        b'{"now": 1.0, "software": "x", "alike": {}, "applications": [{"name": 1}]}',
        b" " * node_facts.MAX_FACTS,
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_no_answer(said: object) -> None:
    assert node_facts.read_facts(encode_value(said)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_none(data: bytes) -> None:
    assert node_facts.read_facts(EncodedValue(data, 1)) is None
