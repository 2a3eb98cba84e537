"""The charts of the status page."""

from __future__ import annotations

import re
from typing import Any

from catalina.manager.status import ConnectorStatus, Status
from catalina.manager.status_history import GAP_SECONDS, WINDOW_SECONDS, StatusHistory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def status(requests: int = 0, name: str = "http-nio-8080", **values: Any) -> Status:
    counters = {"requestCount": requests, "errorCount": 0, "processingTime": 0, "bytesSent": 0} | values
    connector = ConnectorStatus(name, {"currentThreadsBusy": 3}, counters)
    return Status({}, [("Objects", "Heap memory", {"used": 2048})], [connector], [])


def charts(history: StatusHistory) -> dict[str, str]:
    """The content of each chart, by its title."""
    return dict(text.split(": ", 1) for text in re.findall(r'aria-label="([^"]*: [^"]*)"', history.charts()))


def test_rates_are_between_two_looks():
    clock = Clock()
    history = StatusHistory(clock)
    history.note(status(100))
    assert charts(history)["Requests per second"] == "http-nio-8080 -"
    clock.now = 10.0
    history.note(status(150, errorCount=5, processingTime=400, bytesSent=20480))
    assert charts(history) == {
        "Requests per second": "http-nio-8080 5.0",
        "Errors per second": "http-nio-8080 0.5",
        "Mean time of a request": "http-nio-8080 8.0 ms",
        "Busy threads": "http-nio-8080 3",
        "Sent per second": "http-nio-8080 2.0 KiB",
        "Memory used": "Objects 2.0 KiB",
    }


def test_a_counter_that_begins_anew_and_times_without_a_look_break_the_line():
    clock = Clock()
    history = StatusHistory(clock)
    for seconds, requests in ((0, 100), (2, 110), (4, 0), (6, 10), (7 + GAP_SECONDS, 20), (9 + GAP_SECONDS, 30)):
        clock.now = seconds
        history.note(status(requests))
    requests_chart = re.findall(r"<figure>.*?</figure>", str(history.charts()))[0]
    assert requests_chart.count("<polyline") == 3


def test_no_requests_have_no_mean_time():
    clock = Clock()
    history = StatusHistory(clock)
    history.note(status(100))
    clock.now = 2.0
    history.note(status(100))
    assert charts(history)["Mean time of a request"] == "http-nio-8080 -"


def test_who_asks_all_the_time_fills_nothing_and_old_looks_are_forgotten():
    clock = Clock()
    history = StatusHistory(clock)
    for step in range(20_000):
        clock.now = step / 10
        history.note(status(step))
    assert len(history._samples) <= WINDOW_SECONDS
    assert clock.now - history._samples[0].at <= WINDOW_SECONDS + 1
    clock.now += 2 * WINDOW_SECONDS
    history.note(status(0))
    assert len(history._samples) == 1
