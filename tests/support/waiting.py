"""How tests wait: for a condition, with an end. A plain sleep guesses how fast a machine is, and every run pays for it.

Real time has to pass in two cases all the same: code under test that is slow on purpose, and clocks of other programs.
Both have a name here, and the second one a reason; the linter refuses every other sleep in a test (pyproject.toml).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["assert_stays", "comes_true", "let_pass", "take_time", "wait_until"]

T = TypeVar("T")


def comes_true(condition: Callable[[], object], seconds: float, pause: float = 0.01) -> bool:
    """True when the condition comes true within ``seconds``, for a test that asks this."""
    deadline = time.monotonic() + seconds
    while not (is_true := bool(condition())) and time.monotonic() < deadline:
        time.sleep(pause)
    return is_true


def wait_until(condition: Callable[[], T | None], what: str, seconds: float = 15.0, pause: float = 0.01) -> T:
    """Return the condition's first true value; look after each ``pause``, and fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)
    return value


def assert_stays(condition: Callable[[], object], what: str, seconds: float, pause: float = 0.02) -> None:
    """Fail with ``what`` as soon as the condition is false: what must not happen has ``seconds`` to happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"not for {seconds} s: {what}"
        time.sleep(pause)


def take_time(seconds: float) -> None:
    """Be slow: for an application, a callback or a client under test that takes its time."""
    time.sleep(seconds)


def let_pass(seconds: float, why: str) -> None:
    """Let real time pass that nothing can be asked about, for the reason ``why``: an interval of another program."""
    assert why
    time.sleep(seconds)
