"""A clock for sessions: seconds since the epoch that no step of the wall clock moves.

A session's idleness is a matter of how long, not of what time it is. The clock is the wall clock as it was when
the process began, and goes on with the monotonic one. Where the wall clock differs it is followed slowly, by at most
one part in a hundred, so that the times that applications and other nodes see become right again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["STEADY_CLOCK", "SteadyClock", "milliseconds_of"]

#: Seconds of difference that are made good in a second.
SLEW = 0.01


class SteadyClock:
    """Ask it for the :meth:`time`. Any thread.

    Args:
        wall, monotonic: the clocks that it follows.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._looked = monotonic()
        self._offset = wall() - self._looked
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._monotonic() + self._offset

    def milliseconds(self) -> int:
        """Whole milliseconds since the epoch."""
        return int((self._monotonic() + self._offset) * 1000)

    def follow(self) -> None:
        """Come nearer to the wall clock; call it now and then, the time since the last call counts."""
        with self._lock:
            now = self._monotonic()
            most = (now - self._looked) * SLEW
            self._looked = now
            self._offset += min(most, max(-most, self._wall() - now - self._offset))


def milliseconds_of(clock: Callable[[], float]) -> Callable[[], int]:
    """Whole milliseconds of a clock of seconds. Each request asks several times, so the usual one does it in a call."""
    owner = getattr(clock, "__self__", None)
    return owner.milliseconds if isinstance(owner, SteadyClock) else lambda: int(clock() * 1000)


#: The process's own.
STEADY_CLOCK = SteadyClock()
