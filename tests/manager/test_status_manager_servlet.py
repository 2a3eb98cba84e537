"""The status pages."""

from __future__ import annotations

import json

import pytest
from lxml import etree

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
