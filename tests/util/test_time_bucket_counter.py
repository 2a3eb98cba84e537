"""Counting per client and time."""

import threading

from catalina.util import time_bucket_counter
from catalina.util.time_bucket_counter import TimeBucketCounter


def make(now):
    return TimeBucketCounter(lambda epoch_ms: epoch_ms // 1000, lambda: now[0])


def test_clients_are_counted_apart_until_the_bucket_is_over():
    now = [1.0]
    counter = make(now)
    assert [counter.increment("a"), counter.increment("a"), counter.increment("b")] == [1, 2, 1]
    now[0] = 2.0
    assert counter.increment("a") == 1


def test_the_table_has_a_bound(monkeypatch):
    monkeypatch.setattr(time_bucket_counter, "MAX_CLIENTS", 2)
    counter = make([1.0])
    for name in "abc":
        counter.increment(name)
    assert len(counter._counts) == 1


def test_no_request_is_lost_between_threads():
    counter = make([1.0])
    threads = [threading.Thread(target=lambda: [counter.increment("a") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.increment("a") == 2001
