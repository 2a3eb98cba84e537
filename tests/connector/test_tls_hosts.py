"""TLS by host: certificateVerification, protocols, ciphers, order and ALPN of each SSLHostConfig hold."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.tomcat.util.net.cipher_names import java_name
from tests.connector.certificates import authority, make_pair, pair
from tests.connector.serving import Container, serving
from tests.connector.test_http2_connection import H2Client
from tests.connector.tls import TlsClient, application, host_config
from tests.support.narrowing import there
from tests.support.needs import need_command

REFUSED = (ssl.SSLError, ConnectionError, AssertionError)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(authority().certificate_pem)
    pair("client").write(tmp_path, "client")
    make_pair("stranger").write(tmp_path, "stranger")
    return tmp_path


@contextlib.contextmanager
def three_hosts(directory: Path, **attributes: str) -> Iterator[Connector]:
    """The default asks for nothing, b.test for a certificate, c.test for TLS 1.3, d.test for one cipher."""
    configs = [
        host_config(directory, "a.test"),
        host_config(
            directory, "b.test", hostName="b.test", certificateVerification="required",
            caCertificateFile=str(directory / "ca.pem"),
        ),
        host_config(directory, "c.test", hostName="*.c.test", protocols="TLSv1.3"),
        host_config(
            directory, "d.test", hostName="d.test", protocols="TLSv1.2", honorCipherOrder="true",
            ciphers="ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
        ),
        host_config(directory, "own.c.test", hostName="own.c.test", protocols="TLSv1.2"),
    ]  # fmt: skip

    def prepare(connector: Connector, container: Container) -> None:
        for config in configs:
            connector.add_ssl_host_config(config)
        connector.add_upgrade_protocol(Http2Protocol())

    with serving(application, prepare, SSLEnabled="true", **attributes) as connector:
        yield connector


def get(connector: Connector, name: str, own: Path | None = None, **only: Any) -> bytes:
    """The body of one answer."""
    with TlsClient(connector, name, own, **only) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        answer = client.answer()
        assert answer.status == 200
        return answer.body


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_certificate_that_one_host_requires_is_required_there_and_only_there(directory, version):
    only = {"minimum_version": version, "maximum_version": version, "check_hostname": False}
    with three_hosts(directory) as connector:
        shown = json.loads(get(connector, "a.test", **only))
        assert shown["jakarta.servlet.request.X509Certificate"] is None
        shown = json.loads(get(connector, "b.test", directory / "client", **only))
        assert shown["jakarta.servlet.request.X509Certificate"] == [pair("client").certificate_pem.decode()]
        for own in (None, directory / "stranger"):
            with pytest.raises(REFUSED):
                get(connector, "b.test", own, **only)


def test_versions_are_those_of_the_host(directory):
    older: dict[str, Any] = {"maximum_version": ssl.TLSVersion.TLSv1_2}
    with three_hosts(directory) as connector:
        with TlsClient(connector, "a.test", **older) as client:
            assert client.socket.version() == "TLSv1.2"
        with TlsClient(connector, "x.c.test", check_hostname=False) as client:
            assert client.socket.version() == "TLSv1.3"
        with pytest.raises(REFUSED):
            TlsClient(connector, "x.c.test", check_hostname=False, **older)


def test_a_name_of_its_own_goes_before_a_wildcard_wherever_it_stands(directory):
    with three_hosts(directory) as connector, TlsClient(connector, "OWN.c.test") as client:
        assert client.socket.version() == "TLSv1.2"
        assert client.certificate_name == "own.c.test"


def test_ciphers_and_their_order_are_those_of_the_host(directory):
    offered = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
    with three_hosts(directory) as connector:
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(offered)
        for name, cipher in (("a.test", offered.split(":")[0]), ("d.test", offered.split(":")[1])):
            with (
                socket.create_connection(("127.0.0.1", connector.local_port), 5) as plain,
                context.wrap_socket(plain, server_hostname=name) as client,
            ):
                assert there(client.cipher())[0] == cipher
        context.set_ciphers(offered.split(":")[2])
        with socket.create_connection(("127.0.0.1", connector.local_port), 5) as plain, pytest.raises(REFUSED):
            context.wrap_socket(plain, server_hostname="d.test")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_the_same_holds_for_http2_and_its_requests_show_the_certificate(directory, version):
    with three_hosts(directory) as connector:
        with H2Client(connector, tls=True, name="b.test", own=directory / "client", version=version) as client:
            shown = json.loads(client.answer(client.request())[1])
            assert shown["jakarta.servlet.request.X509Certificate"] == [pair("client").certificate_pem.decode()]
            assert shown["jakarta.servlet.request.cipher_suite"] == java_name(client.socket.cipher()[0])
        with (
            pytest.raises(REFUSED),
            H2Client(connector, tls=True, name="b.test", version=version) as client,
        ):
            client.answer(client.request())


def test_http2_for_another_host_than_the_handshakes_is_misdirected(directory):
    with three_hosts(directory) as connector, H2Client(connector, tls=True, name="a.test") as client:
        assert client.answer(client.request())[0] == 200
        client.authority = "b.test:8443"
        assert client.answer(client.request())[0] == 421
        client.authority = "B.test"
        assert client.answer(client.request())[0] == 421
    with (
        three_hosts(directory, strictSni="false") as connector,
        H2Client(connector, tls=True, name="a.test") as client,
    ):
        client.authority = "b.test"
        assert client.answer(client.request())[0] == 200


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_session_of_one_host_opens_no_other(directory, version):
    context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version

    def ask(connector: Connector, name: str, session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None]:
        with (
            socket.create_connection(("127.0.0.1", connector.local_port), 5) as plain,
            context.wrap_socket(plain, server_hostname=name, session=session) as client,
        ):
            client.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
            received = client.recv(65536)
            return received, client.session

    with three_hosts(directory) as connector:
        received, session = ask(connector, "a.test", None)
        assert received.startswith(b"HTTP/1.1 200")
        try:
            received, _ = ask(connector, "b.test", session)
        except REFUSED:
            received = b""
        assert received == b""


def test_names_count_on_a_unix_socket_too(directory):
    path = str(directory / "socket")
    with three_hosts(directory, unixDomainSocketPath=path):
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        for name in ("a.test", "d.test"):
            with socket.socket(socket.AF_UNIX) as plain:
                plain.connect(path)
                with context.wrap_socket(plain, server_hostname=name) as client:
                    assert client.getpeercert()["subject"][0][0][1] == name  # type: ignore[index]


def client_hello(name: str | None) -> bytes:
    """The bytes that a client would send first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    output = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), output, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return output.read()


