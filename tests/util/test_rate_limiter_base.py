"""Policies and quotas."""

import pytest

from catalina.util.exact_rate_limiter import ExactRateLimiter
from catalina.util.rate_limiter_base import RateLimiterBase


def test_each_limiter_has_a_name_of_its_own():
    first, second = ExactRateLimiter(60, 300), ExactRateLimiter(60, 300)
    assert first.policy_name.startswith("exact-")
    assert first.policy_name != second.policy_name


@pytest.mark.parametrize(("count", "remaining"), [(0, 3), (1, 2), (3, 0), (4, 0), (-1, 0)])
def test_the_quota_never_goes_below_zero(count, remaining):
    limiter = ExactRateLimiter(60, 3, "p")
    assert limiter.quota(count) == f'"p";r={remaining}'
    assert limiter.policy == '"p";q=3;w=60'


def test_a_limiter_says_how_it_makes_buckets():
    with pytest.raises(NotImplementedError):
        RateLimiterBase(1, 1)
