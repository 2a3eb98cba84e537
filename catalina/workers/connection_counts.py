"""The number of connections that each worker has, on a page of memory that all workers share.

A new connection wakes all workers. A worker that has more connections than another one leaves the new connection to the
other one for a moment: connections stay for many requests, so the worker that has them has the work.
"""

from __future__ import annotations

import mmap
import os
import struct
import weakref
from collections.abc import Sequence
from hashlib import blake2b

__all__ = ["ConnectionCounts", "SharedMemory"]

_COUNT = struct.Struct("I")
#: The count of a place in which no worker accepts connections.
ABSENT = 0xFFFFFFFF


class SharedMemory:
    """Memory that processes share, those that run another program, too: they get its descriptor.

    Args:
        name: for people who look at /proc.
        size: in bytes; they are zero.
        descriptor: of memory that another process has made; None makes one.
    """

    def __init__(self, name: str, size: int, descriptor: int | None = None) -> None:
        self.descriptor = os.memfd_create(name, os.MFD_CLOEXEC) if descriptor is None else descriptor
        self._finalizer = weakref.finalize(self, os.close, self.descriptor)
        if descriptor is None:
            os.ftruncate(self.descriptor, size)
        self.page = mmap.mmap(self.descriptor, size)

    def close(self) -> None:
        """Close the descriptors of this process; whoever has views of the memory has released them."""
        self.page.close()
        self._finalizer()


class ConnectionCounts:
    """Must be made before the fork.

    Args:
        workers: the largest number of workers.
        descriptor: of the counts of another process; None makes them.
    """

    def __init__(self, workers: int, descriptor: int | None = None) -> None:
        self.memory = SharedMemory("catalina-counts", (workers + 1) * _COUNT.size, descriptor)
        page = self.memory.page
        if descriptor is None:
            page[:] = b"\xff" * len(page)
        self._view = view = memoryview(page).cast("I")
        #: The counts themselves: reading one is a single call in C.
        self._counts = view[:workers]
        #: The worker that is about to be replaced by its own wish; ABSENT for none.
        self._claim = view[workers:]

    def close(self) -> None:
        """Close the descriptors of this process."""
        for view in (self._counts, self._claim, self._view):
            view.release()
        self.memory.close()

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
