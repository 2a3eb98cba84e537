from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from catalina.attributes import Attribute, AttributeRefused, Component
from catalina.connector.connector import Connector
from catalina.connector.endpoint import Endpoint
from catalina.connector.request_executor import RequestExecutor
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.errors import CatalinaError
from catalina.ha.backend.heartbeat_listener import CollectedInfo, HeartbeatListener, MultiCastSender, TcpSender
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.object_name import ObjectName, quote
from catalina.mbeans.registry import Registry
from catalina.workers.roles import KeeperRole
from tests.support.stand_in import stand_in


def connector(port: int, address: str | None = None, busy: int = 3) -> Any:
    return stand_in(
        Connector,
        local_port=port,
        protocol_handler=stand_in(Http11NioProtocol, address=address),
        endpoint=stand_in(Endpoint, executor=stand_in(RequestExecutor, max_threads=200, busy=busy)),
    )


def server(*connectors: Any) -> Any:
    return stand_in(StandardServer, services=[stand_in(StandardService, connectors=list(connectors))], role=None)


class Recorder:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failing = False

    def send(self, message: str) -> None:
        if self.failing:
            raise CatalinaError("nobody there")
        self.sent.append(message)


def listening(recorder: Recorder, **attributes: Any) -> HeartbeatListener:
    listener = HeartbeatListener(**attributes)
    listener._sender = recorder
    return listener


def test_the_first_connector_that_listens_is_reported_periodically() -> None:
    recorder = Recorder()
    listener = listening(recorder)
    listener(LifecycleEvent(server(connector(-1), connector(8080)), "periodic"))
    listener(LifecycleEvent(server(connector(8080)), "start"))
    assert recorder.sent == ["v=1&ready=197&busy=3&port=8080"]


@pytest.mark.parametrize(("attributes", "port"), [({"port": 8009}, 8009), ({"host": "10.0.0.1"}, 8081), ({}, 8080)])
def test_port_and_host_choose_the_connector(attributes: dict[str, Any], port: int) -> None:
    tree = server(connector(8080), connector(8081, "10.0.0.1"), connector(8009))
    info = HeartbeatListener(**attributes).collect(tree)
    assert info is not None
    assert info.port == port


class Pool(Component):
    """The bean of a connector's threads, as a keeper shows it."""

    max_threads = Attribute(int, 600, doc="Of three workers.")
    current_threads_busy = Attribute(int, 7, doc="Of three workers.")


def test_of_a_node_of_several_processes_the_keeper_tells_the_sum() -> None:
    beans = Registry()
    beans.register(ObjectName("Catalina", {"type": "ThreadPool", "name": quote("http-nio-8080")}), Pool())
    one = stand_in(
        Connector, local_port=8080, name="http-nio-8080", protocol_handler=stand_in(Http11NioProtocol, address=None)
    )
    services = [stand_in(StandardService, connectors=[one], engine=None)]
    keeper: Any = stand_in(StandardServer, services=services, role=stand_in(KeeperRole, serves=False), mbeans=beans)
    assert HeartbeatListener().collect(keeper) == CollectedInfo(593, 7, 8080)
    worker: Any = stand_in(StandardServer, services=services, role=stand_in(KeeperRole, serves=True), mbeans=beans)
    assert HeartbeatListener().collect(worker) is None


def test_without_a_connector_nothing_is_sent() -> None:
    recorder = Recorder()
    listening(recorder)(LifecycleEvent(server(), "periodic"))
    assert recorder.sent == []


def test_a_fault_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    recorder = Recorder()
    listener = listening(recorder)
    for failing in (True, True, False, False):
        recorder.failing = failing
        listener(LifecycleEvent(server(connector(8080)), "periodic"))
    assert [record.getMessage() for record in caplog.records] == [
        "Unable to send collected load information: nobody there",
        "Collected load information is sent again",
    ]


def test_a_list_of_proxies_takes_the_place_of_multicast() -> None:
    listener = HeartbeatListener()
    assert isinstance(listener._make_sender(), MultiCastSender)
    assert listener.set_attribute("ProxyList", "10.0.0.1:6666, [::1]:80")
    assert isinstance(listener._make_sender(), TcpSender)
    assert listener.proxy_list == (("10.0.0.1", 6666), ("[::1]", 80))


def test_a_proxy_without_a_port_is_refused() -> None:
    with pytest.raises(AttributeRefused, match="host:port"):
        HeartbeatListener().set_attribute("ProxyList", "10.0.0.1")


def test_the_message_is_what_mod_heartmonitor_reads() -> None:
    assert CollectedInfo(ready=199, busy=1, port=8080).message() == "v=1&ready=199&busy=1&port=8080"


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
