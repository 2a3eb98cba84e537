"""The keeper's table of sessions that workers have copies of."""

from collections.abc import Callable
from typing import Any

import pytest

from catalina.errors import ProtocolError, TooManyActiveSessionsError
from catalina.tribes.ledger.wire import encode_ends, encode_question
from catalina.workers.map_copies import HeldSessions, MapCopies, MapMember
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.workers.map_node import MapNodes
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def test_a_session_that_nobody_here_uses_is_not_in_the_table(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    nodes.group.create(0, count=1)
    assert nodes.node.keeper.manager.known_sessions == 1
    assert not len(nodes.node.keeper.copies)


def test_a_session_leaves_the_table_with_its_last_holder(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    table = nodes.node.keeper.manager.table
    assert len(table.ledger) == 1
    nodes.node.replace_worker(0)
    wait_until(lambda: not len(table.ledger), "the table is empty")
    assert nodes.node.keeper.manager.sessions[session.id].alive


def test_a_session_is_outdated_until_this_node_owns_it_again(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    copies = nodes.node.keeper.copies
    nodes.other(session.id, count=2)
    assert copies.is_outdated(session.id)
    nodes.request(0, session.id)
    assert not copies.is_outdated(session.id)


def test_an_outdated_copy_is_dropped_at_the_next_tick(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node)
    session = nodes.request(0, count=1)
    assert session is not None
    nodes.other(session.id, count=2)
    worker = nodes.node.workers[0]
    worker.request()  # comes behind what the keeper has told
    worker.manager.background_process()
    assert session.id not in worker.manager.sessions


def test_only_a_question_is_answered() -> None:
    unused: Any = None
    a_map = stand_in(MapMember, claim=None)
    copies = MapCopies(HeldSessions(), b"key", unused, a_map)
    copies.claim = lambda session_id, then: then()
    with pytest.raises(ProtocolError, match="expected a question, got Ends"):
        copies.when_here(encode_ends([]), lambda: None)


class NoWorkers:
    """The links of a keeper to which no worker has come."""

    members = ()


def test_what_is_in_the_table_is_answered_at_once() -> None:
    claimed: list[str] = []

    class Map:
        def claim(self, session_id: str, then: Callable[[], None]) -> None:
            claimed.append(session_id)

    workers: Any = NoWorkers()
    unchecked: Any = Map()
    table = HeldSessions()
    session = table.new_session("A" * 32)
    MapCopies(table, b"key", workers, unchecked).when_here(encode_question(session.id), lambda: None)
    MapCopies(table, b"key", workers, unchecked).when_here(encode_question("B" * 32), lambda: None)
    assert claimed == ["B" * 32]


def test_the_limit_of_sessions_counts_those_that_the_node_owns(make_node: MakeNode) -> None:
    nodes = MapNodes(make_node, max_active_sessions=1)
    nodes.group.create(0, count=1)
    session = nodes.request(0, count=1)
    assert session is not None
    with pytest.raises(TooManyActiveSessionsError):
        nodes.request(1, count=1)
    assert nodes.node.keeper.manager.rejected_sessions == 1
