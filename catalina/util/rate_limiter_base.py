"""The common part of rate limiters (Tomcat: util/RateLimiterBase.java)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import ClassVar

from catalina.util.time_bucket_counter import BucketCounts, SharedBucketCounter, TimeBucketCounter

__all__ = ["RateLimiterBase"]

_numbers = itertools.count(1)


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
        self._counter: TimeBucketCounter | SharedBucketCounter = TimeBucketCounter(self._index, clock)

    def share(self, counts: BucketCounts) -> None:
        """Count together with the other processes of the node."""
        self._counter = SharedBucketCounter(self._index, self._clock, counts)

    def actual(self, duration: int, requests: int) -> tuple[int, int]:
        """The effective seconds and requests."""
        return duration, requests

    def bucket_index(self, duration: int) -> Callable[[int], int]:
        """Milliseconds since the epoch -> number of the bucket."""
        raise NotImplementedError

    def increment(self, client: str) -> int:
        """Count a request; returns the number of requests in this bucket."""
        return self._counter.increment(client)

    @property
    def policy(self) -> str:
        """Value of ``RateLimit-Policy``."""
        return f'"{self.policy_name}";q={self.requests};w={self.duration}'

    def quota(self, count: int) -> str:
        """Value of ``RateLimit`` after that many requests."""
        remaining = self.requests - count if 0 <= count <= self.requests else 0
        return f'"{self.policy_name}";r={remaining}'
