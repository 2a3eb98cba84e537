from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest

from catalina.connector.connector import Connector
from catalina.coyote.http2.http2_protocol import Http2Protocol
from tests.connector.certificates import authority
from tests.connector.serving import Client, Container, serving
from tests.connector.test_http11_connection import Pending, hold_with, wait_for
from tests.connector.tls import host_config
from tests.support.waiting import take_time


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['SERVER_PROTOCOL']} ".encode(), body]


def serving_h2(application: Any, prepare: Any = None, **attributes: str) -> Any:
    """A cleartext connector that understands the preface of HTTP/2; h2_... attributes are those of the upgrade."""

    def both(connector: Connector, container: Container) -> None:
        upgrade = Http2Protocol()
        for name in [name for name in attributes if name.startswith("h2_")]:
            assert upgrade.set_attribute(name.removeprefix("h2_"), attributes[name])
        connector.add_upgrade_protocol(upgrade)
        if prepare is not None:
            prepare(connector, container)

    return serving(application, both, **{name: text for name, text in attributes.items() if not name.startswith("h2_")})


class H2Client:
    """A client on the library's other half."""

    def __init__(
        self,
        connector: Connector,
        tls: bool = False,
        name: str = "shop.example.org",
        own: Path | None = None,
        version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        self.socket: Any = socket.create_connection(("127.0.0.1", connector.local_port), 5)
        self.authority = name
        self.scheme = "https" if tls else "http"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.answers: dict[int, dict[str, Any]] = {}
        self.closed = False
        self.auto_window = True
        try:
            if tls:
                self.socket = self._wrapped(name, own, version)
            self.h2.initiate_connection()
            self.flush()
        except BaseException:
            self.socket.close()
            raise

    def _wrapped(self, name: str, own: Path | None, version: ssl.TLSVersion) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        if own is not None:
            context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
        return context.wrap_socket(self.socket, server_hostname=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def request(self, method: str = "GET", path: str = "/", body: bytes | None = None, *fields: tuple[str, str]) -> int:
        stream = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":path", path), (":scheme", self.scheme), (":authority", self.authority)]
        self.h2.send_headers(stream, [*pseudo, *fields], end_stream=body is None)
        self.answers[stream] = {"fields": {}, "body": b"", "ended": False, "reset": None}
        self.flush()
        if body is not None:
            self.send_body(stream, body)
        return stream

    def send_body(self, stream: int, body: bytes, end: bool = True) -> None:
        while body:
            size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if size == 0:
                self.receive()
                continue
            self.h2.send_data(stream, body[:size])
            body = body[size:]
            self.flush()
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            self.closed = True
            raise ConnectionError("closed by the server")
        for event in self.h2.receive_data(data):
            self.on_event(event)
        self.flush()

    def receive_to_end(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self.receive()

    def on_event(self, event: Any) -> None:
        answer = self.answers.get(getattr(event, "stream_id", None) or 0, {})
        if isinstance(event, h2.events.ResponseReceived):
            answer["fields"] = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer["body"] += event.data
            if self.auto_window:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer["ended"] = True
        elif isinstance(event, h2.events.StreamReset):
            answer["reset"] = event.error_code
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.closed = True

    def answer(self, stream: int) -> tuple[int, bytes]:
        answer = self.answers[stream]
        while not answer["ended"]:
            assert answer["reset"] is None, answer
            self.receive()
        return int(answer["fields"][":status"]), answer["body"]


def test_requests_are_served_and_share_a_connection():
    with serving_h2(echo) as connector, H2Client(connector) as client:
        streams = [client.request("GET", f"/{number}?x") for number in range(30)]
        for number, stream in enumerate(streams):
            assert client.answer(stream) == (200, b"GET /%d HTTP/2.0 " % number)
        assert client.answers[streams[0]]["fields"]["content-type"] == "text/plain"
        assert client.answers[streams[0]]["fields"]["date"].endswith("GMT")


@pytest.mark.parametrize("size", [0, 1, 40_000, 70_000, 3_000_000])
def test_bodies_of_any_size_arrive_whole(size):
    with serving_h2(echo) as connector, H2Client(connector) as client:
        body = b"y" * size
        assert client.answer(client.request("POST", "/p", body)) == (200, b"POST /p HTTP/2.0 " + body)
        assert client.answer(client.request("GET", "/next"))[0] == 200


def test_large_answers_wait_for_the_clients_window_and_others_go_on():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 500_000] if environ["PATH_INFO"] == "/large" else [b"small"]

    with serving_h2(application) as connector, H2Client(connector) as client:
        client.auto_window = False
        large = client.request("GET", "/large")
        while len(client.answers[large]["body"]) < 65_535:
            client.receive()
        client.h2.increment_flow_control_window(100_000)  # for the connection, not for the stream
        client.flush()
        assert client.answer(client.request("GET", "/small")) == (200, b"small")
        client.auto_window = True
        client.h2.increment_flow_control_window(1_000_000)
        client.h2.increment_flow_control_window(1_000_000, large)
        client.flush()
        assert client.answer(large) == (200, b"x" * 500_000)


