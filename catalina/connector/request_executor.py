"""Limits how many requests run at the same time, and decides which run outside the loop's thread."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from catalina.reactor import Reactor

__all__ = ["RequestExecutor"]

log = logging.getLogger("org.apache.catalina.connector.RequestExecutor")

#: Runs in other threads after which a slow path is tried in the loop's thread again. If it is slow again, the number
#: doubles, up to the second: a path that was slow by accident returns soon, a really slow one is tried rarely.
FIRST_PENALTY, LAST_PENALTY = 16, 1024
#: Slow paths remembered; clients choose paths.
MAX_SLOW_PATHS = 1024


class Exchange(Protocol):
    """A running request, as its connection or stream sees it."""

    waits_for_client: bool


class _SlowPath:
    """The number of further requests of a path that go to other threads, now and at the beginning."""

    __slots__ = ("penalty", "remaining")

    def __init__(self, penalty: int) -> None:
        self.penalty = self.remaining = penalty


class RequestExecutor:
    """The limit ``maxThreads`` of one connector or of a shared ``<Executor>``.

    A request runs in the loop's thread unless its path was slow lately, and keeps that thread when it turns out slow
    (see :mod:`catalina.reactor`). Either way it then counts as busy. When the limit is reached, further requests wait
    here, without a thread.
    """

    def __init__(
        self,
        reactor: Reactor,
        max_threads: int = 200,
        max_queue_size: int = 2_147_483_647,
        name_prefix: str | None = None,
    ) -> None:
        self.reactor = reactor
        self.name_prefix = name_prefix
        if name_prefix is not None and reactor.thread_prefix == f"{reactor.name}-exec-":
            reactor.thread_prefix = name_prefix
        self.max_threads = max(1, max_threads)
        self.max_queue_size = max_queue_size
        #: Requests that run outside the loop's thread. Read without the lock, written with it.
        self.busy = 0
        #: Requests whose thread waits for a client that reads slowly.
        self.stalled = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._slow: dict[str, _SlowPath] = {}
        #: True as long as no path is slow and threads are free, so that a request needs no checks.
        self.all_quick = True

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return len(self._waiting)

    def runs_inline(self, path: str, body_is_here: bool = False) -> bool:
        """True when a request may run in the loop's thread.

        When all threads are busy it still may, if it need not wait for its client's body: a quick request needs no
        thread, so clients that hold all threads do not keep it out. A request that then turns out slow takes a further
        thread, at most as many again as maxThreads.
        """
        if self._slow:
            slow = self._slow.get(slow_key(path))
            if slow is not None and slow.remaining > 0:
                slow.remaining -= 1
                return False
        return self.busy < (2 * self.max_threads if body_is_here else self.max_threads)

    @contextlib.contextmanager
    def waiting_for_client(self) -> Iterator[bool]:
        """Surrounds a wait for a client that reads slowly; gives False when there are too many such waits: drop this
        one.
        """
        with self._lock:
            self.stalled += 1
            allowed = self.busy <= self.max_threads or self.stalled <= self.max_threads
            job = self._waiting.popleft() if allowed and self._waiting and self._has_thread() else None
            if job is not None:
                self._count_busy(1)
        if job is not None:
            self.reactor.submit(lambda: self._run_jobs(job))
        try:
            yield allowed
        finally:
            with self._lock:
                self.stalled -= 1

    def _has_thread(self) -> bool:
        """True when another request may have a thread. Requests that wait for slow readers do not count, up to as many
        again as maxThreads. Under the lock.
        """
        return self.busy - self.stalled < self.max_threads and self.busy < 2 * self.max_threads

    def submit(self, job: Callable[[], None]) -> bool:
        """Run a job in another thread, now or when one is free; returns False when too many already wait.

        The job must not raise.
        """
        with self._lock:
            if not self._has_thread():
                if len(self._waiting) >= self.max_queue_size:
                    return False
                self._waiting.append(job)
                return True
            self._count_busy(1)
        self.reactor.submit(lambda: self._run_jobs(job))
        return True

    @contextlib.contextmanager
    def client_wait(self, exchange: Exchange) -> Iterator[None]:
        """Surrounds a wait for the client's body or its reading: the loop continues, and the path does not count as
        slow.
        """
        exchange.waits_for_client = True
        try:
            with self.reactor.blocking():
                yield
        finally:
            exchange.waits_for_client = False

    def handed_over(self, exchange: Exchange, path: str) -> None:
        """A request that ran in the loop's thread keeps that thread; the loop continues in another.

        Later requests of its path go straight to another thread, unless the client was slow: otherwise clients that
        hold all threads would choose whose requests wait.
        """
        self.became_busy()
        if not exchange.waits_for_client:
            self.was_slow(path)

    def became_busy(self) -> None:
        """Another request has a thread of its own."""
        with self._lock:
            self._count_busy(1)

    def _count_busy(self, more: int) -> None:
        self.busy += more
        self.all_quick = not self._slow and self.busy < self.max_threads

    def run_waiting(self) -> None:
        """The request of :meth:`became_busy` has ended: its thread takes over waiting jobs."""
        job = self._next_job()
        if job is not None:
            self._run_jobs(job)

    def was_slow(self, path: str) -> None:
        """Let later requests of this path go straight to another thread."""
        key = slow_key(path)
        known = self._slow.get(key)
        if known is None and len(self._slow) >= MAX_SLOW_PATHS:
            self._slow.clear()
        self.all_quick = False
        self._slow[key] = _SlowPath(FIRST_PENALTY if known is None else min(2 * known.penalty, LAST_PENALTY))

    def was_quick(self, path: str) -> None:
        """A request of this path was quick in the loop's thread."""
        if self._slow:
            self._slow.pop(slow_key(path), None)
            if not self._slow:
                with self._lock:
                    self._count_busy(0)

    def _run_jobs(self, job: Callable[[], None] | None) -> None:
        thread = threading.current_thread()
        prefix = self.name_prefix
        if prefix is not None and not thread.name.startswith(prefix):
            thread.name = prefix + thread.name.rpartition("-")[2]
        while job is not None:
            try:
                job()
            except BaseException:  # whatever it does, this thread continues, or no longer counts as busy
                log.exception("A request failed in its thread")
            job = self._next_job()

    def _next_job(self) -> Callable[[], None] | None:
        """The next job for this thread; without one the thread no longer counts as busy."""
        with self._lock:
            if self._waiting and self.busy - self.stalled <= self.max_threads:
                return self._waiting.popleft()
            self._count_busy(-1)
            return None


def slow_key(path: str) -> str:
    """The key of a path: its first two segments, because the rest often is an id."""
    second = path.find("/", path.find("/", 1) + 1) if path.find("/", 1) > 0 else -1
    return path if second < 0 else path[:second]
