from __future__ import annotations

import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.connector.serving import Client, Container, serving


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["REMOTE_ADDR"].encode()]


def test_connections_beyond_the_limit_wait_until_there_is_room():
    with serving(hello, maxConnections="2", keepAliveTimeout="60000") as connector:
        first, second, third = (Client(connector) for _ in range(3))
        assert first.get().status == second.get().status == 200
        third.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        third.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            third.receive_more()
        third.socket.settimeout(5)
        first.socket.close()
        assert third.answer().status == 200
        for client in (second, third):
            client.socket.close()


def test_without_an_address_both_families_are_served():
    def prepare(connector: Any, container: Container) -> None:
        connector.protocol_handler.address = None

    with serving(hello, prepare) as connector, Client(connector) as client:
        assert client.get().body == b"127.0.0.1"  # not ::ffff:127.0.0.1


def test_socket_options_are_set():
    seen: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return hello(environ, start_response)

    attributes = {
        "socket_soKeepAlive": "true",
        "socket_txBufSize": "20000",
        "tcpNoDelay": "false",
        "connectionLinger": "7",
    }
    with serving(application, **attributes) as connector, Client(connector) as client:
        client.get()
        (connection,) = connector.endpoint.connections
        sock = connection.sock  # type: ignore[attr-defined]
        seen.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        seen.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    assert seen == [1, 40_000, 0]  # the kernel doubles buffer sizes
    assert linger == b"\1\0\0\0\7\0\0\0"


def test_connectors_share_an_executor_by_name():
    shared = SimpleNamespace(max_threads=2, max_queue_size=10, name="pool")

    def prepare(connector: Any, container: Container) -> None:
        container.find_executor = lambda name: shared if name == "pool" else None  # type: ignore[method-assign]

    with serving(hello, prepare, executor="pool") as connector, Client(connector) as client:
        assert client.get().status == 200
        assert connector.endpoint.executor.max_threads == 2
        assert shared.request_executor is connector.endpoint.executor


def test_an_unknown_executor_is_said(caplog):
    with serving(hello, executor="nowhere") as connector, Client(connector) as client:
        assert client.get().status == 200
    assert "No executor found with name [nowhere]" in caplog.text


def test_no_timer_runs_while_there_are_no_connections():
    with serving(hello) as connector:
        with Client(connector) as client:
            client.get("/", "Connection: close")
        deadline = time.monotonic() + 5
        while connector.endpoint._sweeper is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
