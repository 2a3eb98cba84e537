from __future__ import annotations

from collections.abc import Callable

import pytest

from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http2.overhead import Overhead


def times(overhead: Overhead, act: Callable[[], None]) -> int:
    """How often it can be done until it is too much."""
    count = 0
    while not overhead.is_too_much:
        act()
        count += 1
    return count


def overhead(**attributes: int) -> Overhead:
    return Overhead(Http2Protocol(**attributes))


def test_ten_useless_frames_in_a_row_are_allowed_and_good_ones_earn_more():
    fresh = overhead()
    assert times(fresh, fresh.useless) == 11
    good = overhead()
    for _ in range(10):
        good.useful()
    assert times(good, good.useless) == 31


def test_the_factors_are_the_operators():
    one = overhead(overhead_count_factor=100)
    assert times(one, one.useless) == 11
    none = overhead(overhead_count_factor=0)
    for _ in range(1000):
        none.useless()
    assert not none.is_too_much
    two, three = overhead(overhead_reset_factor=100), overhead()
    assert times(two, two.reset) == 2
    assert times(three, three.reset) == 3


@pytest.mark.parametrize(("size", "allowed"), [(0, 1), (1, 1), (512, 51), (1024, None)])
def test_the_smaller_a_continuation_the_more_it_costs(size, allowed):
    one = overhead()
    if allowed is None:
        one.continuation(size)
        assert one.count == -100
    else:
        assert times(one, lambda: one.continuation(size)) == allowed
    off = overhead(overhead_continuation_threshold=0)
    off.continuation(size)
    assert off.count == -100


def test_of_two_pieces_of_data_the_average_counts():
    one = overhead()
    one.data(100)
    assert one.count == -100  # the first small one behind none
    one.data(100)
    assert one.count == -100 + 1024 // 100
    one.data(2000)
    assert one.count == -100 + 1024 // 100  # large again
    off = overhead(overhead_data_threshold=0)
    assert [off.data(1), off.data(1), off.count][-1] == -100


def test_of_two_window_updates_too_unless_just_what_is_wanted_is_released():
    one = overhead()
    one.window_update(1, None)
    one.window_update(1, None)
    assert one.count == -100 + 1024
    two = overhead()
    two.window_update(1, 1000)
    two.window_update(100, 100)
    assert two.count == -100
    two.window_update(99, 100)
    assert two.count == -100 + 1024 // 99
    off = overhead(overhead_window_update_threshold=0)
    assert [off.window_update(1, None), off.window_update(1, None), off.count][-1] == -100
