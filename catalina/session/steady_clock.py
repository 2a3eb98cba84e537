"""A clock for sessions: seconds since the epoch that no step of the wall clock moves.

The idleness of a session depends on durations, not on the time of day. This clock starts with the wall clock when the
process begins, and continues with the monotonic clock. It follows later differences of the wall clock slowly, by at
most one part in a hundred, so that the times that applications and other nodes see become right again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["STEADY_CLOCK", "SteadyClock", "milliseconds_of"]

#: Seconds of difference that are corrected in one second.
SLEW = 0.01


class SteadyClock:
    """Gives the :meth:`time`. Any thread.

    Args:
        wall, monotonic: the clocks that it is made from.
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
        """Approach the wall clock; call this now and then. The step depends on the time since the last call."""
        with self._lock:
            now = self._monotonic()
            most = (now - self._looked) * SLEW
            self._looked = now
            self._offset += min(most, max(-most, self._wall() - now - self._offset))


def milliseconds_of(clock: Callable[[], float]) -> Callable[[], int]:
    """A clock of whole milliseconds from a clock of seconds. Requests read it several times, so the usual clock needs
    one call.
    """
    owner = getattr(clock, "__self__", None)
    return owner.milliseconds if isinstance(owner, SteadyClock) else lambda: int(clock() * 1000)


#: The clock of this process.
STEADY_CLOCK = SteadyClock()
