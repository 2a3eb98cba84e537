"""Connections to an API server."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from catalina.errors import ConfigurationError
from catalina.tribes.membership.cloud import stream_provider as module
from catalina.tribes.membership.cloud.stream_provider import StreamProvider, TokenStreamProvider
from tests.support.ports import free_port
from tests.tribes.groups import LOOPBACK
from tests.tribes.membership.cloud.api_server import ApiServer, Authority


@pytest.fixture
def plain_server():
    """Answers the first connection with what the test says."""
    with socket.create_server((LOOPBACK, 0)) as server:
        answers: list[bytes] = []

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                for answer in answers:
                    connection.sendall(answer)
                if not answers:
                    stop.wait(5)

        stop = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], answers
        stop.set()
        thread.join()


def provider(port: int, read_timeout: float = 2.0) -> StreamProvider:
    return StreamProvider("http", LOOPBACK, port, "", 1.0, read_timeout)


def test_the_body_of_an_answer_comes_back(plain_server):
    port, answers = plain_server
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
    assert provider(port).get("/x") == b"body"


def test_what_is_no_http_is_an_error(plain_server):
    port, answers = plain_server
    answers.append(b"rubbish\r\n\r\n")
    with pytest.raises(OSError, match="not understood"):
        provider(port).get("/x")


def test_silence_is_an_error(plain_server):
    with pytest.raises(TimeoutError):
        provider(plain_server[0], read_timeout=0.05).get("/x")


def test_a_closed_port_is_an_error():
    with pytest.raises(ConnectionRefusedError):
        provider(free_port()).get("/x")


def test_an_endless_answer_is_an_error(plain_server, monkeypatch):
    monkeypatch.setattr(module, "_MAX_ANSWER", 10)
    port, answers = plain_server
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901")
    with pytest.raises(OSError, match="longer than 10 bytes"):
        provider(port).get("/x")


def test_other_protocols_are_refused():
    with pytest.raises(ConfigurationError, match="expected http or https"):
        StreamProvider("ftp", "host", 1, "", 1, 1)


def test_addresses_are_written_as_in_a_url():
    assert str(StreamProvider("http", "fd00::1", 6443, "", 1, 1)) == "http://[fd00::1]:6443"


def test_a_token_that_was_replaced_is_read_again_and_a_lost_one_used_on(tmp_path, caplog):
    server = ApiServer(authority := Authority(tmp_path))
    token = tmp_path / "token"
    token.write_text("first")
    try:
        streams = TokenStreamProvider("https", LOOPBACK, server.port, str(authority.ca_file), 1, 2, str(token))
        streams.get("/1")
        token.write_text("second\n")
        os.utime(token, ns=(1, 1))
        streams.get("/2")
        token.unlink()
        streams.get("/3")
    finally:
        server.close()
    sent = [headers["Authorization"] for _, headers in server.questions]
    assert sent == ["Bearer first", "Bearer second", "Bearer second"]
    assert "Service account token not found" in caplog.text
