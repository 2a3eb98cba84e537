"""TLS by host name: the same server.xml and certificates to the real Tomcat and to ours, the same handshakes."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from catalina.coyote.http2.http2_parser import frame
from tests.connector.certificates import authority, make_pair, pair
from tests.coyote.http2.frames import HEADERS, RST, SETTINGS, START, headers, split
from tests.interop.differential.servers import PROJECT, running_java, running_ours
from tests.support.needs import need_java_tomcat
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

HOST = '<SSLHostConfig hostName="{0}" {1}><Certificate certificateFile="conf/{0}.crt" certificateKeyFile="conf/{0}.key" type="EC"/></SSLHostConfig>'  # noqa: E501
SERVER_XML = """<Server port="-1"><Service name="Catalina">
<Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" SSLEnabled="true" defaultSSLHostConfigName="a.test">
<UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol"/>
{hosts}
</Connector>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps" autoDeploy="false"/></Engine>
</Service></Server>
"""
REQUIRED = 'certificateVerification="required" truststoreFile="conf/trust.p12" truststorePassword="changeit"'
HOSTS = {
    "a.test": "",
    "b.test": REQUIRED,
    "c.test": 'protocols="TLSv1.3"',
    "d.test": 'protocols="TLSv1.2"',
    "*.e.test": REQUIRED.replace("required", "optional"),
}


class Case(NamedTuple):
    """One handshake and one request."""

    name: str | None
    own: str | None
    version: ssl.TLSVersion
    alpn: str
    host: str


OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CASES = [
    *(
        Case(name, own, version, alpn, name)
        for name in ("a.test", "b.test", "c.test", "d.test", "x.e.test", "unknown.test")
        for own in (None, "client", "stranger")
        for version in (OLD, NEW)
        for alpn in ("http/1.1", "h2")
        if own is None or name in ("b.test", "x.e.test")
    ),
    *(
        Case(name, None, NEW, alpn, host)
        for name, host in (("a.test", "b.test"), ("a.test", "unknown.test"), (None, "a.test"), (None, "b.test"),
                           ("A.TEST", "a.test"), ("d.e.test", "x.e.test"))
        for alpn in ("http/1.1", "h2")
    ),
]  # fmt: skip


def _make_base(base: Path, port: int) -> None:
    for name in ("conf", "logs", "temp", "work", "webapps/ROOT"):
        (base / name).mkdir(parents=True)
    hosts = []
    for name, attributes in HOSTS.items():
        stem = name.removeprefix("*.")
        pair(stem).write(base / "conf", stem)
        hosts.append(HOST.format(stem, attributes).replace(f'hostName="{stem}"', f'hostName="{name}"'))
    (base / "conf" / "ca.pem").write_bytes(authority().certificate_pem)
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-file", str(base / "conf" / "ca.pem"), "-alias", "ca", "-storetype",
         "PKCS12", "-keystore", str(base / "conf" / "trust.p12"), "-storepass", "changeit"],
        check=True, capture_output=True,
    )  # fmt: skip
    (base / "conf" / "server.xml").write_text(SERVER_XML.format(port=port, hosts="\n".join(hosts)))
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    (base / "webapps" / "ROOT" / "index.html").write_text("hello\n")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clients")
    pair("client").write(made, "client")
    make_pair("stranger").write(made, "stranger")
    return made


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    jars = need_java_tomcat()
    bases = tmp_path_factory.mktemp("java") / "base", tmp_path_factory.mktemp("ours") / "base"
    numbers = free_port(), free_port()
    for base, port in zip(bases, numbers, strict=True):
        _make_base(base, port)
    with running_java(bases[0], numbers[0], jars), running_ours(bases[1]):
        yield numbers


def outcome(port: int, case: Case, directory: Path) -> str:
    """``refused``, or the status (or reset) of the answer and whose certificate came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority().certificate_pem.decode())
    context.check_hostname = False
    context.minimum_version = context.maximum_version = case.version
    context.set_alpn_protocols([case.alpn])
    if case.own is not None:
        context.load_cert_chain(directory / f"{case.own}.crt", directory / f"{case.own}.key")
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=case.name) as client:
                shown = client.getpeercert()["subject"][0][0][1]  # type: ignore[index]
                status = _ask_http2(client, case.host) if case.alpn == "h2" else _ask_http11(client, case.host)
                return f"{status} by {shown}" if status else "refused"
        except (ssl.SSLError, ConnectionError):
            return "refused"


def _ask_http11(client: ssl.SSLSocket, host: str) -> str:
    client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    received = b""
    while part := client.recv(65536):
        received += part
    return received[9:12].decode()


def _ask_http2(client: ssl.SSLSocket, host: str) -> str:
    client.sendall(START + headers(1, scheme="https", authority=host) + frame(SETTINGS, 1, 0))
    received = b""
    while part := client.recv(65536):
        received += part
        with contextlib.suppress(IndexError):
            for kind, _, number, payload in split(received):
                if number == 1 and kind == RST:
                    return f"reset {int.from_bytes(payload)}"
                if number == 1 and kind == HEADERS:
                    return _status(payload)
    return ""


def _status(payload: bytes) -> str:
    from hpack import Decoder

    return dict(Decoder().decode(payload, raw=True))[b":status"].decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(part) for part in case))
def test_each_host_asks_for_what_it_says(ports: tuple[int, int], directory: Path, case: Case) -> None:
    java, ours = (outcome(port, case, directory) for port in ports)
    misdirected = "reset 1 " if case.alpn == "h2" else "400 "  # 421 says so: RFC 9110 section 15.5.20
    assert ours == (java.replace(misdirected, "421 ") if case.name != case.host else java)
