"""Sends an application's printed output to its log (Tomcat: util/log/SystemLogHandler.java, Context swallowOutput).

All applications share ``sys.stdout`` and ``sys.stderr``; a stand-in for each finds the application of the printing
thread. The first application that wants it puts it in place, where it stays.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

__all__ = ["captured"]

_capture: contextvars.ContextVar[tuple[logging.Logger, dict[int, list[str]]] | None] = contextvars.ContextVar(
    "catalina.captured", default=None
)


class _StandIn:
    """A text stream that writes lines to the log of the application in this thread, otherwise to the real stream."""

    def __init__(self, real: TextIO, level: int) -> None:
        self._real = real
        self._level = level

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        capture = _capture.get()
        if capture is None:
            return self._real.write(text)
        log, pending = capture
        parts = pending.setdefault(self._level, [])
        *lines, rest = text.split("\n")
        for line in lines:
            log.log(self._level, "%s", "".join([*parts, line]))
            parts.clear()
        if rest:
            parts.append(rest)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


@contextlib.contextmanager
def captured(log: logging.Logger) -> Iterator[None]:
    """While the block runs, send everything that this thread prints to ``log``: stdout at INFO, stderr at ERROR, line
    by line.
    """
    if not isinstance(sys.stdout, _StandIn):
        sys.stdout = _StandIn(sys.stdout, logging.INFO)
    if not isinstance(sys.stderr, _StandIn):
        sys.stderr = _StandIn(sys.stderr, logging.ERROR)
    pending: dict[int, list[str]] = {}
    token = _capture.set((log, pending))
    try:
        yield
    finally:
        _capture.reset(token)
        for level, parts in pending.items():
            if parts:
                log.log(level, "%s", "".join(parts))
