"""The way of a long deployment's progress to the command that waits for it, in whatever thread that command runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["add_note", "listening", "show_step"]

#: Shows a step: its name, the amount done, and the total (0: unknown).
Show = Callable[[str, int, int], None]

_listener: ContextVar[tuple[Show, list[str]] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(show: Show) -> Iterator[list[str]]:
    """Let a command see what deployment does in this thread; the result collects its remarks, one line each."""
    notes: list[str] = []
    token = _listener.set((show, notes))
    try:
        yield notes
    finally:
        _listener.reset(token)


def show_step(what: str, done: int = 0, total: int = 0) -> None:
    """Tell the waiting command, if there is one, which step is under way."""
    listener = _listener.get()
    if listener is not None:
        listener[0](what, done, total)


def add_note(line: str) -> None:
    """Add a remark to the waiting command's answer."""
    listener = _listener.get()
    if listener is not None:
        listener[1].append(line)
