"""The number of connections that each worker has, on a page of memory that all workers share.

A new connection wakes all workers. A worker that has more connections than another one leaves the new connection to the
other one for a moment: connections stay for many requests, so the worker that has them has the work.
"""

from __future__ import annotations

import mmap
import struct

__all__ = ["ConnectionCounts"]

_COUNT = struct.Struct("I")
#: The count of a place in which no worker accepts connections.
ABSENT = 0xFFFFFFFF


class ConnectionCounts:
    """Must be made before the fork.

    Args:
        workers: the largest number of workers.
    """

    def __init__(self, workers: int) -> None:
        self._page = mmap.mmap(-1, workers * _COUNT.size)
        self._page[:] = b"\xff" * len(self._page)
        #: The counts themselves: reading one is a single call in C.
        self._counts = memoryview(self._page).cast("I")

    def note(self, worker: int, count: int) -> None:
        """Note that a worker accepts, and its number of connections."""
        self._counts[worker] = min(count, ABSENT - 1)

    def leave(self, worker: int) -> None:
        """Note that a worker has ended, or accepts no more connections."""
        self._counts[worker] = ABSENT

    def fewest_beside(self, worker: int) -> int | None:
        """The other worker with the fewest connections, None when no other one accepts."""
        others = [(count, index) for index, count in enumerate(self._counts) if index != worker and count != ABSENT]
        return min(others)[1] if others else None

    def has_fewest(self, worker: int) -> bool:
        """True unless another worker that accepts has fewer connections."""
        return self._counts[worker] <= min(self._counts)
