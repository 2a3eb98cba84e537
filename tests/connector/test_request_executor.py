from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from catalina.connector.request_executor import MAX_SLOW_PATHS, SLOW_SCORE, RequestExecutor, slow_key
from catalina.reactor import Reactor

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
        time.sleep(0.005)
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


def test_a_slow_path_leaves_the_loop_until_it_has_been_quick_for_a_while(reactor):
    executor = RequestExecutor(reactor)
    assert executor.runs_inline("/app/report/1")
    executor.was_slow("/app/report/1")
    assert not executor.runs_inline("/app/report/2")
    assert executor.runs_inline("/app/other")
    for _ in range(SLOW_SCORE):
        assert not executor.runs_inline("/app/report/3")
        executor.was_quick("/app/report/3")
    assert executor.runs_inline("/app/report/1")


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
