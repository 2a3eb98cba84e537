"""Messages in another order than they were sent (a Java peer with option 8), twice, and broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalina.ha.session.delta_request import TYPE_MAXINTERVAL, fixed_action, serialize
from catalina.ha.session.session_message import EVT_SESSION_DELTA, SessionMessage
from catalina.tribes.io.java import encode_value
from tests.ha.session.deltas import attribute
from tests.ha.session.test_delta_manager import shared_session
from tests.ha.support import FakeNetwork, Node, two_nodes


def held_back() -> tuple[FakeNetwork, Node, Node]:
    network, a, b = two_nodes()
    network.immediate = False
    return network, a, b


def test_a_delta_that_comes_before_its_session_waits_for_it() -> None:
    network, a, b = held_back()
    session = a.manager.create_session("S")
    session.set_attribute("n", 1)
    a.request(session)
    created, delta = network.on_the_way
    network.on_the_way[:] = [delta, created]
    network.deliver()
    assert b.manager.find_session("S").get_attribute("n") == 1


def test_a_delta_after_the_end_does_not_bring_the_session_back() -> None:
    network, a, b = held_back()
    session = a.manager.create_session("S")
    a.request(session)
    network.deliver()
    session.set_attribute("n", 1)
    session.invalidate()
    delta, expired = network.on_the_way
    network.on_the_way[:] = [expired, delta]
    network.deliver()
    assert b.manager.active_sessions == 0


def test_a_creation_after_the_end_does_not_make_the_session() -> None:
    network, a, b = held_back()
    session = a.manager.create_session("S")
    session.invalidate()
    network.on_the_way.reverse()
    network.deliver()
    assert b.manager.active_sessions == 0


def test_a_delta_under_the_old_id_reaches_the_renamed_session() -> None:
    network, a, b = held_back()
    session = a.manager.create_session("S")
    a.request(session)
    network.deliver()
    session.set_attribute("n", 1)
    a.request(session)
    a.manager.change_session_id(session, "T")
    network.on_the_way.reverse()
    network.deliver()
    assert b.manager.find_session("T").get_attribute("n") == 1
    assert b.manager.find_session("S") is None


def test_a_creation_that_comes_twice_does_not_empty_the_session() -> None:
    network, a, b = held_back()
    session = a.manager.create_session("S")
    session.set_attribute("n", 1)
    a.request(session)
    network.on_the_way.append(network.on_the_way[0])
    network.deliver()
    assert b.manager.find_session("S").get_attribute("n") == 1


def test_rubbish_in_a_delta_costs_only_that_message(caplog: pytest.LogCaptureFixture) -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    bad = SessionMessage(EVT_SESSION_DELTA, "/app", b"\xac\xed\x00\x05rubbish", session.id, "x", 1)
    a.cluster.post(bad)
    assert "Unable to receive message through TCP channel" in caplog.text
    assert copy.get_attribute("n") == 1


def test_a_fixed_action_of_the_wrong_class_is_left_out_and_not_passed_on() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b)
    actions = [
        fixed_action(TYPE_MAXINTERVAL, encode_value("x")),
        attribute("n", a.manager.codec.encode("n", 1)),
    ]
    delta = serialize(session.id, False, actions)
    a.cluster.post(SessionMessage(EVT_SESSION_DELTA, "/app", delta, session.id, "x", 1))
    assert copy.max_inactive_interval == 1800
    assert copy.get_attribute("n") == 1


def test_a_copy_of_java_that_is_older_than_what_is_known_changes_nothing() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    java = replace(b.channel.local_member, payload=b"")
    data = copy.to_data()
    data.attributes["n"] = a.manager.codec.encode("n", 0)
    taken_ms = data.last_accessed_time_ms + 5000
    a.manager.receiver._take_over(data, java, taken_ms)
    assert a.manager.find_session(session.id) is session
    assert session.get_attribute("n") == 1
    network.clock.advance(10)
    data.last_accessed_time_ms = taken_ms = taken_ms + 5000  # the Java node has served a request since
    a.manager.receiver._take_over(data, java, taken_ms)
    assert session.get_attribute("n") == 0


def test_an_event_that_nobody_knows_is_ignored() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    a.cluster.post(SessionMessage(99, "/app", None, session.id, "x", 1))
    assert copy.get_attribute("n") == 1


def java_delta(a: Node, session_id: str, sent_ms: int, **values: object) -> SessionMessage:
    actions = [attribute(name, a.manager.codec.encode(name, value)) for name, value in values.items()]
    return SessionMessage(EVT_SESSION_DELTA, "/app", serialize(session_id, False, actions), session_id, "x", sent_ms)


def test_of_two_changes_of_a_java_node_the_one_sent_last_stays_whatever_comes_last() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    java = replace(a.channel.local_member, payload=b"")
    for sent_ms, values in ((2000, {"n": 2}), (1000, {"n": 1, "only": "here"}), (3000, {"n": 3})):
        b.cluster.dispatch(java_delta(a, session.id, sent_ms, **values), java)
    assert copy.get_attribute("n") == 3
    assert copy.get_attribute("only") == "here"
    b.cluster.dispatch(java_delta(a, session.id, 2500, n=2.5), java)
    assert copy.get_attribute("n") == 3


def test_changes_of_one_millisecond_are_taken_as_they_come() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    java = replace(a.channel.local_member, payload=b"")
    for value in (1, 2):
        b.cluster.dispatch(java_delta(a, session.id, 1000, n=value), java)
    assert copy.get_attribute("n") == 2


def test_clocks_of_two_java_nodes_are_not_compared() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    first = replace(a.channel.local_member, payload=b"")
    second = replace(first, port=4001)
    for sender, sent_ms, value in ((first, 2000, 1), (second, 1000, 2)):
        b.cluster.dispatch(java_delta(a, session.id, sent_ms, n=value), sender)
    assert copy.get_attribute("n") == 2
