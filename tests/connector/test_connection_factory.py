from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.ajp_connection import AjpConnection
from catalina.connector.connection_factory import H2cConnection, TlsHandshake, connection_factory
from catalina.connector.connector import Connector
from catalina.connector.handover import Handover
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.tls_contexts import TlsContexts
from catalina.coyote.http2.http2_parser import frame
from catalina.coyote.http2.http2_protocol import Http2Protocol
from tests.connector.bare import bare_connector
from tests.connector.certificates import authority, make_pair, pair
from tests.connector.serving import Client, Container, serving
from tests.connector.test_connection import Host
from tests.connector.test_http2_connection import echo, serving_h2
from tests.connector.test_http2_deadlines import Raw
from tests.connector.tls import TlsClient, host_config, serving_tls
from tests.coyote.http2.frames import DATA, GOAWAY, SETTINGS, START, headers, settings
from tests.support.waiting import take_time

SETTINGS_FIELD = base64.urlsafe_b64encode(struct.pack(">HIHI", 3, 50, 4, 70_000)).decode().rstrip("=")


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


def ask(*fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} /first HTTP/1.1", "Host: a", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", f"HTTP2-Settings: {SETTINGS_FIELD}")


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", b"abc")])
def test_a_request_of_http_1_1_becomes_the_first_stream(method, body):
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(ask(*UPGRADE, method=method, body=body) + START + headers(3, path="/second"))
        assert client.receive_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 \r\n")
        assert client.wait_for_frame(DATA, 1)[3].startswith(f"{method} /first HTTP/2.0 ".encode())
        assert client.wait_for_frame(DATA, 3)[3] == b"GET /second HTTP/2.0 "
        assert body in client.data


@pytest.mark.parametrize(
    "fields",
    [
        ("Connection: Upgrade", *UPGRADE[1:]),
        ("Connection: HTTP2-Settings", *UPGRADE[1:]),
        UPGRADE[:2],
        (*UPGRADE, UPGRADE[2]),
        (*UPGRADE[:2], "HTTP2-Settings: %%%"),
        (UPGRADE[0], "Upgrade: h2", UPGRADE[2]),
    ],
)
def test_who_asks_otherwise_is_answered_by_http_1_1(fields):
    with serving_h2(echo) as connector, Client(connector) as client:
        client.send(ask(*fields))
        assert client.answer().body == b"GET /first HTTP/1.1 "


def test_settings_that_are_none_end_the_connection():
    field = base64.urlsafe_b64encode(struct.pack(">HI", 5, 1)).decode()
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(ask(*UPGRADE[:2], f"HTTP2-Settings: {field}"))
        client.receive_until(b"\r\n\r\n")
        assert client.frames_to_end()[-1][0] == GOAWAY


def test_a_large_body_is_read_by_http_1_1():
    with serving_h2(echo) as connector, Client(connector) as client:
        client.send(ask(*UPGRADE, method="POST", body=b"x" * 100_000))
        assert client.answer().body == b"POST /first HTTP/1.1 " + b"x" * 100_000


def test_without_the_upgrade_protocol_nothing_changes():
    with serving(echo) as connector, Client(connector) as client:
        client.send(ask(*UPGRADE))
        assert client.answer().body == b"GET /first HTTP/1.1 "


def test_a_client_that_knows_begins_with_it():
    with serving_h2(echo) as connector, Raw(connector) as client:
        for part in (START[:3], START[3:20], START[20:] + settings((3, 1)) + headers(1), frame(SETTINGS, 1, 0)):
            client.send(part)
        assert client.wait_for_frame(DATA, 1)[3] == b"GET / HTTP/2.0 "


def test_requests_are_served_inside_tls(tmp_path):
    with serving_tls(host_config(tmp_path, "shop.example.org")) as connector, TlsClient(connector) as client:
        shown = json.loads(client.get("/").body)
        assert shown["wsgi.url_scheme"] == "https"
        assert shown["SERVER_PORT"] == "443"
        assert shown["jakarta.servlet.request.cipher_suite"]
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert json.loads(client.answer().body)["size"] == 1_000_000


