"""Limits how many requests run at the same time (Tomcat: valves/SemaphoreValve.java)."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from catalina.attributes import Attribute, AttributeRefused
from catalina.errors import CatalinaError
from catalina.node_state import NodeState, node_state
from catalina.valves.valve_base import ValveBase, position_of

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["NodeSemaphore", "Permits", "SemaphoreValve", "acquire"]

log = logging.getLogger("org.apache.catalina.valves.SemaphoreValve")

#: Seconds between two attempts of a waiting request in a worker to get a permit.
LOOK_SECONDS = 0.01


def _concurrency(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", text):
        raise AttributeRefused("a whole number; 0 or less lets nothing pass")
    return max(0, int(text))


def acquire(lock: threading.Semaphore | threading.Lock | NodeSemaphore, request: Request, block: bool) -> bool:
    """Take a permit. While the request waits for one, another thread takes over the connector's loop."""
    if lock.acquire(blocking=False):
        return True
    if not block:
        return False
    with request.connector.reactor.blocking():
        lock.acquire()
    return True


class Permits(NodeState):
    """Permits that the workers of a node hold."""

    shared = frozenset({"give", "take"})
    knows_caller: ClassVar[bool] = True

    def __init__(self) -> None:
        self._held: dict[int, int] = {}
        self._lock = threading.Lock()

    def take(self, most: int, caller: int = -1) -> bool:
        """Take a permit; False when ``most`` are held."""
        with self._lock:
            if sum(self._held.values()) >= most:
                return False
            self._held[caller] = self._held.get(caller, 0) + 1
            return True

    def give(self, caller: int = -1) -> None:
        """Return a permit. A permit that an earlier keeper has given is unknown here."""
        with self._lock:
            if self._held.get(caller, 0) > 0:
                self._held[caller] -= 1

    def worker_lost(self, worker: int) -> None:
        """A worker has ended: its permits are free again."""
        with self._lock:
            self._held.pop(worker, None)


class NodeSemaphore:
    """A semaphore of a node. A waiting request tries again and again, so requests get permits in no order."""

    def __init__(self, permits: Permits, concurrency: int) -> None:
        self._permits = permits
        self._concurrency = concurrency

    def acquire(self, blocking: bool = True) -> bool:
        """As :meth:`threading.Semaphore.acquire`. Raises CatalinaError: the keeper does not answer."""
        while not self._permits.take(self._concurrency):
            if not blocking:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def release(self) -> None:
        """Return the permit. If the keeper does not answer, it has died, and the next keeper does not know of the
        permit.
        """
        try:
            self._permits.give()
        except CatalinaError as error:
            log.debug("A permit could not be returned: %s", error)


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
        self._permits: threading.BoundedSemaphore | NodeSemaphore = threading.BoundedSemaphore(self.concurrency)

    def _start(self) -> None:
        shared = node_state(Permits, self.container, f"SemaphoreValve{position_of(self)}")
        if shared is None:
            self._permits = threading.BoundedSemaphore(self.concurrency)
        else:
            self._permits = NodeSemaphore(shared, self.concurrency)

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
