"""The sockets and counts that the arbiter makes for the processes of a node before it forks them."""

from __future__ import annotations

import socket
from typing import NamedTuple

from catalina.workers.connection_counts import ConnectionCounts
from catalina.workers.connection_moves import Pair, make_pairs

__all__ = ["SharedParts"]

#: Number of connections that a worker may open before the keeper accepts them.
QUERIES_PER_WORKER = 64
#: Workers that every node with workers can have.
LEAST_CAPACITY = 8


class SharedParts(NamedTuple):
    """Parts that all processes of a node share, and that outlive each of the processes.

    Args:
        listening: where workers reach the keeper; under a name that the kernel chooses and no file has (unix(7),
            autobind).
        pairs: for connections that go from worker to worker.
        counts: of the workers' connections.
    """

    listening: socket.socket
    pairs: list[Pair]
    counts: ConnectionCounts

    @classmethod
    def make(cls, workers: int) -> SharedParts:
        """Make the parts for this number of workers, and some that are added later. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind("")
        listening.listen(QUERIES_PER_WORKER * workers)
        capacity = max(LEAST_CAPACITY, 2 * workers)
        return cls(listening, make_pairs(capacity), ConnectionCounts(capacity))

    @property
    def capacity(self) -> int:
        """How many workers the node can have."""
        return len(self.pairs)

    def close(self) -> None:
        """Close the descriptors of this process."""
        self.listening.close()
        for pair in self.pairs:
            for sock in pair:
                sock.close()
