"""Reports requests that do not end (Tomcat: valves/StuckThreadDetectionValve.java)."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import RequestInterrupted
from catalina.operations import readable
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["StuckThreadDetectionValve"]

log = logging.getLogger("org.apache.catalina.valves.StuckThreadDetectionValve")


class _State(Enum):
    RUNNING = 0
    STUCK = 1
    DONE = 2


@dataclass(slots=True)
class _Monitored:
    """One request and the thread that runs it."""

    thread: threading.Thread
    url: str
    started: float
    wall: datetime
    state: _State = _State.RUNNING
    interrupted: bool = False
    #: Held while the state changes, because a thread must not be interrupted once it serves another request.
    lock: threading.Lock = field(default_factory=threading.Lock)


class StuckThreadDetectionValve(ValveBase):
    """Warns, with the stack, about requests that run longer than the threshold. The background tick checks them."""

    threshold = Attribute(int, 600, unit="seconds", doc="When a request counts as stuck; 0 or less watches none.")
    interrupt_thread_threshold = Attribute(
        int,
        -1,
        unit="seconds",
        doc="From when on the exception RequestInterrupted is raised in a stuck request's thread. It takes effect when "
        "the thread runs Python code: a call that waits in C (a socket, a lock) returns first. -1 never.",
    )

    #: Monotonic seconds; tests replace it.
    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._active: dict[int, _Monitored] = {}
        self._completed: deque[tuple[_Monitored, float]] = deque()
        #: The numbers of requests that are stuck now, and that were interrupted so far.
        self.stuck_thread_count = 0
        self.interrupted_threads_count = 0

    def invoke(self, request: Request, response: Response) -> None:
        """Note the request while it runs."""
        if self.threshold <= 0:
            self.next.invoke(request, response)
            return
        thread = threading.current_thread()
        query = "" if request.query_string is None else f"?{request.query_string}"
        monitored = _Monitored(thread, request.request_url + query, self.clock(), datetime.now().astimezone())
        key = id(monitored)
        self._active[key] = monitored
        try:
            self.next.invoke(request, response)
        finally:
            del self._active[key]
            with monitored.lock:
                was_stuck = monitored.state is _State.STUCK
                monitored.state = _State.DONE
            if was_stuck:
                self._completed.append((monitored, self.clock()))

    def background_process(self) -> None:
        """Find requests that have become stuck, and stuck requests that have ended."""
        now = self.clock()
        for monitored in tuple(self._active.values()):
            self._look_at(monitored, now - monitored.started)
        while self._completed:
            monitored, ended = self._completed.popleft()
            self.stuck_thread_count -= 1
            self._say_completed(monitored, ended - monitored.started)

    def _look_at(self, monitored: _Monitored, seconds: float) -> None:
        with monitored.lock:
            newly_stuck = monitored.state is _State.RUNNING and seconds >= self.threshold
            if newly_stuck:
                monitored.state = _State.STUCK
        if newly_stuck:
            self.stuck_thread_count += 1
            self._say_stuck(monitored, seconds)
        if 0 < self.interrupt_thread_threshold <= seconds:
            self._interrupt(monitored, seconds)

    def _interrupt(self, monitored: _Monitored, seconds: float) -> None:
        with monitored.lock:
            if monitored.state is not _State.STUCK or monitored.interrupted:
                return
            monitored.interrupted = True
            self.interrupted_threads_count += 1
            log.warning(
                "Thread [%s] (id=[%s]) has been interrupted because it was active for [%d] milliseconds (since [%s]) to"
                " serve the same request for [%s] and was probably stuck (configured interruption threshold for this"
                " StuckThreadDetectionValve is [%s] seconds).\n%s",
                monitored.thread.name, monitored.thread.ident, seconds * 1000, monitored.wall, monitored.url,
                self.interrupt_thread_threshold, _stack_of(monitored.thread), extra={"keeps_lines": True},
            )  # fmt: skip
            ident = ctypes.c_ulong(monitored.thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(RequestInterrupted))

    def _say_stuck(self, monitored: _Monitored, seconds: float) -> None:
        log.warning(
            "Thread [%s] (id=[%s]) has been active for [%d] milliseconds (since [%s]) to serve the same request for"
            " [%s] and may be stuck (configured threshold for this StuckThreadDetectionValve is [%s] seconds). There"
            " is/are [%s] thread(s) in total that are monitored by this Valve and may be stuck.\n%s",
            monitored.thread.name, monitored.thread.ident, seconds * 1000, monitored.wall, monitored.url,
            self.threshold, self.stuck_thread_count, _stack_of(monitored.thread), extra={"keeps_lines": True},
        )  # fmt: skip

    def _say_completed(self, monitored: _Monitored, seconds: float) -> None:
        rest = (
            f" There is/are still [{self.stuck_thread_count}] thread(s) that are monitored by this Valve and may be"
            " stuck."
            if self.stuck_thread_count > 0
            else ""
        )
        log.warning(
            "Thread [%s] (id=[%s]) was previously reported to be stuck but has completed. It was active for"
            " approximately [%d] milliseconds.%s",
            monitored.thread.name, monitored.thread.ident, seconds * 1000, rest,
        )  # fmt: skip

    @property
    def stuck_thread_names(self) -> tuple[str, ...]:
        """The names of the threads that are stuck now."""
        return tuple(one.thread.name for one in tuple(self._active.values()) if one.state is _State.STUCK)

    @property
    @readable(type="[J")
    def stuck_thread_ids(self) -> tuple[int, ...]:
        """The identifiers of the threads that are stuck now."""
        return tuple(one.thread.ident or 0 for one in tuple(self._active.values()) if one.state is _State.STUCK)


def _stack_of(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""
