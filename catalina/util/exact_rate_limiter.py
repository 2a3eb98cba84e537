"""A rate limiter whose periods have exactly the configured duration (Tomcat: util/ExactRateLimiter.java)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from catalina.util.rate_limiter_base import RateLimiterBase

__all__ = ["ExactRateLimiter"]


class ExactRateLimiter(RateLimiterBase):
    """Counts exactly as configured."""

    default_policy_name: ClassVar[str] = "exact"

    def bucket_index(self, duration: int) -> Callable[[int], int]:
        """By division."""
        return lambda epoch_ms: epoch_ms // 1000 // duration
