"""Exact buckets."""

from catalina.util.exact_rate_limiter import ExactRateLimiter


def test_a_bucket_lasts_exactly_as_configured():
    now = [0.0]
    limiter = ExactRateLimiter(10, 5, clock=lambda: now[0])
    assert (limiter.duration, limiter.requests) == (10, 5)
    assert [limiter.increment("a"), limiter.increment("a")] == [1, 2]
    now[0] = 9.999
    assert limiter.increment("a") == 3
    now[0] = 10.0
    assert limiter.increment("a") == 1
