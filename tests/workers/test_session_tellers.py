"""Each end of a session is told once in a node."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from catalina.session.session_event import ListenerTable
from catalina.workers.session_tellers import MAX_REMEMBERED, SessionTellers
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


class Listener:
    """Notes what it hears, and what the session has."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def session_created(self, event: Any) -> None:
        self.heard.append(("created", None))

    def session_destroyed(self, event: Any) -> None:
        self.heard.append(("destroyed", event.session.get("cart")))


def listened(make_node: MakeNode, **values: Any) -> tuple[SmallNode, list[tuple[str, object]]]:
    """A node whose workers have one listener between them; the keeper has none, because it runs no application."""
    listener = Listener()
    node = make_node(listeners=[listener], **values)
    node.keeper.manager.listeners = ListenerTable()
    return node, listener.heard


def test_a_session_is_made_once_however_many_workers_have_it(make_node: MakeNode) -> None:
    node, heard = listened(make_node)
    session = node.workers[0].request(cart="apple")
    assert session is not None
    assert node.workers[1].request(session.id) is not None
    assert heard == [("created", None)]


def test_a_session_that_the_keeper_ends_is_told_in_one_of_the_workers_that_have_it(make_node: MakeNode) -> None:
    node, heard = listened(make_node)
    session = node.workers[0].request(cart="apple")
    assert session is not None
    node.workers[1].request(session.id)
    node.keeper.read_all()
    node.keeper.manager.find_session(session.id).expire()
    wait_until(lambda: not any(session.id in each.manager.sessions for each in node.workers), "the end everywhere")
    assert heard == [("created", None), ("destroyed", "apple")]


def test_a_session_that_no_worker_has_is_told_in_one_with_all_its_values(make_node: MakeNode) -> None:
    node, heard = listened(make_node)
    session = node.workers[0].request(cart="apple")
    assert session is not None
    node.keeper.read_all()
    node.replace_worker(0)
    wait_until(lambda: len(node.keeper.copies) == 0, "no worker has it")
    node.keeper.manager.find_session(session.id).expire()
    wait_until(lambda: len(heard) > 1, "the end")
    assert heard == [("created", None), ("destroyed", "apple")]


def test_an_end_waits_for_a_worker_that_can_tell_it(make_node: MakeNode) -> None:
    node, heard = listened(make_node, workers=1)
    session = node.workers[0].request(cart="apple")
    assert session is not None
    node.keeper.read_all()
    node.workers[0].end()
    wait_until(lambda: len(node.keeper.copies) == 0, "no worker has it")
    node.keeper.manager.find_session(session.id).expire()
    node.keeper.read_all()
    node.replace_worker(0)
    wait_until(lambda: len(heard) > 1, "the end")
    assert heard[1:] == [("destroyed", "apple")]


def test_workers_that_end_a_session_at_one_moment_tell_it_once(make_node: MakeNode) -> None:
    node, heard = listened(make_node)
    ids = [session.id for session in (node.workers[0].request(cart=number) for number in range(20)) if session]
    for session_id in ids:
        assert node.workers[1].request(session_id) is not None
    both = threading.Barrier(2)

    def end(worker: Any) -> None:
        sessions = [worker.manager.sessions.get(session_id) for session_id in ids]
        for session in sessions:
            both.wait(15)
            session.expire()

    threads = [threading.Thread(target=end, args=(worker,)) for worker in node.workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(cart for what, cart in heard if what == "destroyed") == list(range(20))  # type: ignore[type-var]


def test_an_end_that_was_refused_is_told_by_whoever_ends_the_session_then() -> None:
    tellers = SessionTellers()
    assert [tellers.may_tell("A", 1), tellers.may_tell("A", 2)] == [True, False]
    tellers.goes_on("A")
    assert tellers.may_tell("A", 2)


def test_a_worker_that_has_gone_tells_nothing() -> None:
    tellers = SessionTellers()
    assert tellers.may_tell("A", 1)
    tellers.lost(1, ["A"])
    assert tellers.may_tell("A", 2)


@pytest.mark.parametrize("count", [MAX_REMEMBERED, 2 * MAX_REMEMBERED])
def test_a_bounded_number_of_ends_is_remembered(count: int) -> None:
    tellers = SessionTellers()
    for number in range(count):
        tellers.may_tell(str(number), 1)
    assert sum(tellers.is_told(str(number)) for number in range(count)) == MAX_REMEMBERED
