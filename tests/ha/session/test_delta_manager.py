from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from catalina.errors import NotReplicableError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    EVT_CHANGE_SESSION_ID,
    EVT_LEDGER,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    SessionMessage,
)
from catalina.ha.session.state_transfer import get_all_sessions
from catalina.realm.generic_principal import GenericPrincipal
from catalina.tribes.ledger.wire import RECORDS
from tests.ha.support import FakeNetwork, Node, two_nodes
from tests.session.support import Recorder
from tests.support.narrowing import there
from tests.support.waiting import wait_until


def messages_of(node: Node) -> list[SessionMessage]:
    return [SessionMessage.decode(data) for data, _ in node.channel.sent if SessionMessage.matches(data)]


def events_of(node: Node) -> list[int]:
    return [message.event for message in messages_of(node)]


def shared_session(a: Node, b: Node, **attributes: object) -> tuple[Any, Any]:
    """A session made on ``a`` with one request, and its copy on ``b``."""
    session = a.manager.create_session()
    for name, value in attributes.items():
        session.set_attribute(name, value)
    a.request(session)
    copy = b.manager.find_session(session.id)
    assert copy is not None
    return session, copy


def test_a_new_session_is_on_the_other_node_after_the_request() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=5)
    assert copy.get_attribute("n") == 5
    assert copy.creation_time_ms == session.creation_time_ms
    assert (session.is_primary, copy.is_primary) == (True, False)
    assert events_of(a)[-2:] == [EVT_SESSION_CREATED, EVT_SESSION_DELTA]


def test_every_portable_value_arrives_equal() -> None:
    _, a, b = two_nodes()
    values: dict[str, object] = {
        "text": "Grüße \x00 \U0001f600",
        "yes": True,
        "small": 1,
        "long": 2**40,
        "huge": -(2**100),
        "float": 1.5,
        "bytes": b"\x00\xff",
        "list": [1, "a", None, [2.0]],
        "dict": {"a": 1, "b": [1, 2]},
        "set": {1, 2, 3},
        "none": None,
        "decimal": Decimal("1.10"),
        "uuid": UUID(int=5),
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "tuple": (1, (2, 3)),
    }
    _, copy = shared_session(a, b, **values)
    assert {name: copy.get_attribute(name) for name in values} == values
    assert list(copy.attribute_names()) == list(values)


def test_a_change_inside_a_value_is_found_without_setting_it_again() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, cart=[{"item": 1}])
    session.get_attribute("cart")[0]["item"] = 2
    a.request(session)
    assert copy.get_attribute("cart") == [{"item": 2}]


def test_a_value_that_was_read_and_not_changed_is_not_sent() -> None:
    _, a, b = two_nodes()
    session, _ = shared_session(a, b, cart=[1])
    before = len(a.channel.sent)
    assert session.get_attribute("cart") == [1]
    a.request(session)
    assert len(a.channel.sent) == before


def test_with_the_dirty_flag_only_what_was_set_is_sent() -> None:
    network = FakeNetwork()
    a, b = (Node(network, DeltaManager(use_dirty_flag=True)) for _ in range(2))
    a.start_manager()
    b.start_manager()
    session, copy = shared_session(a, b, cart=[1])
    session.get_attribute("cart").append(2)
    a.request(session)
    assert copy.get_attribute("cart") == [1]
    session.set_attribute("cart", session.get_attribute("cart"))
    a.request(session)
    assert copy.get_attribute("cart") == [1, 2]


def test_only_the_attributes_that_changed_travel() -> None:
    _, a, b = two_nodes()
    session, _ = shared_session(a, b, big=["x" * 1000], n=1)
    session.set_attribute("n", 2)
    a.request(session)
    delta = DeltaRequest.decode(messages_of(a)[-1].session or b"")
    assert [action.name for action in delta.actions] == ["n"]


def test_a_removed_attribute_goes_everywhere() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1, m=2)
    session.remove_attribute("n")
    a.request(session)
    assert copy.attribute_names() == ["m"]


def test_a_value_that_cannot_travel_fails_at_the_line_that_sets_it() -> None:
    _, a, b = two_nodes()
    session, _ = shared_session(a, b)
    with open(__file__) as file, pytest.raises(NotReplicableError, match=r"cart.*files.*0.*TextIOWrapper"):
        session.set_attribute("cart", {"files": [file]})
    assert session.attribute_names() == []


