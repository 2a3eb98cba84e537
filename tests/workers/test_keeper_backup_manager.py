"""Sessions of a BackupManager in a node with a keeper and workers, beside a node in one process."""

from collections.abc import Callable
from typing import Any

import pytest

from catalina.ha.request_deliveries import note
from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK, SEND_OPTIONS_USE_ACK, Delivery
from catalina.tribes.io.java import encode_value
from catalina.workers import worker_manager
from catalina.workers.keeper_backup_manager import KeptSession
from tests.ha.session.maps import FakeCluster
from tests.support.waiting import wait_until
from tests.workers.map_node import MapNodes
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def test_a_session_of_a_worker_has_a_backup_at_another_node(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, cart=["apple"])
    assert session is not None
    assert nodes.group.managers[0].backup_sessions == 1
    assert nodes.node.keeper.manager.active_sessions == 1
    assert nodes.other(session.id) == {"cart": ["apple"]}


def test_a_change_reaches_the_backup_as_a_difference(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1, name="ann")
    assert session is not None
    nodes.group.network.sent.clear()
    nodes.request(0, session.id, count=2)
    assert not any(b"ann" in data for _, _, data in nodes.group.network.sent)
    assert nodes.other(session.id) == {"count": 2, "name": "ann"}


def test_a_session_of_another_node_is_claimed_for_a_worker(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session_id = nodes.group.create(0, count=1)
    there = nodes.request(1, session_id, count=2)
    assert there is not None
    assert nodes.node.keeper.manager.active_sessions == 1
    assert nodes.group.managers[0].active_sessions == 0
    assert nodes.other(session_id) == {"count": 2}


def test_a_worker_asks_again_when_another_node_has_served_its_session(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    for count in range(2, 8, 2):
        assert nodes.other(session.id, count=count) == {"count": count}
        there = nodes.request(0, session.id)
        assert there is not None
        assert there.get_attribute("count") == count
        nodes.request(0, session.id, count=count + 1)


def test_a_change_that_crosses_a_claim_of_another_node_is_kept(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, color="red")
    assert session is not None
    worker = nodes.node.workers[0]
    session.access()
    session.set_attribute("size", 1)
    nodes.other(session.id, weight=2)
    delivery = worker.manager.request_completed(session, None)
    assert delivery is not None
    assert delivery.wait(15)
    session.end_access()
    nodes.node.keeper.read_all()
    nodes.settle()
    assert nodes.other(session.id) == {"color": "red", "size": 1, "weight": 2}


def test_a_change_of_another_node_that_crosses_a_claim_of_a_worker_reaches_the_workers(make_node: MakeNode) -> None:
    """The other node sends the change while it is the owner still; this node, the owner by then, stays it."""
    nodes = MapNodes(make_node)
    session_id = nodes.group.create(0, color="red")
    nodes.request(1, session_id)
    assert nodes.other(session_id) == {"color": "red"}
    manager = nodes.group.managers[0]
    there = manager.find_session(session_id)
    assert there is not None
    here = nodes.node.workers[0].request(session_id, size=1)  # the claim is on its way
    assert here is not None
    there.access()
    there.set_attribute("weight", 2)
    manager.request_completed(there, None)
    there.end_access()
    nodes.settle()
    assert nodes.node.keeper.manager.active_sessions == 1, "the node has stayed the owner"
    for worker in (0, 1):
        session = nodes.request(worker, session_id)
        assert session is not None
        assert {name: session.get_attribute(name) for name in session.attribute_names()} == {
            "color": "red",
            "size": 1,
            "weight": 2,
        }


def test_two_workers_share_a_session(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=0)
    assert session is not None
    for count in range(1, 10):
        nodes.request(count % 2, session.id, count=count)
        there = nodes.request((count + 1) % 2, session.id)
        assert there is not None
        assert there.get_attribute("count") == count


def test_a_session_that_ends_at_a_worker_ends_in_the_group(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    session.expire()
    wait_until(lambda: nodes.settle() or not nodes.group.managers[0].known_sessions, "the end at the other node")
    assert nodes.request(1, session.id) is None


def test_a_session_that_ends_at_another_node_ends_at_the_workers(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    there: Any = nodes.group.managers[0].find_session(session.id)
    there.expire()
    nodes.settle()
    assert nodes.request(0, session.id) is None
    assert nodes.node.keeper.manager.known_sessions == 0


def test_a_login_renames_the_session_in_the_group(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, user="ann")
    assert session is not None
    old_id = session.id
    new_id = nodes.node.workers[0].manager.change_session_id(session)
    wait_until(lambda: nodes.settle() or new_id in nodes.group.managers[0].all_session_ids(), "the new id")
    assert nodes.other(old_id) is None
    assert nodes.other(new_id) == {"user": "ann"}
    there = nodes.request(1, new_id)
    assert there is not None
    assert nodes.request(0, old_id) is None


def test_the_keeper_ends_what_no_worker_has_and_no_other(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    keeper = nodes.node.keeper
    kept = keeper.manager.sessions[session.id]
    assert isinstance(kept, KeptSession)
    kept.this_accessed_time_ms = kept.last_accessed_time_ms = 0
    assert kept.is_valid, "the worker's copy may have been used"
    nodes.node.workers[0].manager.background_process()
    wait_until(lambda: not kept.is_held, "the keeper hears that the worker has dropped its copy")
    assert not len(keeper.manager.table.ledger)
    kept.this_accessed_time_ms = kept.last_accessed_time_ms = 0
    keeper.manager.process_expires()
    assert nodes.request(0, session.id) is None


def test_when_the_other_node_dies_its_sessions_are_here(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session_id = nodes.group.create(0, count=1)
    nodes.group.network.kill(nodes.group.managers[0].cluster.channel)  # type: ignore[union-attr, arg-type]
    there = nodes.request(0, session_id)
    assert there is not None
    assert there.get_attribute("count") == 1


def test_the_next_keeper_gets_the_workers_sessions(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session, ended = nodes.request(0, count=1), nodes.request(0, count=2)
    assert session is not None
    assert ended is not None
    nodes.node.kill_keeper()
    nodes.group.network.kill(nodes.cluster.channel)  # type: ignore[arg-type]
    nodes.group.network.settle()
    worker = nodes.node.workers[0]
    wait_until(lambda: not worker.channel.is_up, "the worker notices")
    worker.request(session.id, count=7)
    ended.expire()
    nodes.node.cluster = FakeCluster(nodes.group.network.add(2, generation=1))
    keeper = nodes.node.start_keeper()
    wait_until(lambda: nodes.settle() or session.id in keeper.manager.all_session_ids(), "the session at the keeper")
    there = nodes.request(1, session.id)
    assert there is not None
    assert there.get_attribute("count") == 7
    assert nodes.request(1, ended.id) is None
    assert nodes.other(session.id) == {"count": 7}


def test_a_worker_s_copy_ends_with_a_session_that_two_other_nodes_have_taken_over(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node, others=2)
    sessions = [nodes.request(0, count=1) for _ in range(8)]
    for session in sessions:
        assert session is not None
        for node in (0, 1):
            assert nodes.group.request(node, session.id, count=2) is not None
            nodes.settle()
        ended = nodes.group.managers[1].find_session(session.id)
        assert ended is not None
        ended.expire()
        nodes.settle()
        assert nodes.request(0, session.id) is None


def test_a_session_that_another_node_removes_and_puts_again_goes_on(make_node: MakeNode) -> None:
    """A Java node gives a session its own route so: the entry of the old id goes, one with the new id comes."""
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    assert nodes.request(1, session.id) is not None, "both workers know the session"
    keeper = nodes.node.keeper
    for count in range(2, 6):
        keeper.reactor.call_soon(lambda: keeper.copies.end(session.id))  # the map has it, or has it again
        nodes.settle()
        for worker in (0, 1):
            there = nodes.request(worker, session.id)
            assert there is not None
            assert there.get_attribute("count") == count - 1
        nodes.request(count % 2, session.id, count=count)
    assert nodes.other(session.id) == {"count": 5}


def test_a_session_has_the_id_that_the_map_says(make_node: MakeNode) -> None:
    """A Java node sends no versions with the id that it gives a session."""
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    keeper = nodes.node.keeper
    there = keeper.manager.new_session(f"{session.id}.java1")
    there.record.put([("count", encode_value(2, "count"))], keeper.manager.next_version())
    there.adopt(keeper.manager.now_ms(), session.creation_time_ms, 0, False)
    keeper.reactor.call_soon(lambda: keeper.copies.take(there))
    nodes.settle()
    wait_until(lambda: session.id.endswith(".java1"), "the id at the worker")
    assert session.get_attribute("count") == 2


def test_an_answer_waits_for_all_that_its_messages_send_to_the_group(make_node: MakeNode) -> None:
    manager = MapNodes(make_node).node.keeper.manager
    manager.map_send_options = SEND_OPTIONS_SYNCHRONIZED_ACK | SEND_OPTIONS_USE_ACK
    ended, told = Delivery(1), Delivery(1)

    def work() -> Delivery:
        note(ended)  # as the end of a session does, which the map sends at once
        return told

    whole = manager.with_its_messages(work)
    told.succeeded()
    assert not whole.done
    ended.succeeded()
    assert whole.done
