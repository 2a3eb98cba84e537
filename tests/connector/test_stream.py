from __future__ import annotations

import math
from typing import Any

import pytest

from catalina.connector.stream import HIGH_WATER, seconds_of
from tests.connector.serving import Client, serving
from tests.support.waiting import assert_stays, take_time, wait_until


@pytest.mark.parametrize(("milliseconds", "seconds"), [(1500, 1.5), (0, math.inf), (-1, math.inf)])
def test_no_or_a_negative_time_is_for_ever(milliseconds, seconds):
    assert seconds_of(milliseconds) == seconds


@pytest.mark.parametrize("sendfile", ["true", "false"])
def test_a_file_arrives_whole_at_a_slow_client(tmp_path, sendfile):
    path = tmp_path / "file"
    data = bytes(number % 251 for number in range(10_000)) * 500
    path.write_bytes(data)
    files: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        files.append(path.open("rb"))
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](files[-1])

    with serving(application, useSendfile=sendfile) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        take_time(0.05)
        assert client.answer().body == data
        assert client.get("/").body == data
        # The client may have the last byte before the server closes the file.
        wait_until(lambda: all(file.closed for file in files), "the files are closed")


def test_a_thread_that_makes_more_than_the_client_takes_waits_and_memory_stays_bounded():
    made = 0

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal made
        start_response("200 OK", [])
        for _ in range(400):
            made += 100_000
            yield b"x" * 100_000

    with serving(application, socket_txBufSize="20000") as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection = wait_until(lambda: next(iter(connector.endpoint.connections), None), "the client is there")
        stream = connection.stream
        wait_until(lambda: stream.out_size >= HIGH_WATER, "as much as may be kept is made")
        assert_stays(lambda: stream.out_size <= HIGH_WATER + 200_000, "no more is made", 0.2)
        assert made < 40_000_000
        assert len(client.answer().body) == 40_000_000


def test_a_client_that_takes_nothing_is_given_up():
    ended: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.append("closed")

    with serving(application, connectionTimeout="300") as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: ended, "the application is ended")
        assert not connector.endpoint.connections


def test_a_finished_answer_that_nobody_takes_is_given_up_without_a_thread():
    body = [b"x" * 20_000_000]  # made here: the call itself must be quick, or it gets a thread

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return body

    with serving(application, connectionTimeout="300") as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        endpoint = connector.endpoint
        wait_until(lambda: not (endpoint.connections or endpoint.executor.busy), "nobody is busy with the client")