def test_a_change_inside_that_cannot_travel_is_logged_and_the_rest_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, cart=[1])
    with open(__file__) as file:
        session.get_attribute("cart").append(file)
        session.set_attribute("n", 1)
        a.request(session)
    assert "changed inside a value and cannot be replicated: cart" in caplog.text
    assert copy.get_attribute("n") == 1
    assert copy.get_attribute("cart") == [1]


def test_the_backup_serves_a_request_and_becomes_primary() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    copy.set_attribute("n", copy.get_attribute("n") + 1)
    b.request(copy)
    assert session.get_attribute("n") == 2
    assert (session.is_primary, copy.is_primary) == (False, True)


def test_a_request_that_only_reads_on_the_backup_tells_that_it_is_primary_now() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    b.request(copy)
    assert events_of(b)[-1] == EVT_SESSION_ACCESSED
    assert (session.is_primary, copy.is_primary) == (False, True)


def test_a_session_that_is_only_read_says_each_tenth_of_its_interval_that_it_lives() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=1)
    before = len(a.channel.sent)
    network.clock.advance(170)
    a.request(session)
    assert len(a.channel.sent) == before
    network.clock.advance(11)
    a.request(session)
    assert events_of(a)[-1] == EVT_SESSION_ACCESSED
    assert copy.this_accessed_time_ms == network.clock.now * 1000


def test_invalidation_ends_the_session_everywhere() -> None:
    _, a, b = two_nodes()
    recorder = Recorder()
    b.context.listeners.append(recorder)
    b.manager.listeners = type(b.manager.listeners).of(b.context.listeners)
    session, _ = shared_session(a, b, n=1)
    session.set_attribute("last", 2)
    session.invalidate()
    assert b.manager.find_session(session.id) is None
    assert ("destroyed", session.id, {"n": 1, "last": 2}) in recorder.heard
    assert events_of(a)[-2:] == [EVT_SESSION_DELTA, EVT_SESSION_EXPIRED]


def test_the_primary_expires_for_all_and_the_backup_alone_waits_twice_as_long() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b)
    network.clock.advance(1800)
    assert copy.is_valid
    assert not session.is_valid
    assert not copy.is_valid
    _, other_copy = shared_session(a, b)
    a.alive = False
    network.clock.advance(3599)
    assert other_copy.is_valid
    network.clock.advance(1)
    assert not other_copy.is_valid


def test_an_id_change_reaches_the_other_nodes() -> None:
    _, a, b = two_nodes()
    recorder = Recorder()
    b.context.listeners.append(recorder)
    b.manager.listeners = type(b.manager.listeners).of(b.context.listeners)
    session, copy = shared_session(a, b, n=1)
    old_id = session.id
    new_id = a.manager.change_session_id(session)
    assert b.manager.find_session(new_id) is copy
    assert b.manager.find_session(old_id) is None
    assert ("id", old_id, new_id) in recorder.heard
    assert b.context.container_events == [("changeSessionId", (old_id, new_id))]
    assert events_of(a)[-1] == EVT_CHANGE_SESSION_ID


def test_the_interval_the_login_and_the_user_travel() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b)
    session.max_inactive_interval = 99
    session.auth_type = "FORM"
    session.principal = GenericPrincipal("joe", ("admin", "user"))
    a.request(session)
    assert (copy.max_inactive_interval, copy.auth_type) == (99, "FORM")
    assert copy.principal == GenericPrincipal("joe", ("admin", "user"))
    session.principal = session.auth_type = None
    a.request(session)
    assert (copy.auth_type, copy.principal) == (None, None)


def test_attribute_listeners_hear_of_changes_elsewhere() -> None:
    _, a, b = two_nodes()
    recorder = Recorder()
    b.context.listeners.append(recorder)
    b.manager.listeners = type(b.manager.listeners).of(b.context.listeners)
    session, _ = shared_session(a, b, n=1)
    session.set_attribute("n", 2)
    a.request(session)
    session.remove_attribute("n")
    a.request(session)
    assert recorder.heard == [("created", session.id), ("added", "n", 1), ("replaced", "n", 1), ("removed", "n", 2)]


def test_listeners_hear_nothing_when_both_notify_attributes_are_off() -> None:
    network = FakeNetwork()
    template = DeltaManager(notify_listeners_on_replication=False, notify_session_listeners_on_replication=False)
    a, b = (Node(network, template) for _ in range(2))
    recorder = Recorder()
    b.context.listeners.append(recorder)
    a.start_manager()
    b.start_manager()
    session, _ = shared_session(a, b, n=1)
    session.invalidate()
    assert recorder.heard == []
    assert b.manager.active_sessions == 0


