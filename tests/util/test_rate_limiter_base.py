"""Policies and quotas."""

import threading

import pytest

from catalina.util import rate_limiter_base
from catalina.util.exact_rate_limiter import ExactRateLimiter
from catalina.util.rate_limiter_base import BucketCounts, RateLimiterBase


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


def make(now):
    return ExactRateLimiter(1, 100, clock=lambda: now[0])


def test_clients_are_counted_apart_until_the_bucket_is_over():
    now = [1.0]
    counter = make(now)
    assert [counter.increment("a"), counter.increment("a"), counter.increment("b")] == [1, 2, 1]
    now[0] = 2.0
    assert counter.increment("a") == 1


def test_the_table_has_a_bound(monkeypatch):
    monkeypatch.setattr(rate_limiter_base, "MAX_CLIENTS", 2)
    counter = make([1.0])
    assert [counter.increment(name) for name in "aabc"] == [1, 2, 1, 1]
    assert counter.increment("a") == 1


def test_no_request_is_lost_between_threads():
    counter = make([1.0])
    threads = [threading.Thread(target=lambda: [counter.increment("a") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.increment("a") == 2001


def test_a_request_that_another_process_counts_late_does_not_begin_a_bucket():
    counts = BucketCounts()
    assert [counts.count("a", bucket) for bucket in (7, 8, 7, 8)] == [1, 1, 2, 3]


def test_a_clock_that_is_set_back_begins_a_bucket():
    counts = BucketCounts()
    assert [counts.count("a", bucket) for bucket in (7, 7, 3, 3)] == [1, 2, 1, 2]
