"""The common part of rate limiters (Tomcat: util/RateLimiterBase.java)."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import ClassVar

from catalina.node_state import NodeState

__all__ = ["BucketCounts", "RateLimiterBase"]

_numbers = itertools.count(1)
#: Clients counted in one bucket; when an attacker uses more addresses, the counts start anew.
MAX_CLIENTS = 100_000


class BucketCounts(NodeState):
    """The counts of the current bucket of a node; the next bucket starts at zero (Tomcat:
    util/TimeBucketCounterBase.java). Any thread.
    """

    shared = frozenset({"count"})

    def __init__(self) -> None:
        self._bucket = -1
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, client: str, bucket: int) -> int:
        """The number of this client's requests in the latest bucket, including this one."""
        with self._lock:
            # A process of the node can be late by one bucket; only a clock that was set back gives an older one.
            anew = bucket > self._bucket or bucket < self._bucket - 1
            if anew:
                self._bucket = bucket
            if anew or (client not in self._counts and len(self._counts) >= MAX_CLIENTS):
                self._counts = {}
            count = self._counts[client] = self._counts.get(client, 0) + 1
            return count


class RateLimiterBase:
    """Allows a number of requests in a number of seconds; a subclass may round both for speed.

    Args:
        duration: seconds of a bucket, as configured.
        requests: requests per client and bucket, as configured.
    """

    default_policy_name: ClassVar[str] = ""

    def __init__(
        self, duration: int, requests: int, policy_name: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.duration, self.requests = self.actual(duration, requests)
        self.policy_name = policy_name or f"{self.default_policy_name}-{next(_numbers)}"
        self._index = self.bucket_index(duration)
        self._clock = clock
        self._counts = BucketCounts()

    def share(self, counts: BucketCounts) -> None:
        """Count together with the other processes of the node."""
        self._counts = counts

    def actual(self, duration: int, requests: int) -> tuple[int, int]:
        """The effective seconds and requests."""
        return duration, requests

    def bucket_index(self, duration: int) -> Callable[[int], int]:
        """Milliseconds since the epoch -> number of the bucket."""
        raise NotImplementedError

    def increment(self, client: str) -> int:
        """Count a request; returns the number of requests in this bucket."""
        return self._counts.count(client, self._index(int(self._clock() * 1000)))

    @property
    def policy(self) -> str:
        """Value of ``RateLimit-Policy``."""
        return f'"{self.policy_name}";q={self.requests};w={self.duration}'

    def quota(self, count: int) -> str:
        """Value of ``RateLimit`` after that many requests."""
        remaining = self.requests - count if 0 <= count <= self.requests else 0
        return f'"{self.policy_name}";r={remaining}'
