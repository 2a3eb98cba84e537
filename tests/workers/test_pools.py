"""The keeper's seats for the workers of pools, and its wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.errors import DeploymentError
from catalina.workers import pools as module
from catalina.workers.application_entry import ApplicationEntry
from catalina.workers.pools import Pools, warn_of_walls
from catalina.workers.shared_parts import POOL_SEATS
from tests.support.waiting import wait_until
from tests.workers.fake_seats import FakeSeats

ENTRY = ApplicationEntry("Catalina/localhost", "/shop", "1:2", 1, True, False, None)
FIRST = POOL_SEATS.start


class Keeper:
    """A keeper, as far as it knows its workers."""

    def __init__(self) -> None:
        self.seats = FakeSeats()
        self.table = threading.Condition()
        self.present: set[int] = set()
        self.outcomes: dict[int, str] = {}
        self.is_ending = False
        self.pools = Pools(
            self.seats, self.table, lambda: self.present, lambda index, _: self.outcomes.get(index),
            lambda: self.is_ending,
        )  # fmt: skip

    def say(self, index: int, why: str) -> None:
        with self.table:
            self.outcomes[index] = why
            self.table.notify_all()


class Start:
    """A start in a thread of its own."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.error: Exception | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except DeploymentError as error:
            self.error = error

    def end(self) -> str:
        self._thread.join(15)
        assert not self._thread.is_alive()
        return "" if self.error is None else str(self.error)


def test_seats_are_taken_and_free_again() -> None:
    keeper = Keeper()
    assert keeper.pools.take("a", 2) == (FIRST, FIRST + 1)
    assert keeper.pools.take("b", 1) == (FIRST + 2,)
    keeper.pools.free((FIRST,))
    assert keeper.seats.owners[0] == 0
    keeper.present = {FIRST}
    assert keeper.pools.take("c", 1) == (FIRST + 3,), "the process in the first seat has not ended yet"


def test_a_worker_that_is_lost_counts_as_a_restart_and_one_that_is_not_wanted_any_more_does_not() -> None:
    keeper = Keeper()
    first, second = keeper.pools.take(ENTRY.key, 2)
    keeper.pools.lost(first)
    keeper.pools.free((second,))
    keeper.pools.lost(second)
    assert keeper.pools.restarts(ENTRY.key) == 1
    keeper.pools.forget(ENTRY)
    assert keeper.pools.restarts(ENTRY.key) == 0


def test_there_are_only_so_many_seats() -> None:
    with pytest.raises(DeploymentError, match="its pool wants 33 workers, 32 of 32 seats"):
        Keeper().pools.take("a", 33)


def test_the_next_keeper_gives_an_application_the_seats_that_it_has() -> None:
    keeper = Keeper()
    keeper.pools.take("gone", 1)
    taken = keeper.pools.take("a", 2)
    assert keeper.pools.take_again("a", 2) == taken
    assert keeper.pools.take_again("a", 3) == (*taken, FIRST + 3)
    keeper.pools.free_others((*taken, FIRST + 3))
    assert keeper.seats.owners[0] == 0


def started(keeper: Keeper, count: int = 1) -> tuple[Start, tuple[int, ...]]:
    seats = keeper.pools.take(ENTRY.key, count)
    entry = ApplicationEntry("Catalina/localhost", "/shop", "1:2", 1, True, False, None, seats)
    start = Start(lambda: keeper.pools.start(entry, seats))
    wait_until(lambda: keeper.pools.starting is not None, "it waits for the workers")
    return start, seats


def test_a_start_ends_when_all_new_workers_run_the_application() -> None:
    keeper = Keeper()
    start, seats = started(keeper, 2)
    for index in seats:
        keeper.say(index, "")
    assert start.end() == ""
    assert keeper.pools.starting is None
    assert all(keeper.seats.owners[:2])


def test_a_start_that_fails_frees_the_seats_and_says_why() -> None:
    keeper = Keeper()
    start, seats = started(keeper, 2)
    keeper.say(seats[1], "No module named 'flask'")
    assert start.end() == "No module named 'flask'"
    assert not any(keeper.seats.owners)


def test_a_worker_that_dies_meanwhile_fails_the_start() -> None:
    keeper = Keeper()
    start, seats = started(keeper)
    keeper.pools.lost(seats[0])
    assert start.end() == "/shop: a worker of its pool has ended while it started the application; the log says why"


def test_a_worker_that_does_not_come_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WORD_SECONDS", 0.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    keeper = Keeper()
    seats = keeper.pools.take(ENTRY.key, 1)
    with pytest.raises(DeploymentError, match="/shop: no worker of its pool has come within 0 s"):
        keeper.pools.start(ENTRY, seats)


def test_the_start_says_where_cross_context_ends(caplog: pytest.LogCaptureFixture) -> None:
    host = StandardHost(name="localhost")
    own, shared, other = (StandardContext(path=path, cross_context=True) for path in ("/own", "/shared", "/other"))
    other.cross_context = False
    for each in (own, shared, other):
        host.add_child(each)
    warn_of_walls(shared, [])
    warn_of_walls(other, [own])
    assert caplog.messages == []
    warn_of_walls(shared, [own])
    assert caplog.messages == ["[/shared] crossContext does not reach [/own]: processes of their own run them"]
    caplog.clear()
    warn_of_walls(own, [own])
    assert [each.partition(":")[0] for each in caplog.messages] == [
        '[/own] crossContext="true" reaches no other application',
        "[/own] runs in processes of its own, where crossContext of [/shared] does not reach it",
    ]


def test_a_process_that_ends_before_it_has_reached_the_keeper_ends_the_wait() -> None:
    keeper = Keeper()
    seats = keeper.pools.take(ENTRY.key, 1)
    start = Start(lambda: keeper.pools.start(ENTRY, seats))
    keeper.seats.failed.add(0)
    with keeper.table:
        keeper.table.notify_all()
    assert start.end() == ("/shop: a worker of its pool has ended while it started the application; the log says why")
    assert keeper.seats.owners[0] == 0


def test_a_seat_that_has_just_become_free_is_the_last_to_be_given() -> None:
    keeper = Keeper()
    (first,) = keeper.pools.take("a", 1)
    keeper.pools.free((first,))
    assert keeper.pools.take("a", 1) == (first + 1,), "the process in the first one may still end"
    assert len(set(keeper.pools.take("b", 31))) == 31
