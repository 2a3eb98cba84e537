"""The state of the server in XML and JSON."""

from __future__ import annotations

import json

from lxml import etree

from catalina.manager.status import ConnectorStatus, ContextStatus, Status, to_json, to_xml

REQUESTS = {"maxTime": 1, "processingTime": 2, "requestCount": 3, "errorCount": 4, "bytesReceived": 5, "bytesSent": 6}
BUSY = {
    "stage": 3, "requestProcessingTime": 12, "requestBytesSent": 1, "requestBytesReceived": 2, "remoteAddr": "::1",
    "virtualHost": "shop", "method": "GET", "currentUri": "/a<b>", "currentQueryString": '"', "protocol": "HTTP/1.1",
}  # fmt: skip
STATUS = Status(
    {"free": 1, "total": 2, "max": 3},
    [("Objects", "Heap memory", {"init": 1, "committed": 2, "max": 3, "used": 4})],
    [
        ConnectorStatus("http-nio-8080", {"maxThreads": 200}, REQUESTS, [BUSY, {"stage": 7}, {**BUSY, "stage": 6}]),
        ConnectorStatus("ajp-nio-8009", {"maxThreads": -1}, {}),
    ],
    [ContextStatus("localhost/a'\"<", {"stateName": "STARTED", "startTime": 0}, None, {'s"x': {"requestCount": 1}})],
)


def test_the_xml_is_well_formed_whatever_a_client_has_sent():
    root = etree.fromstring(to_xml(STATUS, "/manager").encode())
    first, second = root.findall("connector")
    assert first.get("name") == '"http-nio-8080"'
    assert second.find("requestInfo") is None
    busy, rests, keeps = first.findall("workers/worker")
    assert busy.get("currentUri") == "/a<b>"
    assert busy.get("currentQueryString") == '"'
    assert (rests.get("stage"), rests.get("remoteAddr"), rests.get("requestProcessingTime")) == ("R", "?", "0")
    assert (keeps.get("stage"), keeps.get("remoteAddr"), keeps.get("currentUri")) == ("K", "::1", "?")


def test_the_json_is_well_formed_whatever_a_name_has_in_it():
    whole = json.loads(to_json(STATUS, complete=True))["tomcat"]
    assert whole["context"][0]["name"] == "localhost/a'\"<"
    assert whole["context"][0]["wrapper"] == [{"servletName": 's"x', "requestCount": 1}]
    assert "requestInfo" not in whole["connector"][1]
    assert whole["jvm"]["memorypool"][0]["usageUsed"] == 4
