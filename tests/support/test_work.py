from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.work import assert_linear, instructions


def looking_back(size: int) -> Callable[[], object]:
    def quadratic() -> None:
        for number in range(size):
            for _ in range(number):
                pass

    return quadratic


def looking_once(size: int) -> Callable[[], object]:
    def linear() -> None:
        for _ in range(size):
            pass

    return linear


def test_the_same_call_counts_the_same() -> None:
    assert instructions(looking_once(1000)) == instructions(looking_once(1000)) > 1000


def test_linear_work_passes() -> None:
    assert_linear(looking_once, 1000)


def test_quadratic_work_is_found() -> None:
    with pytest.raises(AssertionError, match="input 200: "):
        assert_linear(looking_back, 200)
