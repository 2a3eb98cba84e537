"""Counts the requests that a connector has served (Tomcat: coyote/RequestGroupInfo.java)."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from catalina.attributes import Component
from catalina.operations import Long, operation, readable

__all__ = ["RequestGroupInfo", "bucket_of", "longest_of"]

#: Requests that are noted before they are added up, because adding them together costs a sixth.
_BATCH = 256


#: Nanoseconds at which each step of the times ends: four steps to a doubling, from a microsecond to some days.
_ENDS_NS = tuple(round(1000 * 2 ** (step / 4)) for step in range(160))


#: The number of the step that a time in nanoseconds falls into; a call of C, because each request costs one.
bucket_of: Callable[[int], int] = partial(bisect_right, _ENDS_NS)


def longest_of(bucket: int) -> float:
    """Seconds at which a step ends; anything longer gets the last known step's end."""
    return _ENDS_NS[min(bucket, len(_ENDS_NS) - 1)] / 1e9


class RequestGroupInfo(Component):
    """Counters since the start; the bean ``type=GlobalRequestProcessor``.

    Args:
        keeps_times: count the requests for each duration, too, for :meth:`times`.
    """

    def __init__(self, *, keeps_times: bool = False, **values: Any) -> None:
        super().__init__(**values)
        self._keeps_times = keeps_times
        self._lock = threading.Lock()
        self._noted: list[tuple[int, bool, int, int]] = []
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._count = self._errors = self._sent = self._received = self._processing_ns = self._max_ns = 0
        self._min_ns: int | None = None
        self._times: Counter[int] = Counter()

    def count(self, elapsed_ns: int, is_error: bool, sent: int, received: int) -> None:
        """Count a request that has ended. Any thread."""
        noted = self._noted
        noted.append((elapsed_ns, is_error, sent, received))
        if len(noted) >= _BATCH:
            self._add_up()

    def _add_up(self) -> None:
        with self._lock:
            noted = self._noted[:]
            if not noted:
                return
            del self._noted[: len(noted)]  # other threads may have added more meanwhile, which stay
            elapsed_ns, errors, sent, received = zip(*noted, strict=True)
            self._count += len(noted)
            self._errors += sum(errors)
            self._sent += sum(sent)
            self._received += sum(received)
            self._processing_ns += sum(elapsed_ns)
            if self._keeps_times:
                self._times.update(map(bucket_of, elapsed_ns))
            self._max_ns = max(self._max_ns, *elapsed_ns)
            shortest = min(elapsed_ns)
            self._min_ns = shortest if self._min_ns is None else min(self._min_ns, shortest)

    @property
    def request_count(self) -> int:
        """Requests answered."""
        self._add_up()
        return self._count

    @property
    def error_count(self) -> int:
        """The number of answers with a status of 400 or more."""
        self._add_up()
        return self._errors

    @property
    def bytes_sent(self) -> Long:
        """Bytes of the bodies of answers."""
        self._add_up()
        return self._sent

    @property
    def bytes_received(self) -> Long:
        """Bytes of the bodies of requests, as far as they were read."""
        self._add_up()
        return self._received

    @property
    def processing_time(self) -> Long:
        """Milliseconds inside the container, all requests together."""
        self._add_up()
        return self._processing_ns // 1_000_000

    @property
    def max_time(self) -> Long:
        """Milliseconds of the longest request."""
        self._add_up()
        return self._max_ns // 1_000_000

    @property
    @readable("minTime", doc="Milliseconds of the shortest of them, null before the first.")
    def min_time(self) -> int | None:
        self._add_up()
        return None if self._min_ns is None else self._min_ns // 1_000_000

    def times(self) -> dict[int, int]:
        """The number of requests for each duration, by the number of :func:`bucket_of`; empty without
        ``keeps_times``.
        """
        self._add_up()
        with self._lock:
            return dict(self._times)

    @operation
    def reset_counters(self) -> None:
        """Begin anew, as the bean's operation resetCounters does."""
        self._add_up()
        with self._lock:
            self._begin_anew()
