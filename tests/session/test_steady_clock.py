from __future__ import annotations

import pytest

from catalina.session.steady_clock import SteadyClock


class Clocks:
    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.monotonic = 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def clock(clocks: Clocks) -> SteadyClock:
    return SteadyClock(lambda: clocks.wall, lambda: clocks.monotonic)


def test_it_shows_the_wall_clock(clocks: Clocks, clock: SteadyClock) -> None:
    clocks.pass_by(10)
    assert clock.time() == 1_000_010.0


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_step_of_the_wall_clock_does_not_move_it(clocks: Clocks, clock: SteadyClock, step: float) -> None:
    clocks.wall += step
    clocks.pass_by(1)
    assert clock.time() == 1_000_001.0


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_it_follows_the_wall_clock_by_one_part_in_a_hundred(clocks: Clocks, clock: SteadyClock, step: float) -> None:
    clocks.wall += step
    clocks.pass_by(100)
    clock.follow()
    assert clock.time() == pytest.approx(1_000_100.0 + (1.0 if step > 0 else -1.0))


def test_a_small_difference_is_made_good_at_once(clocks: Clocks, clock: SteadyClock) -> None:
    clocks.wall += 0.5
    clocks.pass_by(100)
    clock.follow()
    assert clock.time() == pytest.approx(clocks.wall)
