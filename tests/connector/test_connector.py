from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.connector.connector import PROTOCOLS, Connector
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.errors import LifecycleError
from catalina.workers.roles import WorkerRole
from tests.connector.serving import Client, serving
from tests.support.stand_in import stand_in
from tests.support.waiting import take_time, wait_until


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


@pytest.mark.parametrize(
    ("protocol", "handler"),
    [
        ("HTTP/1.1", Http11NioProtocol),
        ("AJP/1.3", AjpNioProtocol),
        ("org.apache.coyote.http11.Http11Nio2Protocol", Http11NioProtocol),
        ("org.apache.coyote.http11.Http11Protocol", Http11NioProtocol),
        ("org.apache.coyote.http11.Http11AprProtocol", Http11NioProtocol),
        ("org.apache.coyote.ajp.AjpProtocol", AjpNioProtocol),
    ],
)
def test_protocols_of_all_tomcats_are_understood(protocol, handler):
    connector = Connector()
    assert connector.set_attribute("protocol", protocol)
    assert type(connector.protocol_handler) is handler


def test_an_unknown_protocol_is_refused():
    with pytest.raises(AttributeRefused):
        Connector().set_attribute("protocol", "org.example.Own")
    assert "org.example.Own" not in PROTOCOLS


def test_attributes_of_the_protocol_are_set_through_the_connector():
    connector = Connector()
    assert connector.set_attribute("maxKeepAliveRequests", "7")
    assert connector.set_attribute("socket.txBufSize", "1000")
    assert connector.set_attribute("URIEncoding", "iso-8859-1")
    assert connector.http.max_keep_alive_requests == 7
    assert connector.http.socket_tx_buf_size == 1000
    assert connector.uri_encoding == "iso-8859-1"
    assert not connector.set_attribute("noSuchThing", "1")


def test_a_first_letter_in_upper_case_names_the_same_attribute_as_in_java():
    connector = Connector()
    assert connector.set_attribute("Server", "mine")
    assert connector.http.server == "mine"


def test_what_only_another_protocol_knows_is_named_in_a_warning(caplog):
    connector = Connector(port=0)
    assert connector.set_attribute("packetSize", "9000")  # `protocol` may still come
    connector.init()
    connector.destroy()
    assert "packetSize" in caplog.text


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"port": "8080"}, "http-nio-8080"),
        ({"port": "8080", "address": "127.0.0.1"}, "http-nio-127.0.0.1-8080"),
        ({"port": "8443", "SSLEnabled": "true"}, "https-jsse-nio-8443"),
        ({"port": "8009", "protocol": "AJP/1.3"}, "ajp-nio-127.0.0.1-8009"),
        ({"port": "0"}, "http-nio-auto-1"),
    ],
)
def test_names_are_tomcats(attributes, name):
    connector = Connector()
    for attribute, text in attributes.items():
        connector.set_attribute(attribute, text)
    assert connector.name == name
    assert str(connector) == f'Connector["{name}"]'


def test_the_servers_offset_is_added_to_the_ports():
    connector = Connector(port=8080, redirect_port=8443)
    connector.service = stand_in(StandardService, server=stand_in(StandardServer, port_offset=100))
    assert (connector.port_with_offset, connector.redirect_port_with_offset) == (8180, 8543)


def test_a_taken_port_fails_the_initialisation():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        connector = Connector(port=taken.getsockname()[1])
        connector.set_attribute("address", "127.0.0.1")
        with pytest.raises(LifecycleError, match="Failed to initialize component"):
            connector.init()


@pytest.mark.parametrize("listens", [True, False])
def test_between_init_and_start_clients_wait_with_listen_on_init_and_are_refused_without(listens):
    connector = Connector(port=0)
    connector.set_attribute("address", "127.0.0.1")
    if listens:
        connector.set_attribute("listenOnInit", "true")
    connector.service = stand_in(StandardService, server=stand_in(StandardServer, port_offset=0, role=None))
    connector.init()
    try:
        where = ("127.0.0.1", connector.local_port)
        assert where[1] > 0
        if listens:
            socket.create_connection(where, 5).close()
        else:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(where, 5)
    finally:
        connector.endpoint.close()


def test_a_process_that_does_not_listen_neither_binds_nor_needs_certificates() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        connector = Connector(port=taken.getsockname()[1])
        connector.set_attribute("address", "127.0.0.1")
        connector.set_attribute("SSLEnabled", "true")
        role = stand_in(WorkerRole, listens=False)
        connector.service = stand_in(StandardService, server=stand_in(StandardServer, port_offset=0, role=role))
        connector.init()
        assert (connector.tls, connector.local_port) == (None, -1)


def test_a_port_that_somebody_else_opens_between_init_and_start_names_itself():
    connector = Connector(port=0)
    connector.set_attribute("address", "127.0.0.1")
    connector.service = stand_in(StandardService, server=stand_in(StandardServer, port_offset=0, role=None))
    connector.init()
    port = connector.local_port
    try:
        with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match=f"in use: .*{port}"):
            connector.endpoint.listen()
    finally:
        connector.endpoint.close()


