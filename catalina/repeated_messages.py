"""A log that strangers cannot fill: the first messages of a kind are written, the others are counted and summed.

A peer, a client or a broken neighbour can cause the same message many thousand times a second. The first ``first``
of a kind in each period are written as they are; the others are counted, and one line says how many there were::

    ... 1,204 more broken packages from tcp://10.0.0.7:4000 in 60 s
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Kinds that are told apart. A kind may name a peer, and strangers can invent peers, so the rest counts as one kind.
MAX_KINDS = 64


@dataclass(slots=True)
class _Window:
    """The current period of one kind: its beginning, and the number of messages in it."""

    began: float
    written: int = 0
    left_out: int = 0


class RepeatedMessages:
    """Writes messages to ``log``, at most ``first`` of a kind in ``period`` seconds. Any thread."""

    def __init__(
        self,
        log: logging.Logger,
        *,
        first: int = 5,
        period: float = 60.0,
        kinds: int = MAX_KINDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._first = first
        self._period = period
        self._kinds = kinds
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def log(self, level: int, kind: str, message: str, *args: object, exc_info: bool | BaseException = False) -> None:
        """Write or count one message. ``kind`` is a noun in the plural, such as ``broken packages from tcp://...``; the
        line with the sum repeats it."""
        if not self._log.isEnabledFor(level):
            return
        now = self._clock()
        with self._lock:
            sums = self._ended(now)
            if kind not in self._windows and len(self._windows) >= self._kinds:
                kind = "messages of other kinds"
            window = self._windows.setdefault(kind, _Window(now))
            write = window.written < self._first
            if write:
                window.written += 1
            else:
                window.left_out += 1
        self._write_sums(level, sums)
        if write:
            self._log.log(level, message, *args, exc_info=exc_info, stacklevel=2)

    def flush(self, level: int = logging.WARNING) -> None:
        """Write the sums of periods that are over. A background tick should call it: otherwise a sum waits for the next
        message.
        """
        now = self._clock()
        with self._lock:
            sums = self._ended(now)
        self._write_sums(level, sums)

    def _ended(self, now: float) -> list[tuple[str, int]]:
        """Forget the periods that are over; returns the kinds that were left out in them, with their counts."""
        over = [kind for kind, window in self._windows.items() if now - window.began >= self._period]
        sums = [(kind, self._windows[kind].left_out) for kind in over if self._windows[kind].left_out]
        for kind in over:
            del self._windows[kind]
        return sums

    def _write_sums(self, level: int, sums: list[tuple[str, int]]) -> None:
        for kind, count in sums:
            self._log.log(level, "... %s more %s in %.0f s", f"{count:,}", kind, self._period)
