from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.connector.certificates import authority, make_pair, pair
from tests.connector.serving import Client, Container, serving
from tests.support.waiting import take_time


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    names = ("wsgi.url_scheme", "SERVER_PORT", "jakarta.servlet.request.cipher_suite",
             "jakarta.servlet.request.X509Certificate")  # fmt: skip
    shown = {name: environ.get(name) for name in names}
    shown["size"] = len(environ["wsgi.input"].read())
    start_response("200 OK", [])
    return [json.dumps(shown).encode()]


def host_config(directory: Path, name: str, **attributes: str) -> SSLHostConfig:
    """A set-up with a PEM certificate for ``name``."""
    pair(name).write(directory, name)
    config = SSLHostConfig()
    certificate = SSLHostConfigCertificate(
        certificate_file=str(directory / f"{name}.crt"), certificate_key_file=str(directory / f"{name}.key")
    )
    config.add_certificate(certificate)
    for xml_name, text in attributes.items():
        assert config.set_attribute(xml_name, text)
    return config


def serving_tls(*configs: SSLHostConfig, **attributes: str) -> Any:
    def prepare(connector: Connector, container: Container) -> None:
        for config in configs:
            connector.add_ssl_host_config(config)

    return serving(application, prepare, SSLEnabled="true", **attributes)


class TlsClient(Client):
    """A client that trusts the test's authority."""

    socket: Any

    def __init__(self, connector: Connector, name: str = "shop.example.org", own: Path | None = None,
                 **context_attributes: Any) -> None:  # fmt: skip
        super().__init__(connector)
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        for attribute, value in context_attributes.items():
            setattr(context, attribute, value)
        if own is not None:
            context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        except BaseException:
            self.socket.close()
            raise

    @property
    def certificate_name(self) -> str:
        subject = self.socket.getpeercert()["subject"]
        return str(subject[0][0][1])


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
