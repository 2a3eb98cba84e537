"""Limits how many requests run at the same time (Tomcat: valves/SemaphoreValve.java)."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["SemaphoreValve", "acquire"]


def _concurrency(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", text):
        raise AttributeRefused("a whole number; 0 or less lets nothing pass")
    return max(0, int(text))


def acquire(lock: threading.Semaphore | threading.Lock, request: Request, block: bool) -> bool:
    """Take a permit. While the request waits for one, another thread takes over the connector's loop."""
    if lock.acquire(blocking=False):
        return True
    if not block:
        return False
    with request.connector.reactor.blocking():
        lock.acquire()
    return True


class SemaphoreValve(ValveBase):
    """A request needs a permit to pass, and returns it at its end."""

    concurrency = Attribute(
        _concurrency, 10, doc="Permits: requests that run at the same time. With 0 or less no request passes."
    )
    block = Attribute(bool, True, doc="Wait for a permit; false refuses at once.")
    fairness = Attribute(bool, False, inert="the request that waits longest is always served first here")
    interruptible = Attribute(bool, False, inert="a waiting thread cannot be interrupted in Python")
    high_concurrency_status = Attribute(
        int, -1, doc="Status of a refused request; -1 leaves the empty answer 200, as Tomcat does."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._permits = threading.BoundedSemaphore(self.concurrency)

    def _start(self) -> None:
        self._permits = threading.BoundedSemaphore(self.concurrency)

    def control_concurrency(self, request: Request) -> bool:
        """True when the request needs a permit; for subclasses."""
        return True

    def invoke(self, request: Request, response: Response) -> None:
        """Take a permit, pass the request on, return the permit."""
        if not self.control_concurrency(request):
            self.next.invoke(request, response)
            return
        permits = self._permits
        # A request that waits for an impossible permit would hold a thread for ever.
        if not acquire(permits, request, self.block and self.concurrency > 0):
            if self.high_concurrency_status > 0:
                response.send_error(self.high_concurrency_status)
            return
        try:
            self.next.invoke(request, response)
        finally:
            permits.release()
