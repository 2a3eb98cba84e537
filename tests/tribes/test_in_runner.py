"""Work handed to the event loop."""

from __future__ import annotations

import threading

import pytest

from catalina.reactor import Reactor
from catalina.tribes.in_runner import run_in_runner


@pytest.fixture
def reactor():
    reactor = Reactor("test-in-runner")
    reactor.start()
    yield reactor
    reactor.stop()


def test_the_work_runs_in_the_loops_thread(reactor):
    seen = []
    run_in_runner(reactor, lambda: seen.append((reactor.in_runner, threading.get_ident())))
    assert seen[0][0] is True
    assert seen[0][1] != threading.get_ident()


def test_in_the_runner_it_runs_at_once(reactor):
    order = []

    def outer() -> None:
        run_in_runner(reactor, lambda: order.append("inner"))
        order.append("outer")

    run_in_runner(reactor, outer)
    assert order == ["inner", "outer"]


def test_an_exception_comes_back(reactor):
    def fail() -> None:
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        run_in_runner(reactor, fail)


def test_a_loop_that_does_not_run_is_named():
    idle = Reactor("test-idle")
    with pytest.raises(TimeoutError, match="test-idle"):
        run_in_runner(idle, lambda: None, 0.01)
    idle.stop()
