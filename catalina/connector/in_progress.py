"""Counts the requests inside an application, and waits for them at its stop."""

from __future__ import annotations

import threading
from typing import Protocol

__all__ = ["InProgress"]


class Entering(Protocol):
    """The part of a request that its entrance needs, and that an operator is shown while it is inside."""

    progress: InProgress | None
    start_time_ns: int
    method: str
    request_uri: str

    @property
    def remote_addr(self) -> str: ...


class InProgress:
    """All threads that run requests share this object. Each does before a request asks if the application runs::

        request.progress = progress
        progress.inside[request] = get_ident()

    and when all valves have returned, so that a change of the request's session has been taken note of::

        del progress.inside[request]
        if progress.waited_for:
            progress.left()

    That is one dictionary access when a request enters and one when it leaves; a lock or a context manager would cost
    every request more. As a request enters before it asks, a stop that has changed the answer waits for all those that
    have got the earlier one.
    """

    def __init__(self) -> None:
        #: The requests inside, with the threads that run them.
        self.inside: dict[Entering, int] = {}
        self.waited_for = False
        self._left = threading.Condition()

    @property
    def count(self) -> int:
        """The number of requests inside."""
        return len(self.inside)

    def leave(self, request: Entering) -> None:
        """A request that has entered leaves, in the same way."""
        request.progress = None
        del self.inside[request]
        if self.waited_for:
            self.left()

    def left(self) -> None:
        """A request has left while a stop waits."""
        with self._left:
            self._left.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no request is inside; returns False when one still is after ``seconds``."""
        with self._left:
            self.waited_for = True  # set first, so that every request that leaves from now on calls left()
            try:
                return self._left.wait_for(lambda: not self.inside, seconds)
            finally:
                self.waited_for = False
