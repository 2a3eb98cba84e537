"""The keeper's knowledge of who has a copy."""

from collections.abc import Callable

from catalina.ha.session.delta_session import DeltaSession
from catalina.tribes.member import Member
from tests.support.narrowing import of_type
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]

OTHER_NODE = Member(bytes((10, 0, 0, 2)), 4000)


def test_whoever_makes_a_session_has_a_copy(make_node: MakeNode) -> None:
    node = make_node()
    node.workers[0].request(count=1)
    wait_until(lambda: len(node.keeper.copies) == 1, "a holder")


def test_when_the_last_holder_goes_the_keeper_ends_the_session_when_it_is_idle(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    kept = of_type(DeltaSession, wait_until(lambda: node.keeper.manager.sessions.get(session.id), "the keeper's copy"))
    assert not kept.is_primary
    node.replace_worker(0)
    wait_until(lambda: kept.is_primary, "the keeper is responsible")
    assert len(node.keeper.copies) == 0


def test_a_node_serves_the_sessions_of_its_workers_until_another_node_does(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    manager, copies = node.keeper.manager, node.keeper.copies
    node.keeper.read_all()
    kept = of_type(DeltaSession, manager.sessions[session.id])
    assert manager.session_roles() == (1, 0, 0)
    copies.changed(kept.record, OTHER_NODE, is_use=False)
    assert manager.serves(kept)
    copies.changed(kept.record, OTHER_NODE)
    assert manager.session_roles() == (0, 1, 0)
    node.workers[0].request(session.id, count=2)
    node.keeper.read_all()
    assert manager.session_roles() == (1, 0, 0), "it is back"
    copies.changed(kept.record, OTHER_NODE)
    node.replace_worker(0)
    wait_until(lambda: len(copies) == 0, "nobody has a copy")
    assert manager.session_roles() == (0, 1, 0), "the other node ends it when it is idle"


def _let_its_time_be_up(session: DeltaSession) -> None:
    session.max_inactive_interval = 1
    session.last_accessed_time_ms = session.this_accessed_time_ms = session.manager.now_ms() - 10_000


def test_the_keeper_ends_no_idle_session_that_a_worker_serves(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    node.keeper.read_all()
    kept = of_type(DeltaSession, node.keeper.manager.sessions[session.id])
    _let_its_time_be_up(kept)
    assert kept.is_valid, "the worker ends it, and the group hears of that"
    node.replace_worker(0)
    wait_until(lambda: kept.is_primary, "the keeper is responsible")
    assert not kept.is_valid


def test_a_worker_ends_an_idle_session_whose_last_worker_has_gone(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    node.workers[1].request(session.id)
    node.workers[0].request(session.id, count=2)
    copy = of_type(DeltaSession, node.workers[1].manager.sessions[session.id])
    wait_until(lambda: copy.get_attribute("count") == 2, "the other worker's change")
    node.replace_worker(0)
    assert not copy.is_primary
    _let_its_time_be_up(copy)
    assert not copy.is_valid
    wait_until(lambda: session.id not in node.keeper.manager.sessions, "the end at the keeper")


def test_workers_learn_that_they_share_a_session(make_node: MakeNode) -> None:
    first, second = make_node().workers
    session = first.request(count=1)
    assert session is not None
    assert not first.manager.cluster.shared
    second.request(session.id)
    assert second.manager.cluster.shared == {session.id}
    wait_until(lambda: first.manager.cluster.shared == {session.id}, "the first holder hears of the second")


def test_a_session_that_ended_has_no_holders(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    wait_until(lambda: len(node.keeper.copies) == 1, "a holder")
    session.expire()
    wait_until(lambda: len(node.keeper.copies) == 0, "nobody")
