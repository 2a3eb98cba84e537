"""How many connections each worker has."""

import os

from catalina.workers.connection_counts import ConnectionCounts


def test_whoever_has_the_fewest_connections_takes_the_next_one() -> None:
    counts = ConnectionCounts(3)
    counts.note(0, 5)
    counts.note(1, 4)
    assert not counts.has_fewest(0)
    assert counts.has_fewest(1)
    counts.note(1, 5)
    assert counts.has_fewest(0)


def test_a_worker_that_does_not_accept_is_left_out() -> None:
    counts = ConnectionCounts(2)
    counts.note(0, 7)
    assert counts.has_fewest(0), "the other one has not started yet"
    counts.note(1, 1)
    assert not counts.has_fewest(0)
    counts.leave(1)
    assert counts.has_fewest(0)


def test_all_processes_see_the_counts() -> None:
    counts = ConnectionCounts(2)
    counts.note(0, 3)
    child = os.fork()
    if child == 0:
        counts.note(1, 2)
        os._exit(0)
    os.waitpid(child, 0)
    assert not counts.has_fewest(0)


def test_a_worker_that_ends_gives_its_connections_to_the_one_that_has_the_fewest() -> None:
    counts = ConnectionCounts(4)
    for worker, count in enumerate((1, 7, 3)):
        counts.note(worker, count)
    assert counts.fewest_beside(0) == 2
    counts.leave(1)
    counts.leave(2)
    assert counts.fewest_beside(0) is None


def test_of_two_workers_that_want_to_end_at_one_moment_one_does() -> None:
    counts = ConnectionCounts(2)
    for worker in (0, 1):
        counts.note(worker, 3)
    assert [counts.may_leave(worker) for worker in (0, 1)] == [False, False]
    assert [counts.may_leave(worker) for worker in (0, 1)] == [True, False]
    counts.leave(0)
    assert not counts.may_leave(1), "it is the only one that accepts"
    counts.ended(0)
    counts.note(0, 0)
    assert [counts.may_leave(1), counts.may_leave(1)] == [False, True]


def test_a_worker_that_stays_after_all_lets_others_end() -> None:
    counts = ConnectionCounts(2)
    for worker in (0, 1):
        counts.note(worker, 3)
    counts.may_leave(0)
    counts.stays(0)
    assert [counts.may_leave(1), counts.may_leave(1)] == [False, True]


def test_a_worker_alone_does_not_end() -> None:
    counts = ConnectionCounts(2)
    counts.note(0, 3)
    assert [counts.may_leave(0), counts.may_leave(0)] == [False, False]


def test_a_key_stays_with_its_worker_when_another_one_goes_and_comes_back() -> None:
    counts = ConnectionCounts(8)
    assert counts.worker_of("a") is None
    for worker in range(3):
        counts.note(worker, 0)
    keys = [str(number) for number in range(300)]
    before = {key: counts.worker_of(key) for key in keys}
    assert {60 < list(before.values()).count(worker) < 140 for worker in range(3)} == {True}
    counts.leave(1)
    without = {key: counts.worker_of(key) for key in keys}
    assert 1 not in without.values()
    assert {counts.worker_of(key, among=(0, 1)) for key in keys} == {0}, "the others do not run the application"
    assert {counts.worker_of(key, among=(512, 513)) for key in keys} == {512, 513}, "a pool's workers accept nothing"
    assert all(without[key] == worker for key, worker in before.items() if worker != 1)
    counts.note(1, 5)
    assert {key: counts.worker_of(key) for key in keys} == before


def test_workers_that_accept_are_known_by_their_numbers() -> None:
    counts = ConnectionCounts(2)
    counts.note(1, 0)
    assert [counts.accepts(worker) for worker in range(3)] == [False, True, False]


def test_another_program_sees_the_counts_by_their_descriptor() -> None:
    counts = ConnectionCounts(2)
    counts.note(1, 7)
    other = ConnectionCounts(2, os.dup(counts.memory.descriptor))
    assert other.fewest_beside(0) == 1
    other.leave(1)
    assert counts.fewest_beside(0) is None
