"""The status pages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from lxml import etree

from catalina.manager.status import ConnectorStatus, Status
from catalina.manager.status_manager_servlet import GAP_SECONDS, WINDOW_SECONDS, StatusHistory
from tests.support.narrowing import there


@pytest.mark.parametrize(
    ("login", "status"),
    [(None, 401), ("low:low", 403), ("watch:secret", 200), ("op:secret", 200), ("gui:secret", 200)],
)
def test_every_role_of_the_manager_sees_the_status(site, login, status):
    assert site.ask("/manager/status", login=login).status == status


def number(element: etree._Element, name: str) -> int:
    return int(there(element.get(name)))


def test_telegraf_finds_memory_threads_and_requests(site):
    """The elements that influxdata/telegraf plugins/inputs/tomcat/tomcat.go reads."""
    site.ask("/plain/", login=None)
    answer = site.ask("/manager/status/all?XML=true", login="watch:secret")
    assert answer.headers["Content-Type"] == "text/xml;charset=utf-8"
    root = etree.fromstring(answer.text.encode())
    memory = there(root.find("jvm/memory"))
    assert number(memory, "total") >= number(memory, "free") > 0
    assert number(memory, "max") != 0
    for pool in root.findall("jvm/memorypool"):
        assert {"name", "type", "usageInit", "usageCommitted", "usageMax", "usageUsed"} == set(pool.keys())
    (connector,) = root.findall("connector")
    assert connector.get("name") == f'"{site.service.connectors[0].name}"'
    assert set(there(connector.find("threadInfo")).keys()) == {"maxThreads", "currentThreadCount", "currentThreadsBusy"}
    requests = there(connector.find("requestInfo"))
    assert number(requests, "requestCount") >= 1
    assert set(requests.keys()) == {
        "maxTime", "processingTime", "requestCount", "errorCount", "bytesReceived", "bytesSent",
    }  # fmt: skip


def test_the_json_has_applications_when_all_is_asked_for(site):
    site.ask("/plain/", login=None)
    short = json.loads(site.ask("/manager/status?JSON=true").text)["tomcat"]
    assert set(short) == {"jvm", "connector"}
    whole = json.loads(site.ask("/manager/status/all?JSON=true&XML=true").text)["tomcat"]
    assert whole["jvm"]["memory"]["total"] > 0
    plain = next(context for context in whole["context"] if context["name"] == "localhost/plain")
    assert plain["state"] == "STARTED"
    assert plain["manager"]["activeSessions"] == 1
    served = next(servlet for servlet in plain["wrapper"] if servlet["requestCount"])
    assert served["requestCount"] == 1
    assert served["errorCount"] == 0


@pytest.mark.parametrize("path", ["/manager/status", "/manager/status/all"])
def test_the_page_shows_the_same(site, path):
    answer = site.ask(path)
    assert answer.headers["Content-Type"] == "text/html;charset=utf-8"
    assert site.service.connectors[0].name in answer.text
    assert ("localhost/plain" in answer.text) == path.endswith("all")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_only_reading_is_possible(site):
    assert site.ask("/manager/status", "POST", b"x").status == 405


def test_the_page_has_charts_that_go_on_with_each_look(site):
    for _ in range(2):
        page = site.ask("/manager/status")
    assert page.text.count("<figure>") == 6
    assert "Requests per second" in page.text
    assert 'data-poll="/manager/status"' in page.text
    assert ' style="' not in page.text


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
