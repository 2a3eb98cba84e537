from __future__ import annotations

import logging
import math

from catalina.connector.connector import Connector
from catalina.connector.http11_rules import Http11Rules
from catalina.coyote.http_error import HttpError


def rules(**attributes: str) -> Http11Rules:
    connector = Connector()
    for name, text in attributes.items():
        assert connector.set_attribute(name, text)
    return Http11Rules(connector)


def test_time_outs_follow_each_other_where_they_are_not_set():
    assert rules(connectionTimeout="20000").keep_alive_s == 20
    assert rules(connectionTimeout="20000", keepAliveTimeout="5000").keep_alive_s == 5
    assert rules(keepAliveTimeout="-1").keep_alive_s == math.inf
    assert rules(connectionTimeout="20000").body_timeout_s == 20
    assert rules(disableUploadTimeout="false").body_timeout_s == 300


def test_the_keep_alive_line_says_how_long():
    assert rules(keepAliveTimeout="5000").keep_alive_line == "Keep-Alive: timeout=5\r\n"
    assert rules(keepAliveTimeout="-1").keep_alive_line == ""
    assert rules(useKeepAliveResponseHeader="false").keep_alive_line == ""


def test_the_common_lines_are_formatted_once_a_second(monkeypatch):
    made = rules(server="mine")
    now = [1_000_000_000.5]
    monkeypatch.setattr("catalina.connector.http11_rules.time.time", lambda: now[0])
    first = made.common_lines()
    assert first == "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\nServer: mine\r\n"
    assert made.common_lines() is first
    now[0] += 1
    assert made.common_lines().startswith("Date: Sun, 09 Sep 2001 01:46:41 GMT")
    assert made.date_line() == "Date: Sun, 09 Sep 2001 01:46:41 GMT\r\n"


def test_rubbish_fills_no_log(caplog):
    caplog.set_level(logging.DEBUG, "org.apache.coyote.http11.Http11Processor")
    made = rules()
    for _ in range(3):
        made.log_refusal("10.0.0.1", HttpError(400, "rubbish"))
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG", "DEBUG"]


def test_limits_and_patterns_are_read():
    made = rules(maxSwallowSize="5", restrictedUserAgents="Bad.*", allowedTrailerHeaders="Digest, X", xpoweredBy="true")
    assert made.max_swallow == 5
    assert made.restricted_agents is not None
    assert made.trailers == {"digest", "x"}
    assert made.powered_by
