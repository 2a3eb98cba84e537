"""The clocks, the random source and the threads that a session manager uses.

A manager is given one object of these classes, in a server :data:`PROCESS`. The simulation gives each node its own: its
time passes when the simulated world says so, its random bytes come from a seed, and a node that waits lets the others
run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from catalina.reactor import Waitable
from catalina.session.steady_clock import STEADY_CLOCK, SteadyClock

__all__ = ["PROCESS", "Spawned", "Surroundings"]


class Spawned(Protocol):
    """A thread, or a replacement of one."""

    def join(self, timeout: float | None = None) -> None: ...


class Surroundings:
    """The surroundings of a process.

    Args:
        monotonic: seconds that pass evenly, from any origin.
        wall: seconds since the epoch.
        steady: seconds since the epoch that no step of the wall clock moves.
        random_bytes: returns that many bytes that nobody can guess.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        steady: SteadyClock = STEADY_CLOCK,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.monotonic = monotonic
        self.wall = wall
        self.steady = steady
        self.random_bytes = random_bytes

    def event(self) -> Waitable:
        """A flag that a thread can wait for."""
        return threading.Event()

    def spawn(self, work: Callable[[], None], name: str) -> Spawned:
        """Run ``work`` in a thread of its own, which does not keep the process alive."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def is_running(self, spawned: Spawned) -> bool:
        """True when the caller runs in that thread."""
        return spawned is threading.current_thread()


#: The surroundings of this process.
PROCESS = Surroundings()
