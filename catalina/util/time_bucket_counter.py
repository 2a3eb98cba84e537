"""Counts requests by client and period (Tomcat: util/TimeBucketCounterBase.java)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from catalina.node_state import NodeState

__all__ = ["BucketCounts", "SharedBucketCounter", "TimeBucketCounter"]

#: Clients counted in one bucket; when an attacker uses more addresses, the counts start anew.
MAX_CLIENTS = 100_000


class BucketCounts(NodeState):
    """The counts of the latest bucket of a node. Any thread."""

    shared = frozenset({"count"})

    def __init__(self) -> None:
        self._bucket = -1
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, client: str, bucket: int) -> int:
        """The number of this client's requests in the latest bucket, including this one."""
        with self._lock:
            if bucket > self._bucket or (client not in self._counts and len(self._counts) >= MAX_CLIENTS):
                self._bucket = max(bucket, self._bucket)
                self._counts = {}
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count


class SharedBucketCounter:
    """As :class:`TimeBucketCounter`, with counts that the processes of a node share."""

    def __init__(self, index: Callable[[int], int], clock: Callable[[], float], counts: BucketCounts) -> None:
        self._index = index
        self._clock = clock
        self._counts = counts

    def increment(self, client: str) -> int:
        """The number of this client's requests in the current bucket, including this one."""
        return self._counts.count(client, self._index(int(self._clock() * 1000)))


class TimeBucketCounter:
    """Counts of the current bucket; when it is over, all counts start at zero. Any thread.

    Args:
        index: milliseconds since the epoch -> number of the bucket.
        clock: seconds since the epoch.
    """

    def __init__(self, index: Callable[[int], int], clock: Callable[[], float] = time.time) -> None:
        self._index = index
        self._clock = clock
        self._bucket = -1
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def increment(self, client: str) -> int:
        """The number of this client's requests in the current bucket, including this one."""
        bucket = self._index(int(self._clock() * 1000))
        with self._lock:
            if bucket != self._bucket or (client not in self._counts and len(self._counts) >= MAX_CLIENTS):
                self._bucket = bucket
                self._counts = {}
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count
