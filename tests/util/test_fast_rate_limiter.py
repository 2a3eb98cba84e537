"""Buckets of powers of two; numbers as in Tomcat's documentation of RateLimitFilter."""

import pytest

from catalina.util.fast_rate_limiter import FastRateLimiter


@pytest.mark.parametrize(
    ("duration", "requests", "actual"), [(60, 300, (65, 328)), (1, 100, (1, 102)), (3600, 10, (4194, 12))]
)
def test_duration_and_requests_are_rounded_up_together(duration, requests, actual):
    limiter = FastRateLimiter(duration, requests)
    assert (limiter.duration, limiter.requests) == actual


def test_a_bucket_lasts_that_long():
    now = [0.0]
    limiter = FastRateLimiter(60, 300, clock=lambda: now[0])
    limiter.increment("a")
    now[0] = 65.535
    assert limiter.increment("a") == 2
    now[0] = 65.537
    assert limiter.increment("a") == 1
