"""Errors as JSON."""

from __future__ import annotations

import json

from catalina.valves.json_error_report_valve import JsonErrorReportValve
from tests.valves.test_error_report_valve import fail_with, run


def test_a_status_as_json() -> None:
    response, body = run(JsonErrorReportValve(), fail_with(404, 'not "there"'))
    assert response.content_type == "application/json;charset=utf-8"
    answer = json.loads(body)
    assert (answer["type"], answer["message"]) == ("Status Report", 'not "there"')
    assert answer["description"].startswith("The origin server")


def test_an_exception_and_its_causes() -> None:
    exception = ValueError("outer")
    exception.__cause__ = KeyError("inner")
    answer = json.loads(run(JsonErrorReportValve(), fail_with(500, None, exception))[1])
    assert answer["type"] == "Exception Report"
    assert answer["throwable"][0] == "ValueError: outer"
    assert answer["causes"][0][0] == "KeyError: 'inner'"


def test_the_report_can_be_hidden() -> None:
    answer = json.loads(run(JsonErrorReportValve(show_report=False), fail_with(500, "secret"))[1])
    assert answer == {"status": 500}


def test_a_status_without_a_reason_needs_a_word() -> None:
    assert run(JsonErrorReportValve(), fail_with(599))[1] == ""
    assert json.loads(run(JsonErrorReportValve(), fail_with(599, "tea"))[1])["reason"] == "Unknown Reason"
    assert json.loads(run(JsonErrorReportValve(show_report=False), fail_with(599))[1]) == {"status": 599}
