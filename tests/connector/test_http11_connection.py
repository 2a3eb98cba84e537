from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import Any

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connector import Connector
from catalina.connector.http11_connection import Http11Connection
from catalina.coyote.http11.exchange import LINGER
from catalina.polling import is_ready
from tests.connector.serving import Client, Container, serving
from tests.support.narrowing import of_type, there
from tests.support.waiting import take_time, wait_until

PATIENCE = 5.0


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with the method, the path and the body."""
    body = environ["wsgi.input"].read()
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ.get('CONTENT_LENGTH', '-')} ".encode() + body
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text]


def large(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"x" * 3_000_000]


def stream(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [])
    for number in range(3):
        yield b"%d" % number


# Framing and keep-alive


def test_one_connection_serves_request_after_request():
    with serving(echo) as connector, Client(connector) as client:
        assert client.get("/a").body == b"GET /a - "
        assert client.get("/b").body == b"GET /b - "


def test_pipelined_requests_are_answered_in_order():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
        assert [client.answer().body for _ in range(50)] == [b"GET /%d - " % number for number in range(50)]


def test_a_client_that_sends_many_requests_at_once_lets_others_in_between():
    served: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        served.append(environ["PATH_INFO"])
        take_time(0.0001)
        return echo(environ, start_response)

    with serving(application, maxKeepAliveRequests="-1") as connector, Client(connector) as many:
        with Client(connector) as one:
            many.send(b"GET /many HTTP/1.1\r\nHost: a\r\n\r\n" * 900)
            one.send(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
            assert one.answer().status == 200
        for _ in range(900):
            assert many.answer().status == 200
    assert served.index("/one") < 800


def test_a_request_may_arrive_byte_by_byte():
    with serving(echo) as connector, Client(connector) as client:
        for byte in b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
            client.send(bytes((byte,)))
        assert client.answer().body == b"POST /p 3 abc"


@pytest.mark.parametrize("size", [0, 1, 1000, 65_536, 70_000, 1_000_000])
def test_bodies_by_length_arrive_whole(size):
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"y" * size)
        assert client.answer().body == b"POST / %d " % size + b"y" * size
        assert client.get("/next").body == b"GET /next - "


@pytest.mark.parametrize("size", [1, 1000, 65_536, 300_000])
def test_chunked_bodies_arrive_whole_and_the_next_request_is_found(size):
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            client.send(b"%x\r\n%b\r\n" % (size, b"z" * size))
        client.send(b"0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().body == b"POST / - " + b"z" * (3 * size)
        assert client.answer().body == b"GET /next - "


def test_a_body_that_nobody_reads_is_read_away():
    def ignore(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"ignored"]

    with serving(ignore) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + b"y" * 500_000)
        assert client.answer().body == b"ignored"
        assert client.get("/").body == b"ignored"


def test_more_than_max_swallow_size_closes_the_connection_after_the_answer():
    def ignore(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"ignored"]

    with serving(ignore, maxSwallowSize="1000") as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        assert client.answer().body == b"ignored"
        assert client.is_closed


def test_the_input_of_a_request_that_is_over_reads_nothing_of_the_next():
    inputs: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        inputs.append(environ["wsgi.input"])
        start_response("200 OK", [])
        if len(inputs) == 1:
            return [b"read by a thread, later"]
        with pytest.raises(ClientAbortException, match="is over"):
            inputs[0].read(1)
        return [environ["wsgi.input"].read()[:3]]

    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n"
    with serving(application) as connector, Client(connector) as client:
        client.send(head)
        assert client.answer().status == 200
        client.send(b"a" * 70_000 + head + b"b" * 70_000)
        assert client.answer().body == b"bbb"


def test_head_has_the_fields_of_get_and_no_body():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.answer(head_only=True)
        assert answer.get("content-length") == str(len(b"HEAD /h - "))
        assert client.get("/g").body == b"GET /g - "


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_get_none(status):
    def no_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(f"{status} Nothing", [("Content-Length", "3"), ("ETag", '"x"')])
        return [b"abc"]

    with serving(no_body) as connector, Client(connector) as client:
        for _ in range(2):
            answer = client.get("/")
            assert answer.status == status
            assert answer.get("content-length") is None
            assert answer.get("etag") == '"x"'


def test_a_stream_is_chunked_and_each_block_leaves_before_the_next_is_made():
    go_on = threading.Event()

    def slow_stream(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"first"
        assert go_on.wait(PATIENCE)
        yield b"second"

    with serving(slow_stream) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in client.receive_until(b"\r\n\r\n")
        assert client.receive_until(b"first\r\n") == b"5\r\nfirst\r\n"
        go_on.set()
        assert client.receive_until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().chunks == [b"first", b"second"]


def test_what_a_client_did_not_take_at_once_leaves_with_the_next_block_however_small():
    is_full, is_read = threading.Event(), threading.Event()

    def frames(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        (connection,) = connector.endpoint.connections
        while not connection.stream.out:
            yield b"x" * 10_000
        is_full.set()
        assert is_ready(connection.stream.sock, select.POLLOUT, PATIENCE)
        yield b"last"
        assert is_read.wait(PATIENCE)

    with serving(frames) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert is_full.wait(PATIENCE)
        client.receive_until(b"4\r\nlast\r\n")
        is_read.set()


def test_a_stream_to_an_http_1_0_client_ends_with_the_connection():
    with serving(stream) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = client.answer()
        assert answer.get("transfer-encoding") is None
        assert answer.get("connection") == "close"
        assert answer.body == b"012"


def test_a_stream_with_its_length_known_is_not_chunked():
    def known(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "3")])
        yield from (b"0", b"1", b"2")

    with serving(known) as connector, Client(connector) as client:
        answer = client.get("/")
        assert (answer.get("transfer-encoding"), answer.body) == (None, b"012")


def test_a_body_longer_than_promised_is_cut_so_that_it_cannot_pose_as_the_next_answer():
    def longer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        return [b"abcHTTP/1.1 200 OK\r\n"]

    with serving(longer) as connector, Client(connector) as client:
        assert client.get("/").body == b"abc"
        assert client.get("/").body == b"abc"


def test_a_body_shorter_than_promised_closes_the_connection():
    def shorter(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "10")])
        return [b"abc"]

    with serving(shorter) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.receive_to_end().endswith(b"\r\n\r\nabc")


def test_a_large_answer_arrives_whole_and_slowly():
    with serving(large) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        take_time(0.05)  # the kernel's buffers are full meanwhile, and the loop serves others
        with Client(connector) as other:
            other.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert len(other.answer().body) == 3_000_000
        assert client.answer().body == b"x" * 3_000_000


@pytest.mark.parametrize(
    ("fields", "closes", "answer_says"),
    [
        ([], False, None),
        (["Connection: close"], True, "close"),
        (["Connection: keep-alive"], False, "keep-alive"),
    ],
)
def test_the_connection_field_is_answered_as_tomcat_does(fields, closes, answer_says):
    with serving(echo, keepAliveTimeout="7000") as connector, Client(connector) as client:
        answer = client.get("/", *fields)
        assert answer.get("connection") == answer_says
        assert answer.get("keep-alive") == ("timeout=7" if answer_says == "keep-alive" else None)
        if closes:
            assert client.is_closed
        else:
            assert client.get("/").status == 200


def test_max_keep_alive_requests_ends_the_connection():
    with serving(echo, maxKeepAliveRequests="2") as connector, Client(connector) as client:
        assert client.get("/").get("connection") is None
        assert client.get("/").get("connection") == "close"
        assert client.is_closed


def test_an_application_may_close_the_connection():
    def closing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Keep-Alive", "x")])
        return [b"bye"]

    with serving(closing) as connector, Client(connector) as client:
        answer = client.get("/")
        assert [value for name, value in answer.fields if name == "connection"] == ["close"]
        assert answer.get("transfer-encoding") is None
        assert answer.get("content-length") == "3"
        assert client.is_closed


# 100 Continue


def test_100_continue_leaves_when_the_application_reads():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.answer().status == 100
        client.send(b"abc")
        assert client.answer().body == b"POST / 3 abc"


def test_no_100_continue_when_the_body_came_already():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
        assert client.answer().body == b"POST / 3 abc"


def test_a_refusal_without_100_continue_closes_the_connection():
    def refuse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("403 Forbidden", [])
        return [b"no"]

    with serving(refuse) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.answer().status == 403
        assert client.is_closed


# Refusals and time-outs


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /%2F HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ],
)
def test_what_is_no_good_request_is_answered_logged_and_the_others_go_on(data, status):
    containers: list[Container] = []
    with serving(echo, lambda connector, container: containers.append(container)) as connector:
        with Client(connector) as client:
            client.send(data)
            assert client.answer().status == status
            if status != 405:
                assert client.is_closed
        with Client(connector) as client:
            assert client.get("/fine").status == 200
        assert [response.status for _, response in containers[0].logged] == [status, 200]


def test_a_body_that_turns_out_malformed_while_the_application_reads_is_400():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70_000)
        wait_until(lambda: connector.endpoint.running, "the application reads")
        client.send(b"\r\nnonsense\r\n")
        assert client.answer().status == 400
        assert client.is_closed


def test_a_client_that_says_nothing_is_closed_without_a_word():
    with serving(echo, connectionTimeout="200") as connector, Client(connector) as client:
        assert client.receive_to_end() == b""


def drip(client: Client, data: bytes) -> None:
    for byte in data:
        client.send(bytes((byte,)))
        take_time(0.05)


def test_a_head_that_drips_is_closed_when_its_time_is_over():
    with serving(echo, connectionTimeout="500") as connector, Client(connector) as client:
        data = b"GET / HTTP/1.1\r\nHost: " + b"a" * 100
        with pytest.raises(ConnectionError):
            drip(client, data)


def test_an_idle_connection_is_closed_after_the_keep_alive_time():
    with serving(echo, connectionTimeout="60000", keepAliveTimeout="200") as connector, Client(connector) as client:
        assert client.get("/").status == 200
        assert client.is_closed


def test_a_body_that_does_not_come_is_408():
    with serving(echo, connectionTimeout="300") as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert client.answer().status == 408


def test_a_large_body_that_stops_coming_is_408_for_the_application():
    with serving(echo, connectionTimeout="300") as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
        assert client.answer().status == 408


def test_a_client_that_leaves_in_the_middle_costs_nobody_else_anything():
    with serving(large) as connector:
        for _ in range(5):
            client = Client(connector)
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.socket.close()
        with Client(connector) as client:
            assert len(client.get("/").body) == 3_000_000


def test_a_response_head_beyond_the_limit_is_a_500():
    def boast(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X", "y" * 9000)])
        return [b"body"]

    with serving(boast) as connector, Client(connector) as client:
        assert client.get("/").status == 500
        assert client.is_closed


# Slow applications


def test_slow_requests_run_side_by_side_and_quick_ones_are_not_held_up():
    barrier = threading.Barrier(6, timeout=PATIENCE)

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            barrier.wait()
        start_response("200 OK", [])
        return [b"done"]

    with serving(application) as connector:
        clients = [Client(connector) for _ in range(6)]
        for client in clients[:5]:
            client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        with Client(connector) as quick:
            for _ in range(20):
                assert quick.get("/quick").body == b"done"
        clients[5].send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")  # opens the barrier
        for client in clients:
            assert client.answer().body == b"done"
            assert client.get("/quick").body == b"done"
            client.socket.close()


def test_max_threads_bounds_what_runs_at_once():
    running = 0
    most = 0
    lock = threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        take_time(0.02)
        with lock:
            running -= 1
        start_response("200 OK", [])
        return [b"done"]

    with serving(application, maxThreads="3") as connector:
        clients = [Client(connector) for _ in range(12)]
        for client in clients:
            client.send(b"GET /s HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in clients:
            assert client.answer().body == b"done"
            client.socket.close()
    assert 1 < most <= 3


def test_pipelined_requests_behind_a_slow_one_keep_their_order():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/0":
            take_time(0.03)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    with serving(application) as connector, Client(connector) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(5)))
        assert [client.answer().body for _ in range(5)] == [b"/%d" % number for number in range(5)]


# Held answers


class Pending:
    """A delivery that is done when the test says so."""

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


def hold_with(pending: list[Pending]) -> Any:
    def prepare(connector: Connector, container: Container) -> None:
        def hold(request: Any, response: Any) -> None:
            if request.decoded_uri == "/held":
                pending.append(Pending())
                response.hold(pending[-1])

        container.valve.after = hold

    return prepare


def wait_for(condition: Any) -> None:
    wait_until(condition, "what the test waits for", PATIENCE)


@pytest.mark.parametrize("delay", [0, 0.02], ids=["quick", "slow"])
def test_a_held_answer_leaves_when_its_delivery_is_done_and_no_thread_waits(delay):
    pending: list[Pending] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        take_time(delay)
        return echo(environ, start_response)

    with serving(application, hold_with(pending), maxThreads="1") as connector, Client(connector) as client:
        client.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: pending)
        with Client(connector) as other:
            assert other.get("/other").body == b"GET /other - "  # with one thread allowed
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.receive_more()
        client.socket.settimeout(PATIENCE)
        pending[0].complete()
        assert client.answer().body == b"GET /held - "
        assert client.answer().body == b"GET /next - "


def test_a_held_answer_of_a_client_that_has_gone_is_forgotten():
    pending: list[Pending] = []
    with serving(echo, hold_with(pending)) as connector:
        with Client(connector) as client:
            client.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for(lambda: pending)
        pending[0].complete()
        with Client(connector) as client:
            assert client.get("/fine").status == 200


def test_a_delivery_that_is_done_already_holds_nothing():
    def prepare(connector: Connector, container: Container) -> None:
        def hold(request: Any, response: Any) -> None:
            done = Pending()
            done.complete()
            response.hold(done)

        container.valve.after = hold

    with serving(echo, prepare) as connector, Client(connector) as client:
        assert client.get("/a").body == b"GET /a - "


# Fields


def test_date_and_server_are_sent_unless_the_application_sets_them():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        own = [("Server", "mine"), ("Date", "today")] if environ["PATH_INFO"] == "/own" else []
        start_response("200 OK", own)
        return [b"x"]

    with serving(application, server="Tomcat") as connector, Client(connector) as client:
        answer = client.get("/")
        assert answer.get("server") == "Tomcat"
        assert there(answer.get("date")).endswith(" GMT")
        answer = client.get("/own")
        assert [(answer.get("server")), answer.get("date")] == ["mine", "today"]
    removing = serving(application, server="Tomcat", serverRemoveAppProvidedValues="true")
    with removing as connector, Client(connector) as client:
        assert client.get("/own").get("server") == "Tomcat"


def test_the_environ_says_who_asks_whom():
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b"x"]

    with serving(application) as connector, Client(connector) as client:
        client.get("/p%20q/%C3%A4?x=%20y", "X-One: 1", "X-One: 2", "Cookie: a=1", "Cookie: b=2", "X_Two: 3")
        port = client.socket.getsockname()[1]
    assert seen["REQUEST_METHOD"] == "GET"
    assert seen["SCRIPT_NAME"] == ""
    assert seen["PATH_INFO"] == "/p q/\xc3\xa4"  # bytes of UTF-8 as PEP 3333 wants them
    assert seen["QUERY_STRING"] == "x=%20y"
    assert seen["REQUEST_URI"] == "/p%20q/%C3%A4?x=%20y"
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("test", "80")
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("127.0.0.1", str(port))
    assert seen["HTTP_X_ONE"] == "1,2"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"
    assert "HTTP_X_TWO" not in seen
    assert seen["wsgi.url_scheme"] == "http"
    assert seen["wsgi.multithread"] is True


def test_proxy_name_and_port_scheme_and_secure_are_what_requests_report():
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b"x"]

    attributes = {"proxyName": "www.example.org", "proxyPort": "443", "scheme": "https", "secure": "true"}
    with serving(application, **attributes) as connector, Client(connector) as client:
        client.get("/")
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"], seen["wsgi.url_scheme"]) == ("www.example.org", "443", "https")


def test_allowed_trailer_fields_become_fields_of_the_request():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ.get("HTTP_DIGEST", "-").encode(), environ.get("HTTP_OTHER", "-").encode()]

    with serving(application, allowedTrailerHeaders="Digest") as connector, Client(connector) as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\nx\r\n0\r\nDigest: abc\r\nOther: no\r\n\r\n"
        )
        assert client.answer().body == b"abc-"


def test_a_refused_body_is_not_read_on():
    with serving(echo) as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;=\r\n")
        assert client.answer().status == 400
        (connection,) = connector.endpoint.connections
        exchange = of_type(Http11Connection, connection).exchange
        wait_for(lambda: exchange.state is LINGER and connection.stream.deadline < time.monotonic() + 3)


@pytest.mark.parametrize("length", [100, 100_000])
def test_a_body_that_drips_has_to_come_at_a_least_rate(length):
    with serving(echo, connectionTimeout="400", minUploadRate="1000") as connector, Client(connector) as client:
        started = time.monotonic()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length)
        stop = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.1):
                    client.send(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert client.answer().status == 408
        finally:
            stop.set()
            dripping.join()
        assert time.monotonic() - started < 3  # a byte each 0.1 s would have taken 10 s and more


def test_a_steady_upload_may_take_longer_than_the_time_of_a_portion():
    with serving(echo, connectionTimeout="400", minUploadRate="10") as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 80\r\n\r\n")
        for _ in range(8):
            take_time(0.1)
            client.send(b"x" * 10)
        assert client.answer().status == 200


def test_a_client_that_takes_a_byte_now_and_then_is_cut_off():
    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return (b"x" * 65536 for _ in range(100_000))

    attributes = {"connectionTimeout": "400", "minDownloadRate": "100000000", "socket_txBufSize": "10000"}
    with serving(endless, **attributes) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: connector.endpoint.connections)

        def read_a_little() -> bool:
            with contextlib.suppress(OSError):
                client.socket.recv(1000)
            return not connector.endpoint.connections

        wait_for(read_a_little)


@pytest.mark.parametrize("values", [["abc"], ["-5"], ["5", "6"], ["\u0665"], ["1" * 30], [""], ["+5"]])
def test_a_content_length_of_the_application_that_is_none_is_left_out(values, caplog):
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", value) for value in values])
        return [b"hello"]

    with serving(application) as connector, Client(connector) as client:
        for _ in range(2):
            answer = client.get()
            assert answer.get("content-length") == "5"
            assert answer.body == b"hello"
    assert "is left out" in caplog.text


def test_a_content_length_that_is_said_twice_is_sent_once():
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5"), ("content-length", "5")])
        return [b"hello"]

    with serving(application) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.receive_until(b"\r\n\r\n").lower().count(b"content-length") == 1


def test_a_body_too_large_to_be_read_away_is_announced_as_the_end_of_the_connection():
    def ignore(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"no"]

    with serving(ignore, maxSwallowSize="1000") as connector, Client(connector) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000)
        answer = client.answer()
        assert (answer.status, answer.get("connection")) == (200, "close")


@pytest.mark.parametrize(
    ("data", "logged"),
    [
        (b"GET /a?b HTTP/1.1\r\nHost: one.test:81\r\nX: " + b"a" * 9000, ("GET", "/a", "b", "one.test", 81)),
        (b"GET /| HTTP/1.1\r\nHost: one.test\r\n\r\n", ("GET", "/|", None, "one.test", None)),
        (
            b"PUT /a HTTP/1.1\r\nHost: one.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ("PUT", "/a", None, "one.test", 80),
        ),
        (b"GET / HTTP/1.1\r\nHost: b@d\r\n\r\n", ("GET", "/", None, "", None)),
    ],
)
def test_a_refused_request_is_logged_for_the_host_that_it_names(data, logged):
    containers: list[Container] = []
    with serving(echo, lambda connector, container: containers.append(container)) as connector:
        asked: list[str] = []
        found = containers[0].find

        def note(host: str, path: str, version: str | None = None) -> Any:
            asked.append(host)
            return found(host, path, version)

        containers[0].find = note
        with Client(connector) as client:
            client.send(data)
            assert client.answer().status in (400, 431)
        ((request, _),) = containers[0].logged
    method, path, query, host, port = logged
    assert (request.method, request.request_uri, request.query_string) == (method, path, query)
    assert request.server_name == (host or request.local_name)
    assert port in (None, request.server_port)
    assert asked == [request.server_name]


@pytest.mark.parametrize(
    ("setting", "line"), [({}, b"HTTP/1.1 409 \r\n"), ({"sendReasonPhrase": "true"}, b"HTTP/1.1 409 Taken already\r\n")]
)
def test_the_reason_of_the_application_is_sent_where_the_connector_says_so(setting, line):
    def taken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("409 Taken already", [])
        return [b"no"]

    with serving(taken, **setting) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.receive_until(b"\r\n") == line
