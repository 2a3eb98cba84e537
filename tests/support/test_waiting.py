"""Waiting has an end."""

from __future__ import annotations

import pytest

from tests.support.waiting import assert_stays, wait_until


def test_a_condition_that_comes_true_gives_its_value() -> None:
    looks = iter([None, 0, "here"])
    assert wait_until(lambda: next(looks), "it is here", pause=0) == "here"


def test_a_condition_that_never_comes_true_is_named() -> None:
    with pytest.raises(AssertionError, match="waited 0 s in vain: the moon is here"):
        wait_until(lambda: False, "the moon is here", 0)


def test_what_stops_being_so_is_named() -> None:
    looks = iter([True, False])
    with pytest.raises(AssertionError, match="not for 60 s: it is quiet"):
        assert_stays(lambda: next(looks), "it is quiet", 60, pause=0)
