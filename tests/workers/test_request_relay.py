"""A request whose connection is in one worker and whose application is in another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.wsgi_adapter import FileWrapper
from catalina.workers import request_relay
from tests.connector.serving import Client
from tests.connector.test_http2_connection import H2Client, serving_h2
from tests.support.waiting import wait_until
from tests.workers.hop import hop

Environ = dict[str, Any]
Start = Callable[..., Any]


def echo(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Says what it has got, the body behind it."""
    start_response("200 Fine", [("Content-Type", "text/plain"), ("X-Way", environ["PATH_INFO"])])
    facts = (environ["REQUEST_METHOD"], environ["REQUEST_URI"], environ["HTTP_HOST"], environ["REMOTE_ADDR"])
    return [" ".join(facts).encode(), b"\n", environ["wsgi.input"].read()]


def test_the_other_worker_answers_as_if_the_client_were_its_own() -> None:
    with hop(echo) as way, Client(way.front) as client:
        answer = client.get("/a%20b?c=d")
        assert (answer.status, answer.get("x-way")) == (200, "/a b")
        assert answer.body == b"GET /a%20b?c=d test 127.0.0.1\n"
        assert answer.get("content-length") == str(len(answer.body))
        ((request, response),) = way._back.service.logged  # type: ignore[union-attr]
        assert (response.status, request.remote_addr) == (200, "127.0.0.1")
        assert way.front.service.logged == []  # type: ignore[union-attr]


def test_requests_of_a_client_share_a_stream() -> None:
    with hop(echo) as way, Client(way.front) as client:
        for _ in range(5):
            assert client.get("/").status == 200
        assert len(way.streams) == 1


@pytest.mark.parametrize("size", [3, 70_000, 3_000_000])
def test_bodies_go_both_ways(size: int) -> None:
    with hop(echo) as way, Client(way.front) as client:
        body = bytes(range(251)) * (size // 251 + 1)
        client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(body))
        threading.Thread(target=client.send, args=(body,)).start()
        assert client.answer().body.partition(b"\n")[2] == body
        assert client.get("/next").status == 200


def test_the_requests_of_an_http2_connection_go_side_by_side() -> None:
    with hop(echo, None, serving_h2) as way, H2Client(way.front) as client:
        body = bytes(200_000)
        upload = client.request("POST", "/upload", body)
        streams = [client.request("GET", f"/{number}") for number in range(20)]
        for number, stream in enumerate(streams):
            status, answer = client.answer(stream)
            assert (status, answer.split()[:2]) == (200, [b"GET", b"/%d" % number])
        assert client.answer(upload)[1].partition(b"\n")[2] == body


def test_trailers_and_the_end_of_a_chunked_body_arrive() -> None:
    def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body, b" ", str(trailer(environ)).encode()]

    def trailer(environ: Environ) -> object:
        return seen[-1].headers.get("x-sum")

    seen: list[Any] = []
    with hop(application, {"allowedTrailerHeaders": "x-sum"}, allowedTrailerHeaders="x-sum") as way:
        way._back.service.valve.before = lambda request, _: seen.append(request)  # type: ignore[union-attr]
        with Client(way.front) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert client.answer().status == 100, "the application has asked for the body"
            client.send(b"5\r\nhello\r\n0\r\nX-Sum: 12\r\n\r\n")
            assert client.answer().body == b"hello 12"


def test_a_body_that_nobody_wants_is_not_asked_for() -> None:
    def application(_: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("403 Forbidden", [("Content-Length", "2")])
        return [b"no"]

    with hop(application) as way, Client(way.front) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
        assert client.answer().status == 403


def test_blocks_leave_as_they_come() -> None:
    go_on = threading.Event()

    def application(_: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        assert go_on.wait(10)
        yield b"second"

    with hop(application) as way, Client(way.front) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        client.receive_until(b"first\r\n")
        go_on.set()
        assert client.receive_until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"


def test_files_heads_and_empty_answers(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789" * 50_000)

    def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/none":
            start_response("304 Not Modified", [])
            return []
        start_response("200 OK", [("Content-Length", "500000")])
        return FileWrapper(file.open("rb"))

    with hop(application) as way, Client(way.front) as client:
        assert client.get("/file").body == file.read_bytes()
        client.send(b"HEAD /file HTTP/1.1\r\nHost: t\r\n\r\n")
        assert client.answer(head_only=True).get("content-length") == "500000"
        assert client.get("/none").status == 304
        assert client.get("/file").body == file.read_bytes()


def test_a_client_that_goes_ends_the_application() -> None:
    closed = threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield bytes(65_536)

        def close(self) -> None:
            closed.set()

    def application(_: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Endless()

    with hop(application) as way:
        with Client(way.front) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            client.receive_until(b"\r\n\r\n")
        assert closed.wait(10)


def test_a_worker_that_ends_before_the_answer_costs_this_request_alone() -> None:
    def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/die":
            way.streams[-1].shutdown(socket.SHUT_RDWR)
        start_response("200 OK", [])
        return [b"alive"]

    with hop(application) as way, Client(way.front) as client:
        assert client.get("/die").status == 502
        assert [error.status for error in way.errors] == [502]
        assert client.get("/live").body == b"alive"


def test_a_worker_that_ends_in_the_middle_ends_the_connection() -> None:
    def application(_: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        way.streams[-1].shutdown(socket.SHUT_RDWR)

    with hop(application) as way, Client(way.front) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        assert not client.receive_to_end().endswith(b"0\r\n\r\n")
        wait_until(lambda: way.front.service.logged, "this worker logs it")  # type: ignore[union-attr]


def test_a_request_waits_for_the_next_process_in_the_workers_place() -> None:
    with hop(echo) as way, Client(way.front) as client:
        way.lost = True
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(lambda: way.waiting, "the stream waits")
        way.waiting.pop().close()  # the process that had taken it has ended before it has read the request
        wait_until(lambda: way.waiting, "the request is offered again")
        way.take(way.waiting.pop())
        assert client.answer().status == 200


def test_a_worker_that_does_not_come_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_relay, "ACCEPT_SECONDS", 0.2)
    with hop(echo) as way, Client(way.front) as client:
        way.lost = True
        assert client.get("/").status == 503
