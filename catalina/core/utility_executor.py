"""The server's few threads for scheduled background work (Tomcat: StandardServer).

All periodic work of the container runs here: background ticks, periodic events, deployment of changed files. There are
two threads by default, so a slow task (an application that takes a minute to start) delays others but stops none.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from catalina.attributes import Component
from catalina.operations import Long, readable

__all__ = ["ScheduledTask", "UtilityExecutor"]

log = logging.getLogger("org.apache.catalina.core.StandardServer")

T = TypeVar("T")


class ScheduledTask:
    """A scheduled task.

    Args:
        work: the function to call; its exception is logged, and does not end a repeated task.
        repeat: seconds from the end of one run to the start of the next; None runs it once.
    """

    def __init__(self, work: Callable[[], object], repeat: float | None) -> None:
        self.work = work
        self.repeat = repeat
        self.cancelled = False
        self._running = threading.Lock()

    def cancel(self, wait: bool = True) -> None:
        """Prevent further runs. ``wait``: return only when a current run has ended (unless this is that run)."""
        self.cancelled = True
        if wait and self._runner != threading.get_ident():
            with self._running:
                return

    _runner: int | None = None

    def run(self) -> None:
        """Run once, if not cancelled."""
        with self._running:
            if self.cancelled:
                return
            self._runner = threading.get_ident()
            try:
                self.work()
            except BaseException:  # foreign work; the thread must survive for all other tasks
                log.exception("Unexpected failure of the background task %r", self.work)
            finally:
                self._runner = None


class UtilityExecutor(Component):
    """A pool of ``threads`` threads, named ``<name>-1`` and so on, that run tasks at their time.

    The first task starts the threads, and :meth:`shutdown` joins them.
    """

    bean_class = "java.util.concurrent.ScheduledThreadPoolExecutor"
    bean_hidden = ("size", "name")

    def __init__(self, threads: int = 2, name: str = "Catalina-utility") -> None:
        super().__init__()
        self.size = threads
        self.name = name
        self._threads: list[threading.Thread] = []
        self._timetable: list[tuple[float, int, ScheduledTask]] = []
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._begun = 0
        self._active = 0

    @property
    def core_pool_size(self) -> int:
        """Threads that are kept."""
        return self.size

    @property
    def pool_size(self) -> int:
        """Threads that there are."""
        return len(self._threads)

    @property
    def active_count(self) -> int:
        """Tasks that run now."""
        return self._active

    @property
    def completed_task_count(self) -> Long:
        """Runs of tasks that have ended."""
        return self._begun - self._active

    @property
    def task_count(self) -> Long:
        """Runs of tasks that have begun, and those that will."""
        return self._begun + len(self._timetable)

    @property
    @readable("shutdown")
    def is_closed(self) -> bool:
        """True when no task is taken any more."""
        return self._closed

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run ``work`` as soon as a thread is free. Raises RuntimeError after shutdown."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as exc:  # noqa: BLE001 - the future hands it to whoever asked
                future.set_exception(exc)

        self._add(ScheduledTask(run, None), 0.0)
        return future

    def schedule(self, work: Callable[[], object], delay: float, repeat: float | None = None) -> ScheduledTask:
        """Run ``work`` after ``delay`` seconds, then ``repeat`` seconds after the end of each run."""
        task = ScheduledTask(work, repeat)
        self._add(task, delay)
        return task

    def shutdown(self) -> None:
        """Drop tasks that have not begun, wait for those that have, and end the threads."""
        with self._changed:
            self._closed = True
            self._timetable.clear()
            self._changed.notify_all()
        me = threading.current_thread()
        for thread in self._threads:
            if thread is not me:
                thread.join()

    def _add(self, task: ScheduledTask, delay: float) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError(f"{self.name}: no new task, the server has stopped its utility threads")
            heapq.heappush(self._timetable, (time.monotonic() + delay, next(self._sequence), task))
            if len(self._threads) < self.size:
                number = len(self._threads) + 1
                thread = threading.Thread(target=self._run, name=f"{self.name}-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def _run(self) -> None:
        for task in self._due_tasks():
            task.run()
            with self._changed:
                self._active -= 1
            if task.repeat is not None and not task.cancelled:
                with contextlib.suppress(RuntimeError):  # the executor was shut down meanwhile
                    self._add(task, task.repeat)

    def _due_tasks(self) -> Iterator[ScheduledTask]:
        while True:
            with self._changed:
                while not self._closed and (wait := self._seconds_to_next()) != 0.0:
                    self._changed.wait(wait)
                if self._closed:
                    return
                task = heapq.heappop(self._timetable)[2]
                self._begun += 1
                self._active += 1
            yield task

    def _seconds_to_next(self) -> float | None:
        """0.0 when the first task is due, None when there is none."""
        while self._timetable and self._timetable[0][2].cancelled:
            heapq.heappop(self._timetable)
        if not self._timetable:
            return None
        return max(0.0, self._timetable[0][0] - time.monotonic())

    def __enter__(self) -> UtilityExecutor:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.shutdown()