def test_record_all_actions_sends_every_change_of_a_request() -> None:
    network = FakeNetwork()
    a, b = (Node(network, DeltaManager(record_all_actions=True)) for _ in range(2))
    recorder = Recorder()
    b.context.listeners.append(recorder)
    a.start_manager()
    b.start_manager()
    session, copy = shared_session(a, b)
    session.set_attribute("n", 1)
    session.set_attribute("n", 2)
    session.remove_attribute("n")
    session.set_attribute("n", 3)
    a.request(session)
    assert [event[:2] for event in recorder.heard[1:]] == [
        ("added", "n"), ("replaced", "n"), ("removed", "n"), ("added", "n"),
    ]  # fmt: skip
    assert copy.get_attribute("n") == 3


# -- the state of a node that joins ------------------------------------------------------------------------------------


def test_a_node_that_joins_has_all_sessions_when_its_manager_has_started(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    network = FakeNetwork()
    a = Node(network)
    a.start_manager()
    assert "skipping state transfer. No members active in cluster group." in caplog.text
    session = a.manager.create_session()
    session.set_attribute("cart", {"apple": [1, 2]})
    session.principal = GenericPrincipal("joe", ("admin",))
    session.max_inactive_interval = 99
    a.request(session)
    b = Node(network)
    manager = b.start_manager()
    copy = manager.find_session(session.id)
    assert copy.get_attribute("cart") == {"apple": [1, 2]}
    assert copy.principal == GenericPrincipal("joe", ("admin",))
    assert copy.max_inactive_interval == 99
    assert not copy.is_primary
    assert "Manager [/app], requesting session state from [tcp://10.0.0.1:4000]" in caplog.text
    assert "Manager [/app]; session state sent at [" in caplog.text


def test_many_sessions_come_in_blocks() -> None:
    network = FakeNetwork()
    a = Node(network)
    a.start_manager()
    for number in range(2500):
        session = a.manager.create_session()
        session.set_attribute("n", number)
        a.request(session)
    b = Node(network)
    b.start_manager()
    assert sorted(s.get_attribute("n") for s in b.manager.find_sessions()) == list(range(2500))
    blocks = [
        message for message in messages_of(a) if message.event == EVT_LEDGER and there(message.session)[0] == RECORDS
    ]
    assert len(blocks) == 25
    assert b.manager.transfer.received == b.manager.transfer.expected == 2500


def test_without_send_all_sessions_our_nodes_get_the_state_in_blocks_with_pauses_too() -> None:
    network = FakeNetwork()
    template = DeltaManager(send_all_sessions=False, send_all_sessions_size=10, send_all_sessions_wait_time=100)
    a = Node(network, template)
    a.start_manager()
    for _ in range(25):
        a.manager.create_session()
    began = time.monotonic()
    b = Node(network)
    b.start_manager()
    assert time.monotonic() - began >= 0.2
    blocks = [
        message for message in messages_of(a) if message.event == EVT_LEDGER and there(message.session)[0] == RECORDS
    ]
    assert len(blocks) == 3
    assert b.manager.transfer.received == 25


@pytest.mark.parametrize("in_one", [True, False])
def test_java_gets_the_whole_state_as_the_attributes_say(in_one: bool) -> None:
    network = FakeNetwork()
    template = DeltaManager(send_all_sessions=in_one, send_all_sessions_size=100, send_all_sessions_wait_time=1)
    a, java = Node(network, template), Node(network)
    a.start_manager()
    for _ in range(1200):
        a.manager.create_session()
    java.channel.local_member = replace(java.channel.local_member, payload=b"")
    java.cluster.post(get_all_sessions("/app", 1), a.channel.local_member)
    wait_until(lambda: EVT_ALL_SESSION_TRANSFERCOMPLETE in events_of(a), "the end of the state")
    data = [message for message in messages_of(a) if message.event == EVT_ALL_SESSION_DATA]
    assert len(data) == (3 if in_one else 12)


def test_a_node_without_sessions_answers_too() -> None:
    network = FakeNetwork()
    a, b = Node(network), Node(network)
    a.start_manager()
    b.start_manager()
    assert b.manager.state_transferred


def test_a_value_changed_back_while_nobody_was_there_is_sent_again() -> None:
    network, a, b = two_nodes()
    session, _ = shared_session(a, b, cart=[1])
    b.alive = False
    session.get_attribute("cart").append(2)
    a.request(session)
    c = Node(network)
    c.start_manager()
    session.get_attribute("cart").remove(2)
    a.request(session)
    assert c.manager.find_session(session.id).get_attribute("cart") == [1]


def test_a_node_that_does_not_run_the_application_says_so_and_the_next_is_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    network = FakeNetwork()
    Node(network)
    b = Node(network)
    b.start_manager()
    session = b.manager.create_session()
    b.request(session)
    c = Node(network)
    began = time.monotonic()
    c.start_manager()
    assert c.manager.find_session(session.id) is not None
    assert time.monotonic() - began < 5
    assert "a 'No matching context manager' message was received" in caplog.text


def test_silence_ends_with_the_state_transfer_timeout_and_its_log_line(caplog: pytest.LogCaptureFixture) -> None:
    network = FakeNetwork()
    a = Node(network)
    a.start_manager()
    a.channel.listeners.clear()
    b = Node(network, DeltaManager(state_transfer_timeout=1))
    began = time.monotonic()
    b.start_manager()
    assert 1 <= time.monotonic() - began < 3
    assert "Manager [/app]: No session state sent at [" in caplog.text
    assert "received, timing out after [" in caplog.text


def test_a_change_that_comes_before_the_state_stays() -> None:
    network = FakeNetwork()
    a = Node(network)
    a.start_manager()
    session = a.manager.create_session("S")
    session.set_attribute("n", 1)
    a.request(session)
    old = a.manager.state_sender.encoded([session.record])
    b = Node(network)
    b.start_manager()
    session.set_attribute("n", 2)
    a.request(session)
    a.manager.post_ledger(old, b.channel.local_member)
    assert b.manager.find_session("S").get_attribute("n") == 2


def test_a_node_that_stops_leaves_the_sessions_to_the_others() -> None:
    _, a, b = two_nodes()
    session, copy = shared_session(a, b)
    a.manager.stop()
    assert copy.is_valid
    assert b.manager.find_session(session.id) is copy


def test_expire_sessions_on_shutdown_ends_them_everywhere() -> None:
    network = FakeNetwork()
    a, b = (Node(network, DeltaManager(expire_sessions_on_shutdown=True)) for _ in range(2))
    a.start_manager()
    b.start_manager()
    shared_session(a, b)
    a.manager.stop()
    assert b.manager.active_sessions == 0


def test_a_reload_keeps_the_sessions() -> None:
    _, a, b = two_nodes()
    b.alive = False
    session = a.manager.create_session("S")
    session.set_attribute("cart", [1])
    a.request(session)
    a.context.paused = True
    a.manager.stop()
    a.context.paused = False
    a.cluster.register_manager(a.manager)
    a.manager.start()
    assert a.manager.find_session("S").get_attribute("cart") == [1]


# -- a node that was there and not heard -------------------------------------------------------------------------------


def rejoin(*nodes: Node) -> None:
    """Each node hears of the others, which have been running for a while."""
    for node in nodes:
        node.alive = True
    for node in nodes:
        for member in node.channel.members:
            node.cluster.member_added(replace(member, alive_ms=60_000))
    wait_until(lambda: not any(node.manager.state_sender._thread for node in nodes), "all is sent")


def test_after_a_cut_link_each_side_gets_what_the_other_has_made() -> None:
    _, a, b = two_nodes()
    b.alive = False
    on_a = a.manager.create_session("A")
    on_a.set_attribute("n", 1)
    a.request(on_a)
    a.alive, b.alive = False, True
    on_b = b.manager.create_session("B")
    b.request(on_b)
    rejoin(a, b)
    assert b.manager.find_session("A").get_attribute("n") == 1
    assert a.manager.find_session("B") is not None


def test_of_two_copies_the_one_used_last_wins_on_both_sides() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    b.alive = False
    session.set_attribute("n", 1)
    a.request(session)
    network.clock.advance(5)
    a.alive, b.alive = False, True
    copy.set_attribute("n", 2)
    b.request(copy)
    rejoin(a, b)
    assert [node.manager.find_session(session.id).get_attribute("n") for node in (a, b)] == [2, 2]


def test_a_member_that_has_just_started_is_not_asked() -> None:
    _, a, b = two_nodes()
    before = len(a.channel.sent)
    a.cluster.member_added(replace(b.channel.local_member, alive_ms=1018))
    assert len(a.channel.sent) == before


def test_the_question_can_be_switched_off() -> None:
    _, a, b = two_nodes()
    a.manager.resync_on_rejoin = False
    before = len(a.channel.sent)
    a.cluster.member_added(replace(b.channel.local_member, alive_ms=60_000))
    assert len(a.channel.sent) == before
