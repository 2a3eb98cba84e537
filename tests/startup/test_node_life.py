from __future__ import annotations

import mmap
import os
import signal

import pytest

from catalina.errors import CatalinaError
from catalina.startup.node_life import MAX_RESTARTS, RESTART_SECONDS, NodeLife, PoolSeats, SharedCrew, Stage
from catalina.workers.connection_counts import SharedMemory
from catalina.workers.shared_parts import POOL_SEATS


def test_a_life_begins_with_the_start() -> None:
    assert NodeLife().stage() is Stage.STARTING


def test_the_parent_sees_the_stage_that_its_child_wrote() -> None:
    life = NodeLife()
    child = os.fork()
    if child == 0:
        life.note(Stage.SERVING, 3)
        os._exit(0)
    os.waitpid(child, 0)
    assert life.stage(3) is Stage.SERVING
    assert life.stage(0) is Stage.STARTING


def test_restarts_in_a_row_are_limited_over_all_lives() -> None:
    life = NodeLife()
    child = os.fork()
    if child == 0:
        os._exit(0 if life.grant_restart(1000.0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [life.grant_restart(1000.0 + number) for number in range(1, MAX_RESTARTS + 1)] == [True] * 4 + [False]
    assert life.stage() is Stage.STARTING
    assert life.grant_restart(1000.0 + RESTART_SECONDS)  # the first one is long ago
    assert not life.grant_restart(1000.0 + RESTART_SECONDS)


def test_the_end_and_the_first_service_are_seen_by_every_process() -> None:
    life = NodeLife()
    child = os.fork()
    if child == 0:
        life.end()
        life.served()
        os._exit(0)
    os.waitpid(child, 0)
    assert life.is_ending
    assert life.has_served


def test_keeper_and_arbiter_share_the_seats_of_pools_and_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    life = NodeLife()
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    seats = PoolSeats(life)
    life.workers = 3
    seats.give(31, 4711)
    seats.give(31, 4711)
    assert (life.seat(31), seats.owner(31), seats.owner(30), life.workers) == (4711, 4711, 0, 3)
    assert told == [(os.getppid(), signal.SIGUSR1)], "the arbiter is told of a change, once"
    assert life.stage(1023) is Stage.STARTING


def test_a_seat_has_failed_until_it_is_given_again_or_the_next_process_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    life = NodeLife()
    monkeypatch.setattr(os, "kill", lambda *_: None)
    seats = PoolSeats(life)
    life.note(Stage.FAILED, 1 + POOL_SEATS[3])
    assert (seats.has_failed(3), seats.has_failed(4)) == (True, False)
    seats.give(3, 4711)
    assert not seats.has_failed(3), "nothing of an earlier process counts"


def test_another_program_sees_the_page_by_its_descriptor() -> None:
    life = NodeLife()
    other = NodeLife(SharedMemory("", mmap.PAGESIZE, os.dup(life.memory.descriptor)))
    other.note(Stage.SERVING, 513)
    assert life.stage(513) is Stage.SERVING


def test_the_keeper_has_the_arbiter_add_and_remove_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    life, told = NodeLife(), list[int]()
    life.workers = 2
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append(number))
    crew = SharedCrew(life, capacity=3)
    assert (crew.count(), crew.change(1), crew.change(-1)) == (2, 3, 1)
    assert told == [signal.SIGTTIN, signal.SIGTTOU]
    life.workers = 3
    with pytest.raises(CatalinaError, match=r"to be \[4\] workers; this node can have 1 to \[3\]"):
        crew.change(1)
    life.workers = 1
    with pytest.raises(CatalinaError):
        crew.change(-1)
    assert len(told) == 2
