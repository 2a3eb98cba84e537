"""The numbers of the status page over the last minutes, with a sample for each request of the page in any form."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from catalina.manager.charts import Line, charts, line_chart
from catalina.manager.page import Html
from catalina.manager.status import Status
from catalina.manager.words import number, size

__all__ = ["StatusHistory"]

#: Seconds that the charts show, and the least number of seconds between two samples, which bounds their number.
WINDOW_SECONDS, STEP_SECONDS = 600.0, 1.0
#: Seconds between two samples from which on no line is drawn between them, because nobody has looked.
GAP_SECONDS = 90.0
#: Lines of one chart.
MAX_LINES = 8

Numbers = dict[str, float]


class _Sample(NamedTuple):
    at: float
    connectors: dict[str, Numbers]
    memory: Numbers


class StatusHistory:
    """Any thread.

    Args:
        clock: seconds that pass evenly.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[_Sample] = deque(maxlen=int(WINDOW_SECONDS / STEP_SECONDS))

    def note(self, status: Status) -> None:
        """Keep the numbers of a status that was just read."""
        now = self._clock()
        with self._lock:
            while self._samples and now - self._samples[0].at > WINDOW_SECONDS:
                self._samples.popleft()
            if self._samples and now - self._samples[-1].at < STEP_SECONDS:
                return
            connectors = {each.name: _numbers(each.threads, each.requests) for each in status.connectors[:MAX_LINES]}
            memory = {name: float(usage["used"]) for name, _, usage in status.pools[:MAX_LINES]}
            self._samples.append(_Sample(now, connectors, memory))

    def charts(self) -> Html:
        """The charts as of now."""
        with self._lock:
            samples = tuple(self._samples)
        drawn = [
            line_chart(title, self._lines(samples, value), told, "ten minutes") for title, value, told in _CHARTS
        ]  # fmt: skip
        return charts(drawn)

    def _lines(self, samples: Sequence[_Sample], value: _Value) -> list[Line]:
        now = self._clock()
        names = dict.fromkeys(name for sample in samples for name in value.names(sample))
        lines = []
        for colour, name in enumerate(names):
            points: list[tuple[float, float] | None] = []
            for before, sample in itertools.pairwise(samples):
                found = value.of(before, sample, name) if sample.at - before.at <= GAP_SECONDS else None
                points.append(None if found is None else (1 - (now - sample.at) / WINDOW_SECONDS, found))
            newest = points[-1] if points else None
            lines.append(Line(name, colour, points, newest[1] if newest is not None else None))
        return lines


def _numbers(threads: Mapping[str, Any], requests: Mapping[str, Any]) -> Numbers:
    found = {"busy": threads.get("currentThreadsBusy")}
    found |= {name: requests.get(name) for name in ("requestCount", "errorCount", "processingTime", "bytesSent")}
    return {name: float(value) for name, value in found.items() if value is not None}


class _Value(NamedTuple):
    """A number of a chart: the names that have one in a sample, and its value from two samples; None: it has none."""

    names: Callable[[_Sample], Sequence[str]]
    of: Callable[[_Sample, _Sample, str], float | None]


def _names(sample: _Sample) -> Sequence[str]:
    return list(sample.connectors)


def _step(before: _Sample, sample: _Sample, name: str, key: str) -> float | None:
    """The growth of a counter; None when it is not in both samples, or began anew."""
    old, new = before.connectors.get(name, {}).get(key), sample.connectors.get(name, {}).get(key)
    return new - old if old is not None and new is not None and new >= old else None


def _rate(key: str) -> _Value:
    def of(before: _Sample, sample: _Sample, name: str) -> float | None:
        grown = _step(before, sample, name, key)
        return None if grown is None else grown / (sample.at - before.at)

    return _Value(_names, of)


def _mean(before: _Sample, sample: _Sample, name: str) -> float | None:
    took, requests = (_step(before, sample, name, key) for key in ("processingTime", "requestCount"))
    return took / requests if took is not None and requests else None


_CHARTS: tuple[tuple[str, _Value, Callable[[float], str]], ...] = (
    ("Requests per second", _rate("requestCount"), number),
    ("Errors per second", _rate("errorCount"), number),
    ("Mean time of a request", _Value(_names, _mean), lambda value: f"{value:,.1f} ms"),
    ("Busy threads", _Value(_names, lambda _, sample, name: sample.connectors.get(name, {}).get("busy")),
     lambda value: number(int(value))),
    ("Sent per second", _rate("bytesSent"), size),
    ("Memory used", _Value(lambda sample: list(sample.memory), lambda _, sample, name: sample.memory.get(name)), size),
)  # fmt: skip
