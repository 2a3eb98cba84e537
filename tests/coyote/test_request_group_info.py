from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.request_group_info import RequestGroupInfo, bucket_of, longest_of


def test_requests_are_counted_from_any_thread():
    info = RequestGroupInfo()
    threads = [
        threading.Thread(target=lambda: [info.count(600_000, True, 10, 2) for _ in range(1000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (info.request_count, info.error_count, info.bytes_sent, info.bytes_received) == (4000, 4000, 40_000, 8000)
    assert info.processing_time == 2400  # shorter than a millisecond each, and still counted
    assert info.max_time == 0


def test_the_longest_request_is_kept_and_all_can_begin_anew():
    info = RequestGroupInfo()
    for milliseconds in (5, 90, 7):
        info.count(milliseconds * 1_000_000, False, 0, 0)
    assert (info.max_time, info.error_count) == (90, 0)
    info.reset_counters()
    assert (info.request_count, info.processing_time, info.max_time) == (0, 0, 0)


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_steps_are_in_order_and_a_quarter_apart_at_most(one, two):
    if one <= two:
        assert bucket_of(one) <= bucket_of(two)
    end = longest_of(bucket_of(one)) * 1e9
    assert one < end <= one * 1.25 + 2048


def test_requests_are_counted_by_their_time():
    info = RequestGroupInfo(keeps_times=True)
    for elapsed_ns in (1_000_000, 1_000_100, 300_000_000):
        info.count(elapsed_ns, False, 0, 0)
    assert info.times() == {bucket_of(1_000_000): 2, bucket_of(300_000_000): 1}
    info.reset_counters()
    assert info.times() == {}
