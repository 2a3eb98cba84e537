"""How many requests are inside an application, and waiting for them at its stop."""

from __future__ import annotations

import threading

__all__ = ["InProgress"]


class InProgress:
    """A counter as context manager, shared by all threads that run requests."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._waiting = False

    def __enter__(self) -> None:
        with self._lock:  # the lock itself: a condition's own entry costs a Python call more, twice per request
            self.count += 1

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self.count -= 1
            if self._waiting and self.count == 0:
                self._idle.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nobody is inside; False when somebody still is after ``seconds``."""
        with self._idle:
            self._waiting = True
            try:
                return self._idle.wait_for(lambda: self.count == 0, seconds)
            finally:
                self._waiting = False
