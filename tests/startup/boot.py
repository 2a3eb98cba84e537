"""Start a server from somebody else's server.xml on this machine: ports, directories and groups moved to places of our
own.

The file stays as it is; only its addresses and directories are changed, so that it starts without the machine that it
was written for.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalina.core.standard_server import StandardServer
from catalina.startup.catalina import Catalina
from tests.connector.certificates import pair
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0

APPLICATION = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

#: Values for ``${...}`` of the corpus without which the server could not be what its author meant.
PLACEHOLDERS = {
    "TOMCAT_USERS_FILE": "conf/tomcat-users.xml",
    "accessLog.fileDateFormat": ".yyyy-MM-dd",
    "allowRemoteAddr": ".*",
}
#: Attributes that name a certificate, its key or their passwords; and those that name authorities of clients.
SECRET_FILES = re.compile(r"(?i)keystore|keyAlias|keyPass|certificate(Chain|Key)?File|certificateKey|SSLPassword")
AUTHORITIES = re.compile(
    r"(?i)truststore|caCertificate|revocation|crlFile|clientAuth|verifyClient|certificateVerification$"
)
#: Members by name are machines of another network.
STATIC_MEMBER = re.compile(rb"(<Member\b[^>]*\bhost=\")[^\"]*", re.DOTALL)

#: Each server a group of its own, away from the groups of other tests.
_multicast_ports = itertools.count(49_700)


def make_base(base: Path, server_xml: Path) -> Path:
    """A base with the file as conf/server.xml, our other configuration files and one application."""
    for name in ("conf", "logs", "temp", "webapps/ROOT", "work"):
        (base / name).mkdir(parents=True)
    for name in ("web.xml", "context.xml", "tomcat-users.xml"):
        if (ROOT / "conf" / name).is_file():
            shutil.copy(ROOT / "conf" / name, base / "conf")
    (base / "webapps" / "ROOT" / "app.py").write_text(APPLICATION)
    text = STATIC_MEMBER.sub(rb"\g<1>127.0.0.2", server_xml.read_bytes())
    (base / "conf" / "server.xml").write_bytes(text)
    return base


@contextlib.contextmanager
def booted(base: Path) -> Iterator[StandardServer]:
    """The server of a base, started in this process, stopped afterwards."""
    catalina = Catalina(base, base, {"catalina.unknown": "warn", **PLACEHOLDERS})
    server = catalina.load()
    relocate(server, base)
    catalina.init()
    server.reactor.start()
    try:
        catalina.start()
        yield server
    finally:
        catalina.stop()
        server.reactor.stop()


def relocate(server: StandardServer, base: Path) -> None:
    """Move everything that has a place on a machine."""
    server.port = -1
    server.port_offset = 0
    for service in server.services:
        for connector in service.connectors:
            _move_connector(connector, base)
        engine = service.engine
        if engine is not None:
            _move_container(engine, base)
            for host in engine.children:
                _move_host(host, base)


def _move_connector(connector: Any, base: Path) -> None:
    connector.port = 0
    connector.protocol_handler.address = "127.0.0.1"
    if connector.is_ajp and not connector.protocol_handler.secret:
        connector.protocol_handler.secret_required = False  # the default when the file was written
    if connector.is_tls:
        _give_certificate(connector, base)


def _give_certificate(connector: Any, base: Path) -> None:
    """Our certificate for each that the file names, and no other files; what else it says about TLS is kept."""
    path = str(_certificate(base))
    handler = connector.protocol_handler
    for certificate in (handler, *(one for config in connector.ssl_host_configs for one in config.certificates)):
        for name, declaration in type(certificate).attributes().items():
            if SECRET_FILES.search(name):
                setattr(certificate, declaration.name, declaration.default)
        name = "ssl_certificate_file" if certificate is handler else "certificate_file"
        setattr(certificate, name, path)
    for config in (handler, *connector.ssl_host_configs):
        for name, declaration in type(config).attributes().items():
            if AUTHORITIES.search(name):
                setattr(config, declaration.name, declaration.default)


def _certificate(base: Path) -> Path:
    path = base / "conf" / "boot.pem"
    if not path.exists():
        issued = pair("localhost")
        path.write_bytes(issued.certificate_pem + issued.key_pem())
    return path


def _move_container(container: Any, base: Path) -> None:
    for valve in container.pipeline.valves:
        if hasattr(valve, "directory"):
            valve.directory = "logs"
    if container._cluster is not None:
        _move_cluster(container._cluster, base)


def _move_cluster(cluster: Any, base: Path) -> None:
    from catalina.tribes.group.group_channel import GroupChannel

    cluster.channel = cluster.channel or GroupChannel()
    coordinator = cluster.channel.coordinator
    membership = coordinator.membership_service
    if hasattr(membership, "bind"):
        membership.address, membership.port = "228.0.0.4", next(_multicast_ports)
        membership.bind, membership.frequency = "127.0.0.1", 100
    coordinator.receiver.address = "127.0.0.1"
    coordinator.receiver.port = free_port()
    deployer = cluster.deployer
    for name in ("temp_dir", "deploy_dir", "watch_dir"):
        if deployer is not None and getattr(deployer, name, None):
            setattr(deployer, name, str(base / "temp" / name))


def _move_host(host: Any, base: Path) -> None:
    _move_container(host, base)
    if host.name != "localhost" or Path(host.app_base).is_absolute():
        host.app_base = f"webapps-{host.name}" if host.name != "localhost" else "webapps"
    host.work_dir = None
    for number, context in enumerate(host.children):
        _move_container(context, base)
        if not (host.app_base_path / (context.doc_base or context.base_name)).exists():
            directory = base / "outside" / f"{host.name}-{number}"
            directory.mkdir(parents=True)
            (directory / "app.py").write_text(APPLICATION)
            context.doc_base = str(directory)
        context.work_dir = None


def answers(connector: Any) -> bytes:
    """The answer of the connector's port to a first message of its protocol; empty when it did not start."""
    if not connector.state.available or connector.local_port <= 0:
        return b""
    with socket.create_connection(("127.0.0.1", connector.local_port), PATIENCE) as plain:
        if connector.is_ajp:
            plain.sendall(b"\x12\x34\x00\x01\x0a")  # CPing
            return plain.recv(100)
        if connector.is_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return _get(secure)
        return _get(plain)


def _get(connection: socket.socket) -> bytes:
    connection.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    received = b""
    while data := connection.recv(4096):
        received += data
    return received
