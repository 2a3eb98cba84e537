"""How many requests are inside an application, and waiting for them at its stop."""

from __future__ import annotations

import threading

__all__ = ["InProgress"]


class InProgress:
    """Shared by all threads that run requests, each of which does this around it::

        progress.inside[request] = None
        try: ...
        finally:
            del progress.inside[request]
            if progress.waited_for:
                progress.left()

    That is one step on a dictionary in and one out; a lock, or a context manager, would cost every request more.
    """

    def __init__(self) -> None:
        self.inside: dict[object, None] = {}
        self.waited_for = False
        self._left = threading.Condition()

    @property
    def count(self) -> int:
        """How many are inside."""
        return len(self.inside)

    def left(self) -> None:
        """Somebody has gone while somebody waits."""
        with self._left:
            self._left.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nobody is inside; False when somebody still is after ``seconds``."""
        with self._left:
            self.waited_for = True  # first: who goes from here on says so
            try:
                return self._left.wait_for(lambda: not self.inside, seconds)
            finally:
                self.waited_for = False
