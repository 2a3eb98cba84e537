"""The sockets and counts that the arbiter makes for the processes of a node before it forks them."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from catalina.workers.connection_counts import ConnectionCounts
from catalina.workers.connection_moves import Pair, make_pairs
from catalina.workers.lasting_memory import LastingMemory

__all__ = ["POOL_SEATS", "SharedParts", "WorkerParts", "worker_name"]

#: Indexes of the workers of pools; a node's other workers have lower ones. Each costs every process two descriptors.
POOL_SEATS = range(512, 544)
#: Number of connections that a worker may open before the keeper accepts them.
QUERIES_PER_WORKER = 64
#: Workers that every node with workers can have.
LEAST_CAPACITY = 8


class WorkerParts(NamedTuple):
    """The parts that a worker needs of them.

    Args:
        address: of the keeper.
        pairs: for connections that come here, and those to other workers as far as this one may send some.
        token: proves to the keeper who a process with a user of its own is.
    """

    address: bytes | str
    pairs: dict[int, Pair]
    counts: ConnectionCounts
    token: str = ""


class SharedParts(NamedTuple):
    """Parts that all processes of a node share, and that outlive each of the processes.

    Args:
        listening: where workers reach the keeper; under a name that the kernel chooses and no file has (unix(7),
            autobind).
        pairs: for connections that go from worker to worker.
        counts: of the connections of the workers that accept.
        capacity: how many workers the node can have, without those of pools.
        memory: what a keeper leaves to the next one.
    """

    listening: socket.socket
    pairs: dict[int, Pair]
    counts: ConnectionCounts
    capacity: int
    memory: LastingMemory

    @classmethod
    def make(cls, workers: int) -> SharedParts:
        """Make the parts for this number of workers, and some that are added later. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind("")
        listening.listen(QUERIES_PER_WORKER * workers)
        capacity = max(LEAST_CAPACITY, 2 * workers)
        pairs = make_pairs((*range(capacity), *POOL_SEATS))
        return cls(listening, pairs, ConnectionCounts(capacity), capacity, LastingMemory())

    def told(self) -> dict[str, Any]:
        """The numbers of the descriptors, as JSON can say them."""
        return {
            "listening": self.listening.fileno(),
            "pairs": {str(index): [sock.fileno() for sock in pair] for index, pair in self.pairs.items()},
            "counts": self.counts.memory.descriptor,
            "capacity": self.capacity,
        }

    @classmethod
    def heard(cls, told: dict[str, Any]) -> SharedParts:
        """The opposite of :meth:`told`, in a process that has inherited the descriptors."""
        pairs = {
            int(index): (_inherited(reads), _inherited(writes)) for index, (reads, writes) in told["pairs"].items()
        }
        counts = ConnectionCounts(told["capacity"], told["counts"])
        # Such a process is no keeper: what one leaves to the next is not its business.
        return cls(socket.socket(fileno=told["listening"]), pairs, counts, told["capacity"], LastingMemory())

    @property
    def descriptors(self) -> list[int]:
        """All descriptors."""
        sockets = [self.listening, *(sock for pair in self.pairs.values() for sock in pair)]
        return [*(sock.fileno() for sock in sockets), self.counts.memory.descriptor]

    def for_worker(self) -> WorkerParts:
        """The parts for a worker that runs as the server does."""
        return WorkerParts(self.listening.getsockname(), self.pairs, self.counts)

    def close(self) -> None:
        """Close the descriptors of this process."""
        self.listening.close()
        self.counts.close()
        self.memory.close()
        for pair in self.pairs.values():
            for sock in pair:
                sock.close()


def _inherited(descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock


def worker_name(index: int) -> str:
    """The name of a worker for people: its number, and for one of a pool p and the number of its seat."""
    return f"p{index - POOL_SEATS.start}" if index in POOL_SEATS else str(index)
