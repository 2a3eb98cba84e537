"""Sessions of a node with a keeper and workers, all in one process."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from catalina.errors import NotReplicableError, TooManyActiveSessionsError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.session.standard_session import StandardSession
from catalina.workers import worker_manager
from catalina.workers.session_copies import SessionCopies
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def _has(session: StandardSession, **values: object) -> bool:
    return all(session.get_attribute(name) == value for name, value in values.items())


def test_a_session_that_one_worker_has_made_another_one_serves(make_node: MakeNode) -> None:
    first, second = make_node().workers
    session = first.request(cart=["apple"])
    assert session is not None
    there = second.request(session.id)
    assert there is not None
    assert there.get_attribute("cart") == ["apple"]


def test_whoever_has_an_answer_finds_its_change_at_every_worker(make_node: MakeNode) -> None:
    first, second = make_node().workers
    session = first.request(count=0)
    assert session is not None
    for count in range(1, 100):
        worker, other = (first, second) if count % 2 else (second, first)
        worker.request(session.id, count=count)
        there = other.request(session.id)
        assert there is not None
        assert there.get_attribute("count") == count


def test_a_worker_that_dies_loses_no_answered_change(make_node: MakeNode) -> None:
    node = make_node()
    sessions = [node.workers[0].request(count=number) for number in range(50)]
    worker = node.replace_worker(0)
    for number, session in enumerate(sessions):
        assert session is not None
        there = worker.request(session.id)
        assert there is not None
        assert there.get_attribute("count") == number


def test_an_unknown_id_is_nobodys_session(make_node: MakeNode) -> None:
    worker = make_node().workers[0]
    assert worker.manager.find_session("A" * 32) is None
    assert worker.manager.find_session("A" * 100_000) is None
    assert worker.manager.find_session("") is None


def test_a_session_that_ends_at_one_worker_has_ended_at_all(make_node: MakeNode) -> None:
    node = make_node()
    first, second = node.workers
    session = first.request(user="ann")
    assert session is not None
    there = second.request(session.id)
    assert there is not None
    there.expire()
    wait_until(lambda: not session.alive, "the end at the other worker")
    assert first.manager.find_session(session.id) is None
    assert node.keeper.manager.find_session(session.id) is None


def test_an_id_that_a_login_has_replaced_leads_nowhere(make_node: MakeNode) -> None:
    first, second = make_node().workers
    session = first.request(user="ann")
    assert session is not None
    old_id = session.id
    new_id = first.manager.change_session_id(session)
    there = second.request(new_id)
    assert there is not None
    assert second.manager.find_session(old_id) is None


def test_two_workers_that_change_one_session_at_once_keep_both_changes(make_node: MakeNode) -> None:
    first, second = make_node().workers
    session = first.request(color="red")
    assert session is not None
    there = second.manager.find_session(session.id)
    assert there is not None
    session.set_attribute("size", 1)
    there.set_attribute("weight", 2)
    for worker, own in ((first, session), (second, there)):
        delivery = worker.manager.request_completed(own, None)
        assert delivery is not None
        assert delivery.wait(15)
    for own in (session, there):
        wait_until(partial(_has, own, size=1, weight=2), "both changes")


def test_a_worker_drops_what_nobody_uses_and_gets_it_again(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    monkeypatch.setattr(SessionCopies, "outlive_keeper", True)
    node = make_node()
    worker = node.workers[0]
    session = worker.request(count=1)
    assert session is not None
    worker.manager.background_process()
    assert not worker.manager.sessions
    keeper = node.keeper
    wait_until(lambda: session.id in keeper.manager.sessions and not len(keeper.copies), "the keeper knows")
    kept = keeper.manager.find_session(session.id)
    assert isinstance(kept, DeltaSession)
    assert kept.is_primary, "the keeper ends it when it is idle"
    there = worker.request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 1
    assert not kept.is_primary


def test_a_change_elsewhere_brings_no_dropped_session_back(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    first, second = make_node().workers
    session = first.request(count=1)
    assert session is not None
    second.request(session.id)
    first.manager.background_process()
    second.request(session.id, count=2)
    assert not first.manager.sessions
    there = first.request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 2


def test_the_next_keeper_has_all_sessions_before_it_answers(make_node: MakeNode) -> None:
    node = make_node()
    first, second = node.workers
    sessions = [first.request(count=number) for number in range(200)]
    node.kill_keeper()
    keeper = node.start_keeper()
    for number, session in enumerate(sessions):
        assert session is not None
        there = second.request(session.id)
        assert there is not None
        assert there.get_attribute("count") == number
    assert len(keeper.manager.sessions) == 200


def test_what_is_changed_while_there_is_no_keeper_is_not_lost(make_node: MakeNode) -> None:
    node = make_node()
    first, second = node.workers
    session = first.request(count=1)
    assert session is not None
    node.kill_keeper()
    wait_until(lambda: not first.channel.is_up, "the worker notices")
    first.request(session.id, count=2)
    made = first.request(count=7)
    assert made is not None
    node.start_keeper()
    for session_id, count in ((session.id, 2), (made.id, 7)):
        there = second.request(session_id)
        assert there is not None
        assert there.get_attribute("count") == count


def test_an_end_that_the_keeper_did_not_hear_holds_at_the_next_one(make_node: MakeNode) -> None:
    node = make_node()
    first, second = node.workers
    session = first.request(user="ann")
    assert session is not None
    second.request(session.id)
    node.kill_keeper()
    wait_until(lambda: not first.channel.is_up, "the worker notices")
    session.expire()
    keeper = node.start_keeper()
    wait_until(lambda: second.manager.find_session(session.id) is None, "the end at the other worker")
    assert keeper.manager.find_session(session.id) is None


def test_with_synchronous_options_an_answer_waits_for_the_keepers_acknowledgement(make_node: MakeNode) -> None:
    node = make_node(send_options=6)
    worker = node.workers[0]
    session = worker.request(count=1)
    assert session is not None
    kept = node.keeper.manager.find_session(session.id)
    assert kept is not None
    assert kept.get_attribute("count") == 1


def test_a_worker_that_stops_leaves_its_sessions_to_the_keeper(make_node: MakeNode) -> None:
    node = make_node()
    worker = node.workers[0]
    session = worker.request(count=1)
    assert session is not None
    worker.manager.stop()
    assert session.alive, "no listener of the application hears of an end"
    wait_until(lambda: node.keeper.manager.find_session(session.id), "the session at the keeper")


def test_a_value_that_cannot_travel_stays_with_its_worker(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    node = make_node(distributable=False)
    worker = node.workers[0]
    connection = threading.Lock()
    session = worker.request(count=1, connection=connection)
    assert session is not None
    worker.request(session.id, count=2, connection=connection)
    worker.manager.background_process()
    there = worker.manager.sessions[session.id]
    assert there.get_attribute("connection") is connection
    assert [record.levelname for record in caplog.records if "stays in its worker" in record.message] == ["WARNING"]
    node.keeper.read_all()
    kept = node.keeper.manager.find_session(session.id)
    assert kept is not None
    assert kept.attribute_names() == ["count"]


def test_the_keeper_forgets_what_a_local_value_has_replaced(make_node: MakeNode) -> None:
    node = make_node(distributable=False)
    first, second = node.workers
    session = first.request(thing="text")
    assert session is not None
    first.request(session.id, thing=threading.Lock())
    there = second.request(session.id)
    assert there is not None
    assert there.get_attribute("thing") is None
    first.request(session.id, thing="text again")
    there = second.request(session.id)
    assert there is not None
    assert there.get_attribute("thing") == "text again"


def test_a_distributable_application_is_refused_what_cannot_travel(make_node: MakeNode) -> None:
    with pytest.raises(NotReplicableError):
        make_node().workers[0].request(thing=threading.Lock())


def test_the_limit_of_sessions_is_the_nodes(make_node: MakeNode) -> None:
    node = make_node(declared=lambda: DeltaManager(max_active_sessions=3))
    first, second = node.workers
    sessions = [worker.request(count=1) for worker in (first, second, first)]
    with pytest.raises(TooManyActiveSessionsError):
        second.request(count=1)
    assert node.keeper.manager.rejected_sessions == 1
    assert node.keeper.manager.active_sessions == 3
    assert sessions[0] is not None
    sessions[0].expire()
    assert second.request(count=1) is not None
    node.keeper.read_all()
    assert node.keeper.manager.session_counter == 4


def test_a_session_that_nobody_uses_outlives_a_keeper_without_a_group(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    node = make_node()
    first, second = node.workers
    session = first.request(count=1)
    assert session is not None
    second.request(session.id)
    for worker in (first, second, first):
        worker.manager.background_process()
        node.keeper.read_all()
    assert sum(len(worker.manager.sessions) for worker in node.workers) == 1, "the last copy stays"
    node.kill_keeper()
    node.start_keeper()
    there = first.request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 1


def test_a_reload_takes_the_sessions_up_as_they_are_then(make_node: Callable[..., SmallNode]) -> None:
    node = make_node()
    first, second = node.workers
    session = first.request(count=1)
    assert session is not None
    first.pause_application()
    second.request(session.id, count=2)
    first.resume_application()
    again = first.manager.sessions[session.id]
    assert again.get_attribute("count") == 2
    assert first.channel.left == {}


def test_a_keeper_that_dies_during_a_reload_costs_no_session(make_node: MakeNode) -> None:
    node = make_node()
    worker, _ = node.workers
    session = worker.request(count=1)
    assert session is not None
    worker.pause_application()
    node.kill_keeper()
    node.start_keeper()
    worker.resume_application()
    assert worker.manager.sessions[session.id].get_attribute("count") == 1


def test_sessions_of_an_application_that_does_not_come_back_are_the_keepers_alone(make_node: MakeNode) -> None:
    node = make_node()
    worker, _ = node.workers
    session = worker.request(count=1)
    assert session is not None
    worker.pause_application()
    (key,) = worker.channel.left
    worker.channel.leave_alone(key)
    node.keeper.read_all()
    assert worker.channel.left == {}
    assert len(node.keeper.copies) == 0
    assert session.id in node.keeper.manager.sessions
