from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from catalina.connector.request_executor import (
    FIRST_PENALTY,
    LAST_PENALTY,
    MAX_SLOW_PATHS,
    RequestExecutor,
    slow_key,
)
from catalina.reactor import Reactor
from tests.support.waiting import take_time

PATIENCE = 5.0


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor("executing")
    reactor.start()
    yield reactor
    reactor.stop()


def test_no_more_jobs_run_at_once_than_threads_are_allowed(reactor):
    executor = RequestExecutor(reactor, max_threads=3)
    running: list[int] = []
    most = 0
    lock = threading.Lock()
    done = threading.Semaphore(0)

    def job() -> None:
        nonlocal most
        with lock:
            running.append(1)
            most = max(most, len(running))
        take_time(0.005)
        with lock:
            running.pop()
        done.release()

    for _ in range(12):
        assert executor.submit(job)
    for _ in range(12):
        assert done.acquire(timeout=PATIENCE)
    assert most == 3


def test_a_full_queue_refuses(reactor):
    executor = RequestExecutor(reactor, max_threads=1, max_queue_size=1)
    release = threading.Event()
    done = threading.Semaphore(0)

    def job() -> None:
        release.wait(PATIENCE)
        done.release()

    assert executor.submit(job)
    assert executor.submit(job)
    assert executor.waiting == 1
    assert not executor.submit(job)
    release.set()
    assert done.acquire(timeout=PATIENCE)
    assert done.acquire(timeout=PATIENCE)


def test_a_thread_that_was_kept_by_a_slow_request_takes_over_what_waits(reactor):
    executor = RequestExecutor(reactor, max_threads=1)
    executor.became_busy()
    ran: list[int] = []
    executor.submit(lambda: ran.append(threading.get_ident()))
    assert ran == []
    executor.run_waiting()
    assert ran == [threading.get_ident()]
    assert executor.busy == 0


def test_a_slow_path_leaves_the_loop_and_is_tried_there_again(reactor):
    executor = RequestExecutor(reactor)
    assert executor.runs_inline("/app/report/1")
    executor.was_slow("/app/report/1")
    assert executor.runs_inline("/app/other")
    for number in range(FIRST_PENALTY):
        assert not executor.runs_inline(f"/app/report/{number}")
    assert executor.runs_inline("/app/report/x")
    executor.was_quick("/app/report/x")
    assert all(executor.runs_inline("/app/report/1") for _ in range(100))


def test_a_path_that_stays_slow_is_tried_more_and_more_rarely(reactor):
    executor = RequestExecutor(reactor)
    waits = []
    for _ in range(9):
        executor.was_slow("/slow")
        waits.append(next(number for number in range(10_000) if executor.runs_inline("/slow")))
    assert waits == [16, 32, 64, 128, 256, 512, 1024, 1024, 1024]
    assert waits[0] == FIRST_PENALTY
    assert waits[-1] == LAST_PENALTY


def test_nothing_runs_in_the_loop_while_all_threads_are_busy(reactor):
    executor = RequestExecutor(reactor, max_threads=1)
    executor.became_busy()
    assert not executor.runs_inline("/")


@pytest.mark.parametrize(
    ("path", "key"), [("/", "/"), ("/a", "/a"), ("/a/b", "/a/b"), ("/a/b/c/d", "/a/b"), ("/a/", "/a/"), ("*", "*")]
)
def test_two_segments_stand_for_a_path(path, key):
    assert slow_key(path) == key


def test_the_table_of_slow_paths_is_bounded(reactor):
    executor = RequestExecutor(reactor)
    for number in range(2 * MAX_SLOW_PATHS):
        executor.was_slow(f"/{number}")
    assert len(executor._slow) <= MAX_SLOW_PATHS


def test_when_all_threads_are_busy_only_requests_whose_body_is_here_run_inline(reactor):
    executor = RequestExecutor(reactor, max_threads=2)
    for _ in range(2):
        executor.became_busy()
    assert executor.runs_inline("/a", body_is_here=True)
    assert not executor.runs_inline("/a", body_is_here=False)
    for _ in range(2):
        executor.became_busy()
    assert not executor.runs_inline("/a", body_is_here=True)  # as many again, and no more


def test_slow_readers_may_hold_all_threads_but_not_more(reactor):
    executor = RequestExecutor(reactor, max_threads=1)
    with executor.waiting_for_client() as first:
        executor.became_busy()
        executor.became_busy()
        with executor.waiting_for_client() as second:
            assert (first, second) == (True, False)
    assert executor.stalled == 0


def test_a_slow_path_gets_a_thread_although_slow_readers_hold_all(reactor):
    executor = RequestExecutor(reactor, max_threads=1)
    waited, came_later = threading.Event(), threading.Event()
    executor.became_busy()
    assert executor.submit(waited.set)  # no thread is free, and nobody is known to read slowly
    assert not waited.is_set()
    with executor.waiting_for_client():
        assert waited.wait(5)
        assert executor.submit(came_later.set)
        assert came_later.wait(5)


def test_a_job_that_raises_costs_no_thread(reactor, caplog):
    executor = RequestExecutor(reactor, max_threads=1)
    done = threading.Event()

    def fail() -> None:
        raise SystemExit("raised in a job")

    assert executor.submit(fail)
    assert executor.submit(done.set)
    assert done.wait(PATIENCE)
    assert "raised in a job" in caplog.text


def test_threads_are_called_as_the_executor_says(reactor):
    names: list[str] = []
    done = threading.Semaphore(0)

    def job() -> None:
        names.append(threading.current_thread().name)
        done.release()

    for prefix in ("shop-exec-", "admin-"):
        assert RequestExecutor(reactor, name_prefix=prefix).submit(job)
        assert done.acquire(timeout=PATIENCE)
    assert [name.rstrip("0123456789") for name in names] == ["shop-exec-", "admin-"]
    assert reactor.thread_prefix == "shop-exec-"
