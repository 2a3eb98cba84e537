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


def test_rubbish_fills_no_log(caplog):
    caplog.set_level(logging.DEBUG, "org.apache.coyote.http11.Http11Processor")
    made = rules()
    for _ in range(3):
        made.log_refusal("10.0.0.1", HttpError(400, "rubbish"))
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG", "DEBUG"]


def test_who_is_let_go_and_what_is_boasted_are_read():
    made = rules(restrictedUserAgents="Bad.*", xpoweredBy="true")
    assert made.restricted_agents is not None
    assert made.powered_by
