"""Pages for errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.standard_host import StandardHost
from catalina.valves.error_report_valve import ErrorReportValve, partial_trace
from tests.core.node import Node
from tests.valves.exchange import Last, Sent, make_request


def run(valve: ErrorReportValve, serve: Any) -> tuple[Response, str]:
    request, response = make_request("/x")
    valve.next = Last(serve)
    valve.invoke(request, response)
    response.finish()
    outlet = response.outlet
    assert isinstance(outlet, Sent)
    return response, outlet.body.decode()


def fail_with(status: int, message: str | None = None, exception: BaseException | None = None) -> Any:
    def serve(request: Request, response: Response) -> None:
        response.exception = exception
        response.send_error(status, message)

    return serve


def test_the_page_has_status_message_and_description_escaped() -> None:
    response, body = run(ErrorReportValve(), fail_with(404, "<script>/x"))
    assert (response.status, response.content_type) == (404, "text/html;charset=utf-8")
    assert response.get_header("Content-Language") == "en"
    assert "<h1>HTTP Status 404 \N{EN DASH} Not Found</h1>" in body
    assert "&lt;script&gt;&#47;x" in body
    assert "<script>" not in body
    assert "<b>Description</b> The origin server did not find" in body
    assert "Catalina for Python/" in body


def test_report_and_server_can_be_hidden() -> None:
    _, body = run(
        ErrorReportValve(show_report=False, show_server_info=False), fail_with(500, "secret", ValueError("inner"))
    )
    assert "secret" not in body
    assert "inner" not in body
    assert "Catalina" not in body
    assert "HTTP Status 500" in body


def test_an_exception_is_shown_with_its_cause_and_without_source_lines() -> None:
    try:
        try:
            raise KeyError("innermost <x>")
        except KeyError as cause:
            raise ValueError("outer") from cause
    except ValueError as caught:
        exception = caught
    _, body = run(ErrorReportValve(), fail_with(500, None, exception))
    assert "ValueError: outer" in body
    assert "<b>Root Cause</b>" in body
    assert "innermost &lt;x&gt;" in body
    assert "raise KeyError" not in body
    assert "test_error_report_valve.py:" in partial_trace(exception)


def test_a_valve_that_raises_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    def serve(request: Request, response: Response) -> None:
        raise OSError("broken")

    response, body = run(ErrorReportValve(), serve)
    assert response.status == 500
    assert "OSError: broken" in body
    assert "Exception Processing [/x]" in caplog.text


def test_a_client_that_has_gone_gets_nothing() -> None:
    def serve(request: Request, response: Response) -> None:
        raise ClientAbortException("gone")

    with pytest.raises(ClientAbortException):
        run(ErrorReportValve(), serve)


@pytest.mark.parametrize("status", [200, 302, 399])
def test_what_is_no_error_is_left_alone(status: int) -> None:
    def serve(request: Request, response: Response) -> None:
        response.status = status
        response.write(b"own")

    assert run(ErrorReportValve(), serve)[1] == "own"


def test_a_status_without_send_error_has_no_page() -> None:
    def serve(request: Request, response: Response) -> None:
        response.status = 404

    assert run(ErrorReportValve(), serve)[1] == ""


def test_a_status_of_the_applications_own_has_no_page_unless_it_is_an_exception() -> None:
    assert run(ErrorReportValve(), fail_with(599))[1] == ""
    assert "Unknown Reason" in run(ErrorReportValve(), fail_with(599, None, ValueError("x")))[1]


@pytest.mark.parametrize("status", [418, 444, 499, 599])
def test_a_word_of_the_application_is_reported_with_any_status(status: int) -> None:
    response, body = run(ErrorReportValve(), fail_with(status, "out of <tea>"))
    assert f"HTTP Status {status} \N{EN DASH} Unknown Reason" in body
    assert "<b>Message</b> out of &lt;tea&gt;" in body
    assert response.get_header("Content-Language") == "en"


@pytest.mark.parametrize("status", [404, 418, 599])
def test_the_page_for_all_errors_is_sent_for_every_status(tmp_path: Path, status: int) -> None:
    (tmp_path / "any.html").write_text("any")
    valve = ErrorReportValve()
    valve.set_attribute("errorCode.0", str(tmp_path / "any.html"))
    response, body = run(valve, fail_with(status))
    assert (body, response.get_header("Content-Language")) == ("any", None)


def test_causes_that_go_round_in_a_circle_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert run(ErrorReportValve(), fail_with(500, None, first))[1].count("Root Cause") == 10


def test_files_can_stand_for_statuses_and_exceptions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    for name in ("404.html", "any.html", "value.html"):
        (tmp_path / name).write_text(name)
    valve = ErrorReportValve()
    for name, text in (
        ("errorCode.404", "404.html"),
        ("errorCode.0", "any.html"),
        ("errorCode.410", "nowhere.html"),
        ("exceptionType.ValueError", "value.html"),
        ("showReport", "false"),
    ):
        assert valve.set_attribute(name, text)
    assert not valve.set_attribute("errorCode.x", "y")
    assert not valve.set_attribute("unknown", "y")
    node.host.add_valve(valve)
    assert isinstance(node.host, StandardHost)
    assert run(valve, fail_with(404))[1] == "404.html"
    assert run(valve, fail_with(503))[1] == "any.html"
    assert run(valve, fail_with(500, None, ValueError()))[1] == "value.html"
    assert "HTTP Status 410" in run(valve, fail_with(410))[1]
    assert "Unable to find a static error page at" in caplog.text
