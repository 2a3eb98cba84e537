"""Buckets whose duration is a power of two (Tomcat: util/FastRateLimiter.java)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from catalina.util.rate_limiter_base import RateLimiterBase

__all__ = ["FastRateLimiter"]


class FastRateLimiter(RateLimiterBase):
    """The duration is rounded up to the next power of two of milliseconds, the requests with it."""

    default_policy_name: ClassVar[str] = "fast"

    def actual(self, duration: int, requests: int) -> tuple[int, int]:
        """60 seconds and 300 requests are 65 seconds and 328 requests."""
        milliseconds = 1 << _bits(duration)
        # The ratio has three decimals in Tomcat, and so has what is counted.
        ratio = int(1000 * milliseconds / (duration * 1000) + 0.5) / 1000
        return milliseconds // 1000, int(ratio * requests + 0.5)

    def bucket_index(self, duration: int) -> Callable[[int], int]:
        """By a shift."""
        bits = _bits(duration)
        return lambda epoch_ms: epoch_ms >> bits


def _bits(duration: int) -> int:
    return (duration * 1000 - 1).bit_length()
