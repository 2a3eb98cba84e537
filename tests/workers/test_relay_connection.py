"""The end of a relayed request at the worker that runs the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from catalina.connector.headers import Headers
from tests.connector.serving import Client
from tests.support.waiting import wait_until
from tests.workers.hop import hop


def empty(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return []


def test_the_request_says_what_the_connection_has_said() -> None:
    seen: list[Any] = []

    def tell(request: Any, _: Any) -> None:
        request.attributes["jakarta.servlet.request.X509Certificate"] = ("PEM",)
        request.attributes["an object"] = object()
        request.secure, request.scheme = True, "https"
        request.remote_user, request.auth_type = "ann", "BASIC"
        request.headers = Headers([(b"Host", b"shop"), (b"X", b"\xff")])

    with hop(empty) as way:
        passed_on = way.front.service.valve.before  # type: ignore[union-attr]
        way.front.service.valve.before = lambda request, response: (  # type: ignore[union-attr]
            tell(request, response), passed_on(request, response))  # fmt: skip
        way._back.service.valve.before = lambda request, _: seen.append(request)  # type: ignore[union-attr]
        with Client(way.front) as client:
            assert client.get("/").status == 200
    (request,) = seen
    assert request.attributes == {"jakarta.servlet.request.X509Certificate": ("PEM",)}
    assert (request.scheme, request.secure, request.proxy_user) == ("https", True, "ann")
    assert request.principal.name == "ann"
    assert request.headers.raw == [(b"Host", b"shop"), (b"X", b"\xff")]


def test_a_stream_that_brings_nonsense_is_closed() -> None:
    with hop(empty) as way, Client(way.front) as client:
        assert client.get("/").status == 200
        (stream,) = wait_until(lambda: way.relay._idle.get((1, 0)), "the stream is kept")
        stream.sock.send(b"\0\0\0\0\x7f\0\0\0\0")
        assert stream.sock.recv(1) == b""
        assert client.get("/").status == 200


def test_a_worker_that_ends_closes_the_streams_that_nobody_uses() -> None:
    with hop(empty) as way, Client(way.front) as client:
        assert client.get("/").status == 200
        (stream,) = wait_until(lambda: way.relay._idle.get((1, 0)), "the stream is kept")
        way._back.pause()
        assert stream.sock.recv(1) == b""
        wait_until(lambda: way._back.connection_count == 0, "it has gone")
