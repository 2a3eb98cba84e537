"""The number of connections that each worker has, on a page of memory that all workers share.

A new connection wakes all workers. A worker that has more connections than another one leaves the new connection to the
other one for a moment: connections stay for many requests, so the worker that has them has the work.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from hashlib import blake2b

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
        self._page = mmap.mmap(-1, (workers + 1) * _COUNT.size)
        self._page[:] = b"\xff" * len(self._page)
        view = memoryview(self._page).cast("I")
        #: The counts themselves: reading one is a single call in C.
        self._counts = view[:workers]
        #: The worker that is about to be replaced by its own wish; ABSENT for none.
        self._claim = view[workers:]

    def note(self, worker: int, count: int) -> None:
        """Note that a worker accepts, and its number of connections."""
        self._counts[worker] = min(count, ABSENT - 1)

    def leave(self, worker: int) -> None:
        """Note that a worker has ended, or accepts no more connections."""
        self._counts[worker] = ABSENT

    def ended(self, worker: int) -> None:
        """Note that the process of a worker has ended, as its arbiter saw: another one may leave."""
        self.leave(worker)
        self.stays(worker)

    def may_leave(self, worker: int) -> bool:
        """True when a worker may end, so that it is replaced: another one accepts connections, and no other one is
        about to end. Call it now and then; it becomes True with the second call at the earliest.

        Two workers that want to leave at one moment both write their claim, and the later one holds.
        """
        if self.fewest_beside(worker) is None:
            return False
        claimed = self._claim[0]
        if claimed == ABSENT:
            self._claim[0] = worker
        return claimed == worker

    def stays(self, worker: int) -> None:
        """A worker does not want to end, or no longer."""
        if self._claim[0] == worker:
            self._claim[0] = ABSENT

    def fewest_beside(self, worker: int) -> int | None:
        """The other worker with the fewest connections, None when no other one accepts."""
        others = [(count, index) for index, count in enumerate(self._counts) if index != worker and count != ABSENT]
        return min(others)[1] if others else None

    def worker_of(self, key: str, among: Sequence[int] | None = None) -> int | None:
        """The worker to which a key belongs, of those that accept; None when none does.

        Args:
            among: the workers that count, None for all; those of a pool accept nothing, and count all the same.

        Each worker has a number for each key, and the highest one wins (rendezvous hashing), so the keys of the others
        stay where they are when a worker comes or goes.
        """
        data = key.encode("utf-8", "surrogatepass")
        in_pool = [index for index in among or () if index >= len(self._counts)]
        if in_pool:
            return max(in_pool, key=lambda index: _weight(data, index))
        accepting = [
            index for index, count in enumerate(self._counts) if count != ABSENT and (among is None or index in among)
        ]
        return max(accepting, key=lambda index: _weight(data, index), default=None)

    def accepts(self, worker: int) -> bool:
        """True when a worker accepts connections."""
        return worker < len(self._counts) and self._counts[worker] != ABSENT

    def has_fewest(self, worker: int) -> bool:
        """True unless another worker that accepts has fewer connections."""
        return self._counts[worker] <= min(self._counts)


def _weight(key: bytes, worker: int) -> bytes:
    return blake2b(key, digest_size=8, salt=worker.to_bytes(8, "big")).digest()
