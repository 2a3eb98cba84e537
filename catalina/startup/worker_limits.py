"""When a worker is replaced by a fresh process: the properties ``catalina.worker.maxMemory`` and ``maxRequests``.

Applications whose memory only grows are the reason, as for gunicorn's and uWSGI's options of these names. The worker
ends in order, as for HUP: another one goes on with its connections, and the keeper has its sessions.

A pool's worker also ends when one of its requests takes longer than ``requestTimeout``. Nothing can end a thread of
Python. So the request gets its answer, 503, the log gets the stack of its thread, and the worker is replaced. Code of C
that holds the interpreter lock would keep this watch from looking: a thread of the interpreter's own
(:mod:`faulthandler`), which needs no lock, then writes all stacks and ends the process.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import AttributeRefused, byte_size
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.response import Response
from catalina.errors import ConfigurationError

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.core.standard_context import StandardContext

__all__ = ["MAX_MEMORY", "MAX_REQUESTS", "RequestTimeout", "WorkerLimits", "resident_bytes"]

log = logging.getLogger("org.apache.catalina.startup.WorkerLimits")

MAX_MEMORY = "catalina.worker.maxMemory"
MAX_REQUESTS = "catalina.worker.maxRequests"

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: The hard end comes so many seconds after the time at which this watch would have acted.
GRACE_SECONDS = 2.0
#: Workers began together: each is granted so much more than the one before it, so that they do not end together.
SPREAD = 0.1


def resident_bytes(process: int | None = None) -> int:
    """The memory that a process has in use, without an id this one (proc(5), statm).

    Raises:
        OSError: it has ended.
    """
    return int(Path(f"/proc/{'self' if process is None else process}/statm").read_text().split()[1]) * _PAGE


class WorkerLimits:
    """Says when a worker has had enough.

    Args:
        properties: the node's.
        index: of the worker, from 0.
        memory: how many bytes this process uses.

    Raises:
        ConfigurationError: a property is no limit.
    """

    def __init__(self, properties: Mapping[str, str], index: int, memory: Callable[[], int] = resident_bytes) -> None:
        self.max_memory = _bytes(properties)
        self.max_requests = int(_count(properties) * (1 + SPREAD * index))
        self._memory = memory

    def override(self, max_memory: int, max_requests: int) -> None:
        """A pool's own limits; 0 leaves the node's."""
        self.max_memory = max_memory or self.max_memory
        self.max_requests = max_requests or self.max_requests

    @property
    def is_set(self) -> bool:
        """True when there is any limit."""
        return bool(self.max_memory or self.max_requests)

    def exceeded(self, requests: int) -> str:
        """Why the worker is to be replaced, for the log; empty while it is not.

        Args:
            requests: that it has served.
        """
        if self.max_requests and requests >= self.max_requests:
            return f"it has served {requests} requests, {MAX_REQUESTS} grants it {self.max_requests}"
        if self.max_memory and (used := self._memory()) > self.max_memory:
            return f"it uses {used} bytes of memory, the limit {MAX_MEMORY} is {self.max_memory}"
        return ""


def _bytes(properties: Mapping[str, str]) -> int:
    text = properties.get(MAX_MEMORY, "").strip()
    try:
        return byte_size(text) if text else 0
    except AttributeRefused as refused:
        raise ConfigurationError(f"the property {MAX_MEMORY}={text}: expected {refused.expected}") from refused


def _count(properties: Mapping[str, str]) -> int:
    text = properties.get(MAX_REQUESTS, "").strip()
    if text and not (text.isdecimal() and len(text) <= 15):
        raise ConfigurationError(f"the property {MAX_REQUESTS}={text}: expected a whole number")
    return int(text or 0)


class RequestTimeout:
    """The watch over the requests of one application.

    Args:
        context: the application.
        leave: called once, with the reason: this worker has to be replaced.
    """

    def __init__(self, context: StandardContext, leave: Callable[[str], None]) -> None:
        self._context = context
        self._leave = leave
        self._has_left = False

    def look(self) -> None:
        """Look for requests that take too long. Every second or so, in a thread of its own."""
        seconds = self._context.request_timeout / 1000
        running: dict[Any, int] = dict(self._context.in_progress.inside)  # requests, as the connectors make them
        if not self._has_left:  # anew each time, and also without a request: the next one may hold the lock at once
            faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=sys.stdout)
        now = time.monotonic_ns()
        for request, thread in running.items():
            if now - request.start_time_ns > seconds * 1e9 and not request.response.finished:
                self._end(request, thread, seconds)

    def _end(self, request: Request, thread: int, seconds: float) -> None:
        name = self._context.name or "/"
        frame = sys._current_frames().get(thread)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else "(its thread has gone)\n"
        log.error("[%s] The request [%s %s] takes longer than requestTimeout, %g s; it gets 503, and its worker is "
                  "replaced. Its thread is here:\n%s", name, request.method, request.request_uri, seconds, stack,
                  extra={"keeps_lines": True})  # fmt: skip
        _give_up(request)
        if not self._has_left:
            self._has_left = True
            faulthandler.cancel_dump_traceback_later()
            self._leave(f"a request for [{name}] takes longer than {seconds:g} s")


def _give_up(request: Request) -> None:
    """Answer in the place of the thread that does not come back, unless it has begun to."""
    stuck = request.response
    begun = stuck.committed
    stuck.suspended = stuck.finished = True
    if begun:
        return
    answer = Response(request, stuck.outlet)
    answer.status = 503
    answer.set_header("Content-Type", "text/plain;charset=utf-8")
    answer.set_header("Connection", "close")
    answer.write(b"The request takes too long\n")
    try:
        answer.finish()
    except ClientAbortException as gone:
        log.debug("%s", gone)