def test_a_stream_of_blocks_leaves_block_by_block():
    go_on = threading.Event()

    def stream(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"first"
        assert go_on.wait(5)
        yield b"second"

    with serving_h2(stream) as connector, H2Client(connector) as client:
        number = client.request()
        while client.answers[number]["body"] != b"first":
            client.receive()
        go_on.set()
        assert client.answer(number) == (200, b"firstsecond")


def test_slow_requests_run_beside_quick_ones():
    release = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            assert release.wait(5)
        return echo(environ, start_response)

    with serving_h2(application) as connector, H2Client(connector) as client:
        slow = client.request("GET", "/slow")
        assert client.answer(client.request("GET", "/quick"))[0] == 200
        release.set()
        assert client.answer(slow)[0] == 200


def test_no_more_streams_of_one_connection_run_at_once_than_allowed():
    running: list[int] = []
    most = 0
    lock = threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        nonlocal most
        with lock:
            running.append(1)
            most = max(most, len(running))
        take_time(0.02)
        with lock:
            running.pop()
        return echo(environ, start_response)

    with serving_h2(application, h2_maxConcurrentStreamExecution="2") as connector, H2Client(connector) as client:
        streams = [client.request("GET", "/x") for _ in range(10)]
        for stream in streams:
            assert client.answer(stream)[0] == 200
    assert most <= 2


def test_head_errors_and_fields_of_the_connection():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("404 Nowhere", [("Connection", "close"), ("X-Own", " a\r\nb "), ("Set-Cookie", "a=b")])
        return [environ.get("HTTP_COOKIE", "-").encode()]

    with serving_h2(application) as connector, H2Client(connector) as client:
        stream = client.request("GET", "/", None, ("cookie", "a=1"), ("cookie", "b=2"))
        assert client.answer(stream) == (404, b"a=1; b=2")
        fields = client.answers[stream]["fields"]
        assert "connection" not in fields
        assert fields["x-own"] == "a  b"
        assert client.answer(client.request("HEAD", "/")) == (404, b"")


@pytest.mark.parametrize(("path", "status"), [("/%zz", 400), ("/a|b", 400), ("/%2F", 400), ("nopath", 400)])
def test_what_is_no_request_is_refused_and_the_connection_stays(path, status):
    with serving_h2(echo) as connector, H2Client(connector) as client:
        assert client.answer(client.request("GET", path))[0] == status
        assert client.answer(client.request("GET", "/fine"))[0] == 200


def test_a_body_that_nobody_reads_is_stopped():
    def ignore(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"ignored"]

    with serving_h2(ignore) as connector, H2Client(connector) as client:
        for _ in range(3):
            pseudo = [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
            stream = client.h2.get_next_available_stream_id()
            client.answers[stream] = {"fields": {}, "body": b"", "ended": False, "reset": None}
            client.h2.send_headers(stream, [*pseudo, ("content-length", "10000000")])
            client.flush()
            client.send_body(stream, b"z" * 60_000, end=False)
            assert client.answer(stream) == (200, b"ignored")
        assert client.answer(client.request("GET", "/next")) == (200, b"ignored")


def test_a_held_answer_leaves_when_its_delivery_is_done():
    pending: list[Pending] = []
    with serving_h2(echo, hold_with(pending)) as connector, H2Client(connector) as client:
        held = client.request("GET", "/held")
        wait_for(lambda: pending)
        assert client.answer(client.request("GET", "/other"))[0] == 200
        assert not client.answers[held]["ended"]
        pending[0].complete()
        assert client.answer(held) == (200, b"GET /held HTTP/2.0 ")


def test_a_stream_that_the_client_cancels_ends_there():
    ended = threading.Event()

    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/endless":
            yield from echo(environ, start_response)
            return
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.set()

    with serving_h2(endless) as connector, H2Client(connector) as client:
        stream = client.request("GET", "/endless")
        while not client.answers[stream]["body"]:
            client.receive()
        client.h2.reset_stream(stream)
        client.flush()
        assert ended.wait(5)
        assert client.answer(client.request("GET", "/next"))[0] == 200


def test_rapid_resets_end_the_connection(caplog):
    with serving_h2(echo, maxThreads="5") as connector, H2Client(connector) as client:
        with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
            for _ in range(20):
                client.h2.reset_stream(client.request())
                client.flush()
            client.receive_to_end()
        assert "too much overhead" in caplog.text


@pytest.mark.parametrize(
    "data", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish that is no frame at all", b"PRI * HTTP/1.1\r\n\r\n"]
)
def test_rubbish_ends_that_connection_only(data):
    with serving_h2(echo, h2_readTimeout="300") as connector:
        with Client(connector) as rubbish:
            rubbish.send(data)
            rubbish.receive_to_end()
        with H2Client(connector) as client:
            assert client.answer(client.request())[0] == 200


def test_http_1_1_still_works_beside_it():
    with serving_h2(echo) as connector, Client(connector) as client:
        assert client.get("/a").body == b"GET /a HTTP/1.1 "
        client.send(b"PRINT /b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().body == b"PRINT /b HTTP/1.1 "


def test_an_idle_connection_is_told_goodbye():
    with serving_h2(echo, h2_keepAliveTimeout="200") as connector, H2Client(connector) as client:
        assert client.answer(client.request())[0] == 200
        client.receive_to_end()
        assert client.closed


def test_it_is_chosen_inside_tls(tmp_path):
    def prepare(connector: Connector, container: Container) -> None:
        connector.add_ssl_host_config(host_config(tmp_path, "shop.example.org"))

    with serving_h2(echo, prepare, SSLEnabled="true") as connector, H2Client(connector, tls=True) as client:
        assert client.socket.selected_alpn_protocol() == "h2"
        assert client.answer(client.request("GET", "/tls")) == (200, b"GET /tls HTTP/2.0 ")
        body = b"z" * 2_000_000
        assert client.answer(client.request("POST", "/tls", body)) == (200, b"POST /tls HTTP/2.0 " + body)
