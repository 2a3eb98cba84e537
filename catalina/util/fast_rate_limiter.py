"""A rate limiter whose period is a power of two (Tomcat: util/FastRateLimiter.java)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from catalina.util.rate_limiter_base import RateLimiterBase

__all__ = ["FastRateLimiter"]


class FastRateLimiter(RateLimiterBase):
    """Rounds the duration up to the next power of two of milliseconds, and the requests with it."""

    default_policy_name: ClassVar[str] = "fast"

    def actual(self, duration: int, requests: int) -> tuple[int, int]:
        """The rounded values: 60 seconds and 300 requests become 65 seconds and 328 requests."""
        milliseconds = 1 << _bits(duration)
        # In Tomcat the ratio has three decimals, which affects the counted numbers.
        ratio = int(1000 * milliseconds / (duration * 1000) + 0.5) / 1000
        return milliseconds // 1000, int(ratio * requests + 0.5)

    def bucket_index(self, duration: int) -> Callable[[int], int]:
        """By a shift."""
        bits = _bits(duration)
        return lambda epoch_ms: epoch_ms >> bits


def _bits(duration: int) -> int:
    return (duration * 1000 - 1).bit_length()
