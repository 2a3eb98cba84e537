from __future__ import annotations

import pytest

from catalina.ha.session.java_clocks import JavaClocks
from catalina.tribes.ledger.version import Version, clock_of
from catalina.tribes.member import Member

NODE = Member(bytes((10, 0, 0, 1)), 4000, unique_id=bytes(16))
OTHER = Member(bytes((10, 0, 0, 2)), 4000, unique_id=bytes(16))
#: Our clock when the test begins, microseconds.
NOW = 1_700_000_000_000_000


def heard(clocks: JavaClocks, written_s: float, heard_s: float, sender: Member = NODE, wrong_s: float = 0) -> Version:
    """A message that a node has written at one second and this one hears at another; its clock is wrong."""
    now_us = NOW + round(heard_s * 1e6)
    return clocks.version(sender, NOW // 1000 + round((written_s + wrong_s) * 1000), now_us, now_us, heard_s)


@pytest.mark.parametrize("wrong_s", [0, -3600, 3600])
def test_a_message_that_comes_at_once_is_later_than_all_that_is_known(wrong_s: float) -> None:
    clocks = JavaClocks()
    heard(clocks, 0, 0.0002, wrong_s=wrong_s)
    assert clock_of(heard(clocks, 10, 10.0005, wrong_s=wrong_s)) == NOW + 10_000_500


@pytest.mark.parametrize("wrong_s", [0, -3600, 3600])
def test_a_message_that_was_held_back_is_as_old_as_it_is(wrong_s: float) -> None:
    clocks = JavaClocks()
    heard(clocks, 0, 0.0, wrong_s=wrong_s)
    late = heard(clocks, 5, 30.0, wrong_s=wrong_s)
    assert clock_of(late) == pytest.approx(NOW + 5_000_000, abs=1000)


def test_messages_of_one_node_keep_its_order_whatever_comes_first() -> None:
    clocks = JavaClocks()
    second = heard(clocks, 2.001, 2.002)
    first = heard(clocks, 2.000, 2.0021)
    third = heard(clocks, 2.002, 2.0022)
    assert first < second < third


def test_messages_of_one_millisecond_have_one_version() -> None:
    clocks = JavaClocks()
    assert heard(clocks, 1, 1.0) == heard(clocks, 1, 1.0004)


def test_the_clocks_of_two_nodes_are_not_compared() -> None:
    clocks = JavaClocks()
    first = heard(clocks, 1, 1.0, wrong_s=100)
    second = heard(clocks, 2, 2.0, OTHER, wrong_s=-100)
    assert first < second


def test_a_clock_that_was_set_back_counts_after_two_windows() -> None:
    clocks = JavaClocks()
    heard(clocks, 0, 0.0)
    for second in (61, 122):
        version = heard(clocks, second, second, wrong_s=-3600)
    assert clock_of(version) == NOW + 122_000_000


def test_what_happened_before_the_message_is_as_much_earlier() -> None:
    clocks = JavaClocks()
    told = clocks.version(NODE, NOW // 1000, NOW, NOW, 0.0)
    before = clocks.version(NODE, NOW // 1000, NOW, NOW, 0.0, age_ms=5000)
    assert clock_of(told) - clock_of(before) == 5_000_000
