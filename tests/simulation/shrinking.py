"""Makes a plan that fails smaller: leaves out steps while it still fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.managers import Plan, Step

__all__ = ["shrink"]


def shrink(plan: Plan, fails: Callable[[Plan], bool], most: int = 400) -> Plan:
    """A smaller plan that fails, too, from at most so many runs."""
    steps = list(plan.steps)
    tries = 0
    size = len(steps) // 2
    low, high = 0, len(steps)
    while low < high and tries < most:  # the steps after the failure are not needed
        middle = (low + high) // 2
        tries += 1
        if fails(replace(plan, steps=tuple(_without(steps, middle, len(steps))))):
            high = middle
        else:
            low = middle + 1
    steps = _without(steps, high, len(steps))
    while size >= 1 and tries < most:
        at, has_shrunk = 0, False
        while at < len(steps) and tries < most:
            fewer = _without(steps, at, size)
            tries += 1
            if len(fewer) < len(steps) and fails(replace(plan, steps=tuple(fewer))):
                steps, has_shrunk = fewer, True
            else:
                at += size
        if not has_shrunk or size > 1:
            size //= 2
    return replace(plan, steps=tuple(steps))


def _without(steps: list[Step], at: int, size: int) -> list[Step]:
    """Steps that do nothing say how long the run is, and stay."""
    return [step for number, step in enumerate(steps) if not at <= number < at + size or step.kind == "nothing"]
