from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.connector.wsgi_adapter import FileWrapper, run_application
from tests.connector.bare import bare_connector


class Outlet:
    """Collects what a response sends."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        self.events.append(("head", response.status, body, complete))

    def send_body(self, data: bytes) -> None:
        self.events.append(data)

    def send_file(self, file: Any, offset: int, count: int) -> None:
        self.events.append(("file", offset, count))
        file.close()

    def flushed(self) -> None:
        pass

    def end(self) -> None:
        self.events.append("end")

    @property
    def handover(self) -> None:
        """It cannot be given to another process."""


def run(application: Any, method: str = "GET") -> tuple[Response, list[Any]]:
    request = Request(ConnectionFacts(bare_connector()), method, "/")
    outlet = Outlet()
    response = Response(request, outlet)
    request.response = response
    run_application(application, {}, request, response)
    response.finish()
    return response, outlet.events


def test_a_list_leaves_as_a_whole_and_may_still_be_changed():
    response, events = run(lambda environ, start: (start("201 Created", [("X", "1")]), [b"a", b"b"])[1])
    assert events == [("head", 201, b"ab", True)]
    assert response.headers == [("X", "1")]


def test_blocks_of_an_iterable_leave_one_by_one():
    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [])
        yield b""
        yield b"a"
        yield b"b"

    assert run(application)[1] == [("head", 200, b"a", False), b"b", "end"]


def test_the_last_block_that_the_length_promises_is_not_flushed_alone():
    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Length", "2")])
        yield b"a"
        yield b"b"

    assert run(application)[1] == [("head", 200, b"a", False), b"b", "end"]
    assert run(lambda e, s: (s("200 OK", [("Content-Length", "1")]), iter([b"a"]))[1])[1] == [("head", 200, b"a", True)]


def test_start_response_may_come_with_the_first_block():
    def application(environ: Any, start: Any) -> Any:
        yield b""
        start("202 Accepted", [])
        yield b"late"

    assert run(application)[1][0] == ("head", 202, b"late", False)


def test_the_write_callable_sends_at_once():
    def application(environ: Any, start: Any) -> Any:
        write = start("200 OK", [])
        write(b"first")
        return [b"second"]

    assert run(application)[1] == [("head", 200, b"first", False), b"second", "end"]


def test_close_is_called_whatever_happens():
    closed: list[str] = []

    class Body:
        def __init__(self, name: str, fails: bool) -> None:
            self.name, self.fails = name, fails

        def __iter__(self) -> Any:
            yield b"x"
            if self.fails:
                raise ValueError("half way")

        def close(self) -> None:
            closed.append(self.name)

    run(lambda environ, start: (start("200 OK", []), Body("good", False))[1])
    with pytest.raises(ValueError, match="half way"):
        run(lambda environ, start: (start("200 OK", []), Body("bad", True))[1])
    assert closed == ["good", "bad"]


def test_an_error_replaces_status_and_fields_while_nothing_has_left():
    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [("X", "1"), ("Y", "2")])
        try:
            raise KeyError("broken")
        except KeyError:
            start("500 Oops", [("Z", "3")], sys.exc_info())
        return [b"sorry"]

    response, events = run(application)
    assert events == [("head", 500, b"sorry", True)]
    assert response.headers == [("Z", "3")]


def test_an_error_after_the_head_has_left_is_raised_again():
    def application(environ: Any, start: Any) -> Any:
        write = start("200 OK", [])
        write(b"x")
        try:
            raise KeyError("broken")
        except KeyError:
            start("500 Oops", [], sys.exc_info())
        return []

    with pytest.raises(KeyError):
        run(application)


@pytest.mark.parametrize(
    "application",
    [
        lambda environ, start: [b"no start_response"],
        lambda environ, start: iter([b"body first"]),
        lambda environ, start: (start("200 OK", []), start("200 OK", []), [])[2],
        lambda environ, start: (start("OK", []), [])[1],
        lambda environ, start: (start("2000 OK", []), [])[1],
        lambda environ, start: (start("099 Low", []), [])[1],
    ],
)
def test_applications_that_break_the_protocol_are_told_so(application):
    with pytest.raises(AssertionError):
        run(application)


def test_a_file_is_left_to_the_connection(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")

    def application(environ: Any, start: Any) -> Any:
        file = path.open("rb")
        file.seek(3)
        start("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    response, events = run(application)
    assert events == [("head", 200, b"", False), ("file", 3, 7), "end"]
    assert response.content_length == 7


def test_a_file_without_a_descriptor_is_read():
    closed: list[bool] = []

    class Memory(io.BytesIO):
        def close(self) -> None:
            closed.append(True)
            super().close()

    response, events = run(lambda e, s: (s("200 OK", []), FileWrapper(Memory(b"abc"), 2))[1])
    assert events == [("head", 200, b"abc", True)]
    assert closed == [True]
    assert response.content_written == 3


def test_a_client_that_has_gone_ends_the_application_and_closes_its_body():
    closed: list[bool] = []

    class Gone(Outlet):
        def send_head(self, response: Response, body: bytes, complete: bool) -> None:
            raise ClientAbortException("gone")

    def blocks() -> Any:
        try:
            yield b"x" * 10_000
        finally:
            closed.append(True)

    request = Request(ConnectionFacts(bare_connector()), "GET", "/")
    response = Response(request, Gone())
    request.response = response
    with pytest.raises(ClientAbortException):
        run_application(lambda environ, start: (start("200 OK", []), blocks())[1], {}, request, response)
    assert closed == [True]


def test_fields_of_valves_stay_beside_those_of_the_application():
    request = Request(ConnectionFacts(bare_connector()), "GET", "/")
    response = Response(request, Outlet())
    request.response = response
    response.add_header("X-Valve", "1")
    run_application(lambda environ, start: (start("200 OK", [("X", "2")]), [])[1], {}, request, response)
    assert response.headers == [("X-Valve", "1"), ("X", "2")]
