"""Questions of a worker that a request waits for."""

from collections.abc import Callable

import pytest

from catalina.workers import keeper_queries
from catalina.workers.frames import CallError
from catalina.workers.keeper_queries import KeeperGoneError
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def test_a_worker_calls_the_keeper(make_node: MakeNode) -> None:
    node = make_node()
    node.keeper.links.services.add("who", lambda caller, argument: [caller, argument], is_quick=True)
    assert node.workers[1].queries.call("who", "x") == [1, "x"]


def test_a_slow_service_is_waited_for(make_node: MakeNode) -> None:
    node = make_node()
    node.keeper.links.services.add("who", lambda caller, argument: caller)
    assert node.workers[1].queries.call("who", None) == 1


def test_what_the_keeper_cannot_do_is_an_error(make_node: MakeNode) -> None:
    with pytest.raises(CallError, match=r"no service \[fly\]"):
        make_node().workers[0].queries.call("fly", None)


def test_without_a_keeper_nothing_is_said_about_a_session(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_queries, "ANSWER_SECONDS", 0.3)
    node = make_node()
    session = node.workers[0].request(count=1)
    assert session is not None
    node.kill_keeper()
    with pytest.raises(KeeperGoneError):
        node.workers[1].manager.find_session(session.id)
