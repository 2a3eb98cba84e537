from __future__ import annotations

import socket
from typing import Any

import pytest

from catalina.connector.ajp_connection import AjpConnection
from catalina.connector.connection_factory import connection_factory
from catalina.connector.connector import Connector
from catalina.connector.h2c_connection import H2cConnection
from catalina.connector.handover import Handover
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.tls_contexts import TlsContexts
from catalina.connector.tls_handshake import TlsHandshake
from catalina.coyote.http2.http2_protocol import Http2Protocol
from tests.connector.bare import bare_connector
from tests.connector.test_connection import Host
from tests.connector.test_tls_handshake import host_config


def http2() -> Connector:
    connector = bare_connector()
    connector.add_upgrade_protocol(Http2Protocol())
    return connector


def test_the_protocol_of_the_connector_says_what_its_clients_get():
    kinds = {
        Http11Connection: bare_connector(),
        H2cConnection: http2(),
        AjpConnection: bare_connector(protocol="AJP/1.3"),
    }
    host: Any = Host()
    for kind, connector in kinds.items():
        client, ours = socket.socketpair()
        with client:
            connection = connection_factory(connector).connect(host, ours, ("10.0.0.1", 5))
            assert type(connection) is kind
            connection.close()


def test_a_client_of_a_tls_connector_begins_with_the_handshake(tmp_path):
    connector = bare_connector()
    config = host_config(tmp_path, "shop.example.org")
    connector.tls = TlsContexts(connector.http, [config], tmp_path, ["http/1.1"], None)
    factory = connection_factory(connector)
    assert factory.resume is None
    host: Any = Host()
    client, ours = socket.socketpair()
    with client:
        connection = factory.connect(host, ours, ("10.0.0.1", 5))
        assert type(connection) is TlsHandshake
        connection.close()


@pytest.mark.parametrize("make", [bare_connector, http2])
def test_what_another_process_has_read_and_served_is_not_forgotten(make):
    resume = connection_factory(make()).resume
    assert resume is not None
    host: Any = Host()
    client, ours = socket.socketpair()
    with client:
        connection: Any = resume(host, Handover(ours, b"GET ", ("10.0.0.1", 5), 7))
        assert (connection.exchange.data, connection.exchange.requests) == (b"GET ", 7)
        assert not connection.is_new
        connection.close()


def test_ajp_cannot_be_taken_up_in_the_middle():
    assert connection_factory(bare_connector(protocol="AJP/1.3")).resume is None
