"""The common part of the exchanges of all protocols: events that lead from state to state, and the head of an
answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NoReturn, Protocol, TypeVar

__all__ = ["LENGTH_DIGITS", "Answer", "Event", "is_length"]

#: More digits than any length has.
LENGTH_DIGITS = 19

S = TypeVar("S", bound=IntEnum)


class Event(dict[S, S]):
    """An event: the states in which it may happen, and the state to which each leads.

    ``self.state = EVENT[self.state]`` is the step; in any other state it raises RuntimeError, because the caller has
    made a mistake; a client cannot cause it.
    """

    def __init__(self, name: str, steps: Mapping[S, S]) -> None:
        super().__init__(steps)
        self.name = name

    def __missing__(self, state: S) -> NoReturn:
        expected = " or ".join(each.name for each in self)
        raise RuntimeError(f"{self.name} in state {state.name}, expected {expected}")


def is_length(text: str) -> bool:
    """True when a Content-Length is one."""
    return text.isdecimal() and text.isascii() and len(text) < LENGTH_DIGITS


class Answer(Protocol):
    """The head of an answer, before it is bytes."""

    status: int
    headers: list[tuple[str, str]]
    #: False when no body follows: HEAD, 204, 304 ...
    body_allowed: bool

    @property
    def reason(self) -> str: ...
