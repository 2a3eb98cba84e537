"""The keeper's knowledge of who has a copy."""

from collections.abc import Callable

from catalina.ha.session.delta_session import DeltaSession
from tests.support.narrowing import of_type
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


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
