"""A thread for the farm's slow work, which it does in the order of its arrival."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from catalina.ha.surroundings import PROCESS, Surroundings

__all__ = ["FarmWorker"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Tasks that may wait; more are refused, because members decide how many come.
MAX_WAITING = 10_000


class FarmWorker:
    """Runs functions in a thread of its own.

    Args:
        name: the thread's name.
        wait_for: nothing runs before it is true; :meth:`wake` makes the thread check again.
        surroundings: has the thread.
    """

    def __init__(
        self, name: str, wait_for: Callable[[], bool] = lambda: True, surroundings: Surroundings = PROCESS
    ) -> None:
        self._name = name
        self._wait_for = wait_for
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], object]] = deque()
        self._changed = surroundings.event()
        self._stopping = False
        self._thread = surroundings.spawn(self._run, name)

    @property
    def waiting(self) -> int:
        """The number of tasks that have not begun."""
        return len(self._waiting)

    def submit(self, work: Callable[[], object]) -> None:
        """Run ``work`` after the tasks that already wait. Any thread; never waits."""
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                log.error("[%s]: more than %s pieces of work wait; one is dropped", self._name, MAX_WAITING)
                return
            self._waiting.append(work)
        self._changed.set()

    def wake(self) -> None:
        """Check again if work may run."""
        self._changed.set()

    def stop(self) -> None:
        """Finish the running task, drop the waiting ones, and end the thread."""
        with self._lock:
            self._stopping = True
            self._waiting.clear()
        self._changed.set()
        if not self._surroundings.is_running(self._thread):
            self._thread.join()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException:  # the thread must survive for all the work that follows
                log.exception("The farm's work %r failed", work)

    def _next(self) -> Callable[[], object] | None:
        while True:
            self._changed.clear()
            with self._lock:
                if self._stopping:
                    return None
                if self._waiting and self._wait_for():
                    return self._waiting.popleft()
            self._changed.wait(1.0)
