from __future__ import annotations

import logging
from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.request import Request
from catalina.connector.response import BUFFER_SIZE, Response
from catalina.repeated_messages import RepeatedMessages
from tests.connector.bare import bare_connector
from tests.connector.test_wsgi_adapter import Outlet


def make(method: str = "GET", **request: Any) -> tuple[Response, Outlet]:
    outlet = Outlet()
    made = Request(ConnectionFacts(bare_connector()), method, "/shop/x")
    for name, value in request.items():
        setattr(made, name, value)
    response = Response(made, outlet)
    made.response = response
    return response, outlet


def test_fields_are_found_replaced_and_removed_in_any_case():
    response, _ = make()
    response.add_header("X", "1")
    response.add_header("x", "2")
    assert response.get_headers("X") == ["1", "2"]
    response.set_header("X", "3")
    assert response.headers == [("X", "3")]
    response.content_type = "text/plain"
    response.content_length = 5
    assert (response.content_type, response.content_length) == ("text/plain", 5)
    response.content_type = None
    assert response.content_type is None


def test_nothing_leaves_before_the_buffer_is_full():
    response, outlet = make()
    response.write(b"x" * BUFFER_SIZE)
    assert outlet.events == []
    assert not response.committed
    response.write(b"y")
    assert response.committed
    assert outlet.events == [("head", 200, b"x" * BUFFER_SIZE + b"y", False)]
    response.set_header("X", "too late")
    assert response.headers == []
    response.finish()
    assert outlet.events[-1] == "end"


def test_finishing_twice_sends_once():
    response, outlet = make()
    response.write(b"a")
    response.finish()
    response.finish()
    assert outlet.events == [("head", 200, b"a", True)]


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("HEAD", 200, "3"), ("GET", 204, None), ("GET", 304, None), ("GET", 205, "0")],
)
def test_answers_without_a_body_say_the_right_length(method, status, length):
    response, outlet = make(method)
    response.status = status
    response.write(b"abc")
    response.finish()
    assert outlet.events == [("head", status, b"", True)]
    assert response.get_header("content-length") == length
    assert response.bytes_written() == 0
    assert response.content_written == 3


def test_an_error_drops_what_was_written_and_what_comes():
    response, outlet = make()
    response.write(b"half a page")
    response.send_error(404, "nowhere")
    response.write(b"more")
    assert (response.is_error, response.status, response.message, response.content_written) == (True, 404, "nowhere", 0)
    response.suspended = False
    response.write(b"the error page")
    response.finish()
    assert outlet.events == [("head", 404, b"the error page", True)]


def test_the_error_page_is_written_by_one():
    response, _ = make()
    assert response.set_error_reported()
    assert not response.set_error_reported()


def test_nothing_can_be_taken_back_once_it_has_left():
    response, _ = make()
    response.write(b"x")
    response.flush()
    for change in (
        response.reset,
        response.reset_buffer,
        lambda: response.send_error(500),
        lambda: response.send_redirect("/"),
    ):
        with pytest.raises(RuntimeError):
            change()


def test_reset_forgets_everything():
    response, outlet = make()
    response.status = 201
    response.set_header("X", "1")
    response.write(b"abc")
    response.reset()
    response.finish()
    assert outlet.events == [("head", 200, b"", True)]
    assert response.headers == []


@pytest.mark.parametrize(
    ("protocol", "location", "sent"),
    [
        ("HTTP/1.1", "../login", "../login"),
        ("HTTP/1.0", "../login", "http://shop:8080/login"),
        ("HTTP/1.0", "https://other/", "https://other/"),
    ],
)
def test_a_redirect_stays_relative_where_the_client_understands_that(protocol, location, sent):
    response, _ = make()
    request = response.request
    request.protocol, request.server_name, request.server_port = protocol, "shop", 8080
    response.send_redirect(location)
    assert (response.status, response.get_header("location")) == (302, sent)
    assert response.suspended


def test_a_cookie_replaces_one_of_its_name_only_on_demand():
    response, _ = make()
    response.add_cookie("a", "1")
    response.add_cookie("a", "2")
    response.add_cookie("b", "3")
    response.add_cookie("a", "4", replace=True)
    assert response.get_headers("set-cookie") == ["b=3", "a=4"]


class Pending:
    def __init__(self) -> None:
        self.done = False
        self.callbacks: list[Any] = []

    def add_done_callback(self, callback: Any) -> None:
        if self.done:
            callback(self)
        else:
            self.callbacks.append(callback)

    def complete(self) -> None:
        self.done = True
        for callback in self.callbacks:
            callback(self)


def test_a_response_is_held_until_all_its_deliveries_are_done():
    response, _ = make()
    first, second = Pending(), Pending()
    response.hold(None)
    assert response.held_by is None
    response.hold(first)
    response.hold(second)
    released: list[int] = []
    held = response.held_by
    assert held is not None
    held.add_done_callback(lambda _: released.append(1))
    first.complete()
    assert released == []
    assert response.held_by is held
    second.complete()
    assert released == [1]
    assert response.held_by is None


def test_a_part_of_a_file_sets_the_length(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    response, outlet = make()
    response.send_file(path.open("rb"), 2, 5)
    response.finish()
    assert outlet.events == [("head", 200, b"", False), ("file", 2, 5), "end"]
    assert response.content_length == 5


def test_a_file_for_head_is_only_closed(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    response, outlet = make("HEAD")
    file = path.open("rb")
    response.send_file(file)
    response.finish()
    assert file.closed
    assert outlet.events[0] == ("head", 200, b"", False)
    assert response.content_length == 10


@pytest.mark.parametrize(
    ("method", "status", "body", "length"),
    [("GET", 200, b"abc", 3), ("GET", 200, b"", 0), ("GET", 304, b"", -1), ("GET", 205, b"", 0),
     ("HEAD", 200, b"abc", 3),
     ("HEAD", 200, b"", -1)],
)  # fmt: skip
def test_the_length_is_known_before_the_head_leaves(method, status, body, length):
    response, _ = make(method)
    response.status = status
    response.write(body)
    assert response.length_to_send == length
    response.finish()
    # The connection writes the length of a body itself.
    assert response.content_length in (length, -1)


def test_the_reason_is_the_applications_as_long_as_the_status_is():
    response, _ = make()
    response.status, response.status_text = 409, "409 Taken already"
    assert response.reason == "Taken already"
    response.status = 404
    assert response.reason == "Not Found"
    response.status = 799
    assert response.reason == ""


@pytest.mark.parametrize(
    ("values", "length", "kept"),
    [
        ([], None, 0),
        (["5"], "5", 1),
        (["5", "5"], "5", 1),
        (["5", "6"], None, 0),
        (["-5"], None, 0),
        (["\u0665"], None, 0),
    ],
)
def test_a_response_has_one_content_length_or_none(values, length, kept, caplog):
    response, _ = make()
    response.headers = [("Content-Length", value) for value in values]
    messages = RepeatedMessages(logging.getLogger("test"))
    assert response.settle_content_length(messages) == length
    assert len(response.get_headers("content-length")) == kept
    assert ("is left out" in caplog.text) == (bool(values) and length is None)
