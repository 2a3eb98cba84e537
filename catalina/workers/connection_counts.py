"""How many connections each worker has, on a page of memory that all of them share.

All workers are woken by a new connection. One that has more connections than another leaves it to that one, for a
moment: connections stay for many requests, so whoever has them has the work.
"""

from __future__ import annotations

import mmap
import struct

__all__ = ["ConnectionCounts"]

_COUNT = struct.Struct("I")
#: Of a place in which no worker accepts.
ABSENT = 0xFFFFFFFF


class ConnectionCounts:
    """Make it before the fork.

    Args:
        workers: how many there are at most.
    """

    def __init__(self, workers: int) -> None:
        self._page = mmap.mmap(-1, workers * _COUNT.size)
        self._page[:] = b"\xff" * len(self._page)
        #: The counts themselves: one C call takes the least.
        self._counts = memoryview(self._page).cast("I")

    def note(self, worker: int, count: int) -> None:
        """A worker accepts, and has so many connections."""
        self._counts[worker] = min(count, ABSENT - 1)

    def leave(self, worker: int) -> None:
        """A worker has ended, or accepts no more."""
        self._counts[worker] = ABSENT

    def has_fewest(self, worker: int) -> bool:
        """True unless another worker that accepts has fewer connections."""
        return self._counts[worker] <= min(self._counts)
