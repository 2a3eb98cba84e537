from __future__ import annotations

import threading

from catalina.coyote.request_group_info import RequestGroupInfo


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
