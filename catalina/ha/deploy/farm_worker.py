"""A thread for the farm's slow work, which it does in the order of its arrival."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

__all__ = ["FarmWorker"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: Tasks that may wait; more are refused, because members decide how many come.
MAX_WAITING = 10_000


class FarmWorker:
    """Runs functions in a thread of its own.

    Args:
        name: the thread's name.
        wait_for: nothing runs before it is true; :meth:`wake` makes the thread check again.
    """

    def __init__(self, name: str, wait_for: Callable[[], bool] = lambda: True) -> None:
        self._wait_for = wait_for
        self._waiting: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], object]) -> None:
        """Run ``work`` after the tasks that already wait. Any thread; never waits."""
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                log.error("[%s]: more than %s pieces of work wait; one is dropped", self._thread.name, MAX_WAITING)
                return
            self._waiting.append(work)
            self._changed.notify()

    def wake(self) -> None:
        """Check again if work may run."""
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        """Finish the running task, drop the waiting ones, and end the thread."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException:  # the thread must survive for all the work that follows
                log.exception("The farm's work %r failed", work)

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._stopping and not (self._waiting and self._wait_for()):
                self._changed.wait(1.0)
            return None if self._stopping else self._waiting.popleft()