def test_large_answers_arrive_whole_also_to_a_slow_client(tmp_path):
    def large(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 3_000_000]

    def prepare(connector: Connector, container: Container) -> None:
        connector.add_ssl_host_config(host_config(tmp_path, "shop.example.org"))

    with serving(large, prepare, SSLEnabled="true") as connector, TlsClient(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        take_time(0.05)
        assert client.answer().body == b"x" * 3_000_000


def test_sni_chooses_the_certificate(tmp_path):
    configs = [
        host_config(tmp_path, "default.example.org"),
        host_config(tmp_path, "shop.example.org", hostName="shop.example.org"),
        host_config(tmp_path, "wild.example.net", hostName="*.example.net"),
    ]
    with serving_tls(*configs) as connector:
        for name, shown in (
            ("shop.example.org", "shop.example.org"),
            ("default.example.org", "default.example.org"),
            ("wild.example.net", "wild.example.net"),
        ):
            with TlsClient(connector, name) as client:
                assert client.certificate_name == shown


def test_a_host_of_another_set_up_than_the_certificates_is_misdirected(tmp_path):
    configs = [
        host_config(tmp_path, "default.example.org"),
        host_config(tmp_path, "shop.example.org", hostName="shop.example.org"),
    ]
    with serving_tls(*configs) as connector, TlsClient(connector, "shop.example.org") as client:
        client.send(b"GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n")
        assert client.answer().status == 200
        client.send(b"GET / HTTP/1.1\r\nHost: default.example.org\r\n\r\n")
        assert client.answer().status == 421
    with serving_tls(*configs, strictSni="false") as connector, TlsClient(connector, "shop.example.org") as client:
        client.send(b"GET / HTTP/1.1\r\nHost: default.example.org\r\n\r\n")
        assert client.answer().status == 200


@pytest.fixture
def trusting(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(authority().certificate_pem)
    pair("client").write(tmp_path, "client")
    make_pair("stranger").write(tmp_path, "stranger")
    return tmp_path


def test_a_required_client_certificate_is_required_and_seen_by_the_application(trusting):
    config = host_config(
        trusting, "shop.example.org", certificateVerification="required", caCertificateFile=str(trusting / "ca.pem")
    )
    with serving_tls(config) as connector:
        with TlsClient(connector, own=trusting / "client") as client:
            shown = json.loads(client.get("/").body)
            assert shown["jakarta.servlet.request.X509Certificate"] == [pair("client").certificate_pem.decode()]
        for own in (None, trusting / "stranger"):
            with (
                pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
                TlsClient(connector, own=own) as client,
            ):
                client.get("/")


def test_an_optional_client_certificate_is_optional(trusting):
    config = host_config(
        trusting, "shop.example.org", certificateVerification="optional", caCertificateFile=str(trusting / "ca.pem")
    )
    with serving_tls(config) as connector:
        with TlsClient(connector) as client:
            assert json.loads(client.get("/").body)["jakarta.servlet.request.X509Certificate"] is None
        with TlsClient(connector, own=trusting / "client") as client:
            assert json.loads(client.get("/").body)["jakarta.servlet.request.X509Certificate"]


def test_a_renewed_certificate_is_used_without_closing_connections(tmp_path):
    config = host_config(tmp_path, "shop.example.org")
    with serving_tls(config) as connector, TlsClient(connector) as before:
        assert before.get("/").status == 200
        renewed = make_pair("shop.example.org", authority())
        renewed.write(tmp_path, "shop.example.org")
        connector.tls._next_check = 0.0  # the five seconds between two looks are over
        with TlsClient(connector) as after:
            der = after.socket.getpeercert(binary_form=True)
            assert der == ssl.PEM_cert_to_DER_cert(renewed.certificate_pem.decode())
        assert before.get("/").status == 200


def test_a_broken_renewal_leaves_the_old_certificate(tmp_path, caplog):
    config = host_config(tmp_path, "shop.example.org")
    with serving_tls(config) as connector:
        (tmp_path / "shop.example.org.crt").write_text("half a certifica")
        connector.tls._next_check = 0.0
        with TlsClient(connector) as client:
            assert client.get("/").status == 200
    assert "the old certificates stay" in caplog.text


def test_versions_that_are_not_wanted_are_refused(tmp_path):
    config = host_config(tmp_path, "shop.example.org", protocols="TLSv1.3")
    with serving_tls(config) as connector:
        with TlsClient(connector) as client:
            assert client.socket.version() == "TLSv1.3"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            TlsClient(connector, maximum_version=ssl.TLSVersion.TLSv1_2)


def test_who_does_not_speak_tls_costs_nobody_else_anything(tmp_path):
    with serving_tls(host_config(tmp_path, "shop.example.org"), connectionTimeout="300") as connector:
        with Client(connector) as plain:
            plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"This combination of host and port requires TLS." in plain.receive_to_end()
        with Client(connector) as silent, TlsClient(connector) as client:
            assert client.get("/").status == 200
            assert silent.is_closed  # its handshake took too long


def test_the_end_of_a_connection_is_announced(tmp_path):
    with serving_tls(host_config(tmp_path, "shop.example.org")) as connector, TlsClient(connector) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        client.answer()
        client.socket.settimeout(5)
        assert client.socket.recv(1) == b""  # not SSLEOFError: close_notify came first


def test_old_attributes_on_the_connector_do_the_same(tmp_path):
    pair("shop.example.org").write(tmp_path, "old", password="secret")
    attributes = {
        "SSLCertificateFile": str(tmp_path / "old.crt"),
        "SSLCertificateKeyFile": str(tmp_path / "old.key"),
        "SSLPassword": "secret",
    }
    with serving_tls(**attributes) as connector, TlsClient(connector) as client:
        assert client.get("/").status == 200
    pair("shop.example.org").write_pkcs12(tmp_path / "old.p12", "changeit")
    keystore = {"keystoreFile": str(tmp_path / "old.p12"), "clientAuth": "want", "sslEnabledProtocols": "TLSv1.2"}
    with serving_tls(**keystore) as connector, TlsClient(connector) as client:
        assert client.socket.version() == "TLSv1.2"
        assert client.get("/").status == 200


def test_sockets_of_failed_handshakes_are_closed(tmp_path):
    with serving_tls(host_config(tmp_path, "shop.example.org")) as connector:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", connector.local_port)) as sock:
                sock.sendall(b"\x16\x03\x01\x00\x05hello")
                sock.settimeout(5)
                while sock.recv(100):
                    pass
        assert not connector.endpoint.connections
