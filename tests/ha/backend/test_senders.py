from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from catalina.errors import CatalinaError
from catalina.ha.backend.senders import MultiCastSender, TcpSender


@pytest.fixture
def proxy() -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """A real HTTP server: its port, and path and body of each POST; it refuses /refuse."""
    received: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(404 if self.path == "/refuse" else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="proxy")
    thread.start()
    yield server.server_port, received
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_datagram_reaches_the_group() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(10)
        receiver.bind(("", 0))
        membership = struct.pack("4s4s", socket.inet_aton("224.0.1.105"), socket.inet_aton("127.0.0.1"))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        MultiCastSender("224.0.1.105", receiver.getsockname()[1], 0, "127.0.0.1").send("v=1&ready=1&busy=0&port=1")
        assert receiver.recv(100) == b"v=1&ready=1&busy=0&port=1"


def test_each_proxy_gets_a_post(proxy: tuple[int, list[tuple[str, str]]]) -> None:
    port, received = proxy
    TcpSender([("127.0.0.1", port)], "/HeartbeatListener").send("v=1")
    assert received == [("/HeartbeatListener", "v=1")]


def test_a_proxy_that_refuses_is_named(proxy: tuple[int, list[tuple[str, str]]]) -> None:
    with pytest.raises(CatalinaError, match=rf"127\.0\.0\.1:{proxy[0]}: response error with code \[404\]"):
        TcpSender([("127.0.0.1", proxy[0])], "/refuse").send("v=1")


def test_a_proxy_that_is_not_there_does_not_keep_the_message_from_the_others(
    proxy: tuple[int, list[tuple[str, str]]],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    with pytest.raises(CatalinaError, match=f"127.0.0.1:{free}: .*refused"):
        TcpSender([("127.0.0.1", free), ("127.0.0.1", proxy[0])], "/x").send("v=1")
    assert proxy[1] == [("/x", "v=1")]
