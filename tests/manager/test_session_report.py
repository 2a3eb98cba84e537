"""Sessions by idle time."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.manager.session_report import session_report
from catalina.session.standard_manager import StandardManager
from catalina.util.context_name import ContextName

NAME = ContextName("/shop")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def made():
    clock = Clock()
    context = StandardContext(path="/shop")
    context.manager = StandardManager(clock=clock)
    context.manager.context = context
    return context, clock


def idle(made: Any, *minutes: float) -> list[str]:
    context, clock = made
    for number in sorted(minutes, reverse=True):
        clock.now = 1_000_000.0 - number * 60
        context.manager.create_session(None)
    clock.now = 1_000_000.0
    return session_report(context, NAME)[2:]


def test_sessions_are_counted_in_steps_of_a_minute(made):
    assert idle(made, 0, 0.5, 2.2, 2.9, 29) == [
        "Inactive for [<1] minutes: [2] sessions",
        "Inactive for [2 - <3] minutes: [2] sessions",
        "Inactive for [29 - <30] minutes: [1] sessions",
    ]


def test_what_is_idle_for_longer_than_the_default_is_the_last_line(made):
    assert idle(made, 31, 45) == ["Inactive for [>=30] minutes: [2] sessions"]


def test_the_steps_grow_with_the_timeout(made):
    made[0].session_timeout = 100
    assert idle(made, 3, 98.5, 110) == [
        "Inactive for [2 - <4] minutes: [1] sessions",
        "Inactive for [98 - <100] minutes: [1] sessions",
        "Inactive for [>=100] minutes: [1] sessions",
    ]


def test_sessions_that_never_end_are_counted_in_an_hour(made):
    made[0].session_timeout = 0
    assert idle(made, 59.5, 61) == [
        "Inactive for [59 - <60] minutes: [1] sessions",
        "Inactive for [>=60] minutes: [1] sessions",
    ]


def test_those_idle_for_so_long_end(made):
    idle(made, 1, 5, 6)
    lines = session_report(made[0], NAME, 5)
    assert lines[-1] == "Inactive for [>5] minutes: [2] sessions were expired"
    assert made[0].manager.active_sessions == 1