def test_bind_on_init_false_binds_at_the_start_and_lets_go_at_the_stop():
    with serving(hello, bindOnInit="false") as connector:
        port = connector.local_port
        with Client(connector) as client:
            assert client.get().body == b"hello"
        connector.stop()
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_sockets_bound_by_the_parent_are_used():
    listening = socket.create_server(("127.0.0.1", 0))
    with serving(hello, lambda connector, _: connector.inherit([listening])) as connector, Client(connector) as client:
        assert connector.local_port == listening.getsockname()[1]
        assert client.get().body == b"hello"


def test_pausing_finishes_what_runs_and_takes_nothing_new():
    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        take_time(0.2)
        return hello(environ, start_response)

    with serving(slow) as connector, Client(connector) as busy, Client(connector) as idle:
        assert idle.get("/warm").status == 200
        busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        deadline = time.monotonic() + 5
        while not connector.endpoint.running:
            assert time.monotonic() < deadline
        connector.pause()
        answer = busy.answer()
        assert (answer.body, answer.get("connection")) == (b"hello", "close")
        assert idle.is_closed
        assert connector.await_drained(5)
        connector.resume()
        with Client(connector) as client:
            assert client.get().body == b"hello"


def test_without_the_library_only_http_1_1_is_served(caplog, monkeypatch):
    for module in ("catalina.connector.connector", "catalina.extras"):
        monkeypatch.setattr(f"{module}.is_installed", lambda _package: False)

    def prepare(connector: Connector, container: Any) -> None:
        connector.add_upgrade_protocol(Http2Protocol())

    with serving(hello, prepare) as connector, Client(connector) as client:
        assert connector.http2 is None
        assert client.get().body == b"hello"
    assert 'CATALINA_EXTRAS="http2"' in caplog.text


def test_what_was_served_is_counted():
    with serving(hello) as connector, Client(connector) as client:
        client.get()
        client.send(b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n")
        body = client.answer().body
        deadline = time.monotonic() + 5
        while connector.request_info.request_count < 2:
            assert time.monotonic() < deadline
        info = connector.request_info
        assert (info.error_count, info.bytes_sent) == (1, len(b"hello") + len(body))


def test_draining_serves_on_and_ends_each_connection_with_its_next_answer():
    with serving(hello) as connector, Client(connector) as client:
        assert client.get().get("connection") is None
        assert not connector.draining
        connector.drain()
        assert connector.draining
        assert client.get().get("connection") == "close"
        with Client(connector) as another:
            assert another.get().status == 200
        connector.undrain()
        with Client(connector) as another:
            assert another.get().get("connection") is None


def test_a_pause_is_not_undone_by_taking_a_node_back():
    with serving(hello) as connector:
        connector.pause()
        connector.undrain()
        assert connector.draining


def test_a_stop_waits_for_what_runs():
    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        take_time(0.2)
        return hello(environ, start_response)

    with serving(slow) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: connector.endpoint.running, "the request runs")
        connector.stop()
        assert client.answer().body == b"hello"


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "AJP/1.3"])
def test_an_attribute_that_does_not_convert_costs_no_other_whatever_the_order(protocol, caplog):
    given = {"port": "8080", "connectionTimeout": "${x}", "address": "127.0.0.2", "maxThreads": "7", "secret": "s3"}
    connector = Connector()
    for name, text in given.items():
        with contextlib.suppress(AttributeRefused):
            connector.set_attribute(name, text)
    connector.set_attribute("protocol", protocol)
    assert connector.protocol_handler.address == "127.0.0.2"
    assert connector.protocol_handler.max_threads == 7
    if connector.is_ajp:
        assert connector.ajp.secret == "s3"
    assert "connectionTimeout" not in caplog.text  # the digester has said so when it came


def test_what_only_the_later_protocol_understands_is_refused_by_name(caplog):
    connector = Connector()
    connector.set_attribute("packetSize", "much")
    connector.set_attribute("protocol", "AJP/1.3")
    assert "packetSize='much' ignored" in caplog.text


def test_an_unknown_charset_of_uris_is_refused():
    with pytest.raises(AttributeRefused):
        Connector().set_attribute("URIEncoding", "punycode")


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_connector_without_a_usable_port_fails_as_in_java(port):
    connector = Connector(port=port)
    connector.service = stand_in(
        StandardService, server=stand_in(StandardServer, port_offset=0, reactor=None, role=None)
    )
    with pytest.raises(
        LifecycleError, match=rf'Failed to initialize component \[Connector\["http-nio-{port}"\]\]: port out'
    ):
        connector.init()


def test_a_connector_that_has_stopped_listens_again_when_it_is_started_again():
    with serving(hello) as connector:
        port = connector.local_port
        connector.stop_listening()
        connector.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        connector.start()
        with Client(connector) as client:
            assert client.get().status == 200
