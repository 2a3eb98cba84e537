"""The surroundings that a manager lives with in a server."""

from __future__ import annotations

import threading

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.surroundings import PROCESS, Surroundings
from catalina.session.steady_clock import SteadyClock


def test_work_runs_in_a_thread_that_can_be_joined_and_knows_itself() -> None:
    seen: list[bool] = []
    ready = PROCESS.event()
    spawned: list[object] = []

    def work() -> None:
        ready.wait(10)
        seen.append(PROCESS.is_running(spawned[0]))  # type: ignore[arg-type]

    thread = PROCESS.spawn(work, "work")
    spawned.append(thread)
    ready.set()
    thread.join(10)
    assert seen == [True]
    assert not PROCESS.is_running(thread)
    assert isinstance(thread, threading.Thread)
    assert thread.daemon


def test_a_manager_made_from_a_template_lives_with_the_same_clocks() -> None:
    times = iter(range(1000, 2000))
    monotonic = lambda: float(next(times))  # noqa: E731
    surroundings = Surroundings(monotonic, monotonic, SteadyClock(monotonic, monotonic), lambda count: b"\1" * count)
    manager = DeltaManager(surroundings=surroundings).clone_from_template()
    assert manager.surroundings is surroundings
    assert manager.now_ms() > 1_000_000
    other = DeltaManager(surroundings=surroundings)
    assert manager.ledger.clock.tag == other.ledger.clock.tag  # the random bytes are those that were handed in