class Piecemeal:
    """A TLS client whose ClientHello leaves as ``cut`` says; afterwards everything as usual."""

    def __init__(self, connector: Connector, name: str, cut: Any) -> None:
        context = ssl.create_default_context(cadata=authority().certificate_pem.decode())
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.socket = socket.create_connection(("127.0.0.1", connector.local_port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = True
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                data = self.outgoing.read()
                for part in cut(data) if first else [data]:
                    self.socket.sendall(part)
                first = False
                self.incoming.write(self.socket.recv(65536))
        self.socket.sendall(self.outgoing.read())

    @property
    def certificate_name(self) -> str:
        return str(self.tls.getpeercert()["subject"][0][0][1])  # type: ignore[index]


def in_records_of(size: int) -> Any:
    def cut(data: bytes) -> list[bytes]:
        message = data[5:]
        parts = [message[at : at + size] for at in range(0, len(message), size)]
        return [b"".join(b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts)]

    return cut


def in_reads_of(size: int) -> Any:
    return lambda data: [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize(
    "cut", [in_reads_of(1), in_reads_of(100), in_records_of(1), in_records_of(50)],
    ids=["bytes", "reads", "records of a byte", "records"],
)  # fmt: skip
def test_the_name_is_found_in_a_hello_that_comes_in_pieces(directory, cut):
    with three_hosts(directory) as connector:
        client = Piecemeal(connector, "d.test", cut)
        assert client.certificate_name == "d.test"
        client.socket.close()


def test_half_a_hello_keeps_no_processor_busy_and_ends_with_connection_timeout(directory):
    with (
        three_hosts(directory, connectionTimeout="700") as connector,
        socket.create_connection(("127.0.0.1", connector.local_port), 10) as client,
    ):
        client.sendall(client_hello("b.test")[:40])
        before = time.process_time()
        with contextlib.suppress(ConnectionResetError):  # the client has unread bytes
            assert client.recv(1) == b""
        assert time.process_time() - before < 0.3


NO_HELLOS = [
    b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\x00\x00", b"\x80\x2e\x01\x03\x01",
    b"\x15\x03\x03\x00\x02\x02\x28",
]  # fmt: skip


@pytest.mark.parametrize("data", NO_HELLOS, ids=["no hello", "empty", "SSL 2", "alert"])
def test_what_is_no_hello_gets_the_defaults_alert_or_the_end(directory, data):
    with (
        three_hosts(directory) as connector,
        socket.create_connection(("127.0.0.1", connector.local_port), 5) as client,
    ):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(100):
                received += part
        assert not received or received[0] == 21  # an alert


def test_a_name_that_was_not_found_in_time_is_not_served_by_the_default(directory):
    """Whatever our reader of the hello makes of it: the name that OpenSSL finds must be that of the set-up."""
    with three_hosts(directory, sniParseLimit="50") as connector:
        with TlsClient(connector, "a.test") as client:
            assert client.certificate_name == "a.test"
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            TlsClient(connector, "b.test", directory / "client")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client_sees_what_each_host_asks_for(directory, version):
    openssl = need_command("openssl")
    with three_hosts(directory) as connector:
        for name, own, refused in (("a.test", None, False), ("b.test", None, True), ("b.test", "client", False)):
            command = [openssl, "s_client", "-connect", f"127.0.0.1:{connector.local_port}", "-servername", name,
                       version, "-quiet", "-CAfile", str(directory / "ca.pem")]  # fmt: skip
            if own is not None:
                command += ["-cert", str(directory / f"{own}.crt"), "-key", str(directory / f"{own}.key")]
            request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
            done = subprocess.run([*command, "-ign_eof"], input=request, capture_output=True, timeout=20, check=False)
            assert (b"HTTP/1.1 200" not in done.stdout) is refused, done
            assert (b"alert" in done.stderr) is refused, done.stderr
