from __future__ import annotations

from typing import Any

import pytest

from catalina.connector.http2_stream import _clean
from tests.connector.test_http2_connection import H2Client, echo, serving_h2


def test_values_lose_what_the_protocol_does_not_allow():
    assert _clean([("x", " a\r\nb\0 "), ("y", "fine")]) == [("x", "a  b"), ("y", "fine")]


def test_files_and_streams_of_any_length_are_sent(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 50_000)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/file":
            return environ["wsgi.file_wrapper"](path.open("rb"))
        return (b"z" * 100_000 for _ in range(30))

    with serving_h2(application) as connector, H2Client(connector) as client:
        assert client.answer(client.request("GET", "/file")) == (200, b"0123456789" * 50_000)
        assert client.answer(client.request("GET", "/stream")) == (200, b"z" * 3_000_000)


def test_a_body_that_stops_coming_is_408():
    with serving_h2(echo, h2_streamReadTimeout="300") as connector, H2Client(connector) as client:
        stream = client.h2.get_next_available_stream_id()
        client.answers[stream] = {"fields": {}, "body": b"", "ended": False, "reset": None}
        pseudo = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
        client.h2.send_headers(stream, [*pseudo, ("content-length", "100000")])
        client.send_body(stream, b"x" * 100, end=False)
        assert client.answer(stream)[0] == 408


def test_what_nobody_expects_costs_one_stream_only(monkeypatch, caplog):
    with serving_h2(echo) as connector, H2Client(connector) as client:
        adapter = connector.endpoint.adapter
        service = adapter.service

        def fail(request: Any, response: Any) -> None:
            if request.request_uri == "/fail":
                raise SystemExit("raised below everybody")
            service(request, response)

        monkeypatch.setattr(adapter, "service", fail)
        stream = client.request("GET", "/fail")
        while client.answers[stream]["reset"] is None:
            client.receive()
        assert client.answer(client.request("GET", "/fine"))[0] == 200
    assert "raised below everybody" in caplog.text


def test_bodies_that_wait_for_their_turn_leave_room_for_those_that_are_read():
    """More than the windows of few streams arrives before any of the requests can end."""

    def count(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        size = len(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"%d" % size]

    with serving_h2(count, h2_maxConcurrentStreamExecution="2") as connector, H2Client(connector) as client:
        streams = []
        for _ in range(60):
            stream = client.h2.get_next_available_stream_id()
            client.answers[stream] = {"fields": {}, "body": b"", "ended": False, "reset": None}
            pseudo = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
            client.h2.send_headers(stream, [*pseudo, ("content-length", "70000")])
            client.flush()
            streams.append(stream)
        for stream in streams:
            client.send_body(stream, b"x" * 60_000, end=False)
        for stream in streams:
            client.send_body(stream, b"x" * 10_000)
        assert [client.answer(stream) for stream in streams] == [(200, b"70000")] * 60


@pytest.mark.parametrize(
    ("length", "blocks", "body"),
    [("3", [b"abcdef"], b"abc"), ("4", [b"ab", b"cdef"], b"abcd"), ("6", [b"abc", b"def"], b"abcdef")],
)
def test_no_more_leaves_than_the_content_length_promises(length, blocks, body):
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", length)])
        return iter(blocks)

    with serving_h2(application) as connector, H2Client(connector) as client:
        assert client.answer(client.request()) == (200, body)


def test_an_answer_that_is_shorter_than_promised_is_reset():
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "10")])
        return iter([b"abc"])

    with serving_h2(application) as connector, H2Client(connector) as client:
        stream = client.request()
        while client.answers[stream]["reset"] is None:
            client.receive()


def test_fields_of_the_connector_are_in_the_answers():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Server", "own")])
        return [b""]

    def server_of(**attributes: str) -> tuple[str | None, str | None]:
        with serving_h2(application, **attributes) as connector, H2Client(connector) as client:
            stream = client.request()
            client.answer(stream)
            fields = client.answers[stream]["fields"]
            return fields.get("server"), fields.get("x-powered-by")

    assert server_of() == ("own", None)
    assert server_of(server="shop") == ("shop", None)
    assert server_of(serverRemoveAppProvidedValues="true", xpoweredBy="true") == (None, "WSGI/1.0 (Catalina; Python)")
