from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from catalina.tribes.ledger.version import (
    MAX_CLOCK,
    NO_VERSION,
    VERSION_SIZE,
    VersionClock,
    clock_of,
    life_tag,
    version_at,
)

ONE, OTHER = life_tag(b"one", 0), life_tag(b"other", 0)


def test_a_version_is_later_than_all_that_were_made_before_even_if_the_clock_is_set_back() -> None:
    clock = VersionClock(ONE)
    assert clock.tick(1000) < clock.tick(1000) < clock.tick(5)


def test_a_version_is_later_than_all_that_were_heard() -> None:
    clock = VersionClock(ONE)
    heard = version_at(10**15, OTHER)
    clock.heard(heard)
    assert clock.tick(1) > heard


def test_two_nodes_never_make_the_same_version() -> None:
    assert VersionClock(ONE).tick(7) != VersionClock(OTHER).tick(7)


def test_another_life_of_a_node_has_another_tag() -> None:
    assert life_tag(b"node", 1) != life_tag(b"node", 2)


def test_a_clock_that_is_none_does_not_stop_ours() -> None:
    clock = VersionClock(ONE)
    clock.heard(b"\xff" * VERSION_SIZE)
    assert clock_of(clock.tick(1000)) == 1000


def test_a_tag_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a tag of 8 bytes, got 3"):
        VersionClock(b"abc")


def test_no_version_is_before_every_version() -> None:
    assert clock_of(NO_VERSION) == 0
    assert version_at(0, bytes(8)) > NO_VERSION


@given(st.integers(0, MAX_CLOCK), st.integers(0, MAX_CLOCK))
def test_versions_compare_as_their_clocks(one: int, other: int) -> None:
    assert (version_at(one, ONE) < version_at(other, ONE)) == (one < other)


@given(st.integers())
def test_any_time_has_a_version(clock_us: int) -> None:
    assert len(version_at(clock_us, ONE)) == VERSION_SIZE
