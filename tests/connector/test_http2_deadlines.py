"""Every state of a stream and of its connection has an end: nobody holds memory or threads without progress."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from catalina.coyote.http2.http2_error import Http2Error
from catalina.coyote.http2.http2_parser import PREFACE, frame
from tests.connector.serving import Client
from tests.connector.test_http2_connection import H2Client, echo, serving_h2
from tests.connector.test_http11_connection import wait_for
from tests.coyote.http2.frames import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    PING,
    RST,
    SETTINGS,
    START,
    block,
    data,
    headers,
    settings,
    split,
    window_update,
)  # fmt: skip


class Raw(Client):
    """A client that sends frames and keeps those it gets."""

    @property
    def is_at_end(self) -> bool:
        """True when the server closes, after whatever it sends; waits for it."""
        try:
            while self.receive_more():
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True

    def frames_to_end(self) -> list[tuple[int, int, int, bytes]]:
        return split(self.receive_to_end())

    def wait_for_frame(self, kind: int, number: int) -> tuple[int, int, int, bytes]:
        """The first frame of the kind on the stream."""
        while True:
            whole, rest = self.data, []
            while len(whole) >= 9 and len(whole) >= 9 + int.from_bytes(whole[:3]):
                size = 9 + int.from_bytes(whole[:3])
                rest.append(split(whole[:size])[0])
                whole = whole[size:]
            for found in rest:
                if found[0] == kind and found[2] == number:
                    return found
            assert self.receive_more(), f"closed before frame {kind} of stream {number}"


def large(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"x" * 200_000]


def test_an_answer_whose_window_stays_shut_is_given_up():
    with serving_h2(large, h2_streamWriteTimeout="300") as connector, Raw(connector) as client:
        client.send(START + settings((4, 0)) + headers(1))
        assert client.wait_for_frame(RST, 1)[3] == Http2Error.ENHANCE_YOUR_CALM.to_bytes(4)
        [connection] = connector.endpoint.connections
        wait_for(lambda: not connection.streams)
        assert connection.output_size == 0


def test_a_window_that_opens_now_and_then_puts_it_off():
    with serving_h2(large, h2_streamWriteTimeout="400") as connector, H2Client(connector) as client:
        stream = client.request()
        assert client.answer(stream) == (200, b"x" * 200_000)


def test_a_body_that_never_comes_is_408_and_holds_no_thread():
    with serving_h2(echo, h2_streamReadTimeout="300", maxThreads="1") as connector, Raw(connector) as client:
        for number in (1, 3, 5):
            client.send((START if number == 1 else b"") + headers(number, method="POST", end=False))
        assert client.wait_for_frame(HEADERS, 5)
        assert [client.wait_for_frame(RST, number)[3] for number in (1, 3, 5)] == [bytes(4)] * 3
        assert b"408" in client.data


def test_a_body_that_drips_is_no_progress():
    with serving_h2(echo, h2_streamReadTimeout="400") as connector, Raw(connector) as client:
        client.send(START + headers(1, method="POST", end=False))
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.1):
                client.send(data(1, b"x" * 100))

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            client.wait_for_frame(HEADERS, 1)
        finally:
            ended.set()
            dripping.join()


@pytest.mark.parametrize(
    "half",
    [
        PREFACE[:20],
        PREFACE,
        START[:-1],
        START + headers(1)[:-1],
        START + frame(HEADERS, 0, 1, block()),
        START + frame(HEADERS, 0, 1, block()) + frame(CONTINUATION, 0, 1, b""),
        START + headers(1, method="POST", end=False) + data(1, b"abc")[:-1],
    ],
    ids=["preface", "no settings", "half settings", "half head", "no end of the head", "continued", "half data"],
)  # fmt: skip
def test_what_has_begun_must_end(half):
    with serving_h2(echo, h2_readTimeout="300", connectionTimeout="400") as connector, Client(connector) as client:
        client.send(half)
        client.receive_to_end()


def test_half_a_frame_is_not_forgotten_while_a_request_runs():
    release = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert release.wait(10)
        return echo(environ, start_response)

    try:
        with serving_h2(slow, h2_readTimeout="300") as connector, Raw(connector) as client:
            client.send(START + headers(1) + b"\0\0")
            last = client.frames_to_end()[-1]
            assert (last[0], b"did not come" in last[3]) == (GOAWAY, True)
            release.set()
    finally:
        release.set()


def test_a_frame_that_drips_is_no_progress_either():
    with serving_h2(echo, h2_readTimeout="500") as connector, Raw(connector) as client:
        client.send(START + frame(99, 0, 0, bytes(5000))[:10])
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.05):
                try:
                    client.send(b"\0")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert client.is_at_end
        finally:
            ended.set()
            dripping.join()


def test_a_client_that_reads_nothing_is_left_after_write_timeout():
    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        while True:
            yield b"x" * 100_000

    with serving_h2(endless, h2_writeTimeout="300") as connector:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", connector.local_port))
        with client:
            client.sendall(START + settings((4, 2**31 - 1)) + window_update(0, 2**31 - 1 - 65_535) + headers(1))
            wait_for(lambda: connector.endpoint.connections)
            wait_for(lambda: not connector.endpoint.connections)


def test_answers_that_wait_for_the_client_hold_up_its_further_requests():
    served: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        served.append(environ["PATH_INFO"])
        return large(environ, start_response)

    with serving_h2(application, h2_streamWriteTimeout="700") as connector, Raw(connector) as client:
        client.send(START + settings((4, 0)) + b"".join(headers(2 * number + 1) for number in range(40)))
        client.wait_for_frame(HEADERS, 1)
        wait_for(lambda: len(served) >= 6)
        [connection] = connector.endpoint.connections
        assert connection.output_size < 2_000_000
        assert len(served) < 12
        wait_for(lambda: len(served) > 12)


def test_pings_are_answered_while_a_request_waits_for_its_body():
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(START + headers(1, method="POST", end=False) + frame(PING, 0, 0, b"12345678"))
        assert client.wait_for_frame(PING, 0)[3] == b"12345678"


def test_a_stream_that_is_reset_while_its_answer_waits_is_forgotten():
    with serving_h2(large) as connector, Raw(connector) as client:
        client.send(START + settings((4, 0)) + headers(1))
        client.wait_for_frame(HEADERS, 1)
        client.send(frame(RST, 0, 1, bytes(4)) + frame(SETTINGS, 1, 0))
        [connection] = connector.endpoint.connections
        wait_for(lambda: not connection.is_running)
        assert (connection.streams, connection.output_size) == ({}, 0)


def test_a_pause_says_goodbye_finishes_streams_and_takes_no_more():
    release = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert release.wait(10)
        return echo(environ, start_response)

    with serving_h2(slow) as connector, Raw(connector) as client:
        client.send(START + headers(1, path="/first"))
        wait_for(lambda: connector.endpoint.running)
        connector.pause()
        assert client.wait_for_frame(GOAWAY, 0)[3][:8] == bytes(3) + b"\x01" + bytes(4)
        client.send(headers(3, path="/second"))
        release.set()
        assert client.wait_for_frame(DATA, 1)[3] == b"GET /first HTTP/2.0 "
        assert b"second" not in client.receive_to_end()


def test_while_the_server_drains_each_connection_ends_with_its_next_answer():
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(START + headers(1))
        client.wait_for_frame(DATA, 1)
        wait_for(lambda: not connector.endpoint.running)
        connector.drain()
        client.send(frame(SETTINGS, 1, 0) + headers(3))
        kinds = [(kind, number) for kind, _, number, _ in client.frames_to_end()]
        assert kinds.index((DATA, 3)) < kinds.index((GOAWAY, 0))
