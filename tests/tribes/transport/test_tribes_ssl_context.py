"""Pre-shared keys, both ways against openssl s_client and s_server, and against ourselves."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.errors import ConfigurationError
from catalina.tribes.transport.tribes_ssl_context import MAX_KEY, TribesSslContext
from tests.support.narrowing import there
from tests.support.needs import need_command
from tests.support.ports import free_port
from tests.tribes.groups import LOOPBACK, until

KEY = bytes(range(16))
VERSIONS = [("TLSv1.2", "SHA256"), ("TLSv1.3", "SHA256"), ("TLSv1.3", "SHA384")]
#: The options of openssl: the SHA-384 key of TLS 1.3 it takes from a session file only, so that is for ourselves.
OPENSSL = {
    "TLSv1.2": ["-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256"],
    "TLSv1.3": ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
}


@pytest.fixture(autouse=True)
def openssl():
    need_command("openssl", "openssl")


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        ["openssl", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def connected(port: int) -> socket.socket:
    def attempt() -> socket.socket | None:
        try:
            return socket.create_connection((LOOPBACK, port), 5)
        except ConnectionRefusedError:
            return None

    connection: socket.socket = until(attempt, "openssl s_server listens")
    return connection


def as_client(context: TribesSslContext, port: int) -> bytes:
    with connected(port) as plain, context.client.wrap_socket(plain) as connection:
        context.check_peer(connection)
        connection.sendall(b"hello\n")
        return connection.recv(100)


@pytest.mark.parametrize("protocol", OPENSSL)
def test_a_connection_to_openssl(protocol):
    port = free_port()
    with running(
        "s_server", "-psk", KEY.hex(), "-psk_identity", "cluster", "-nocert", "-rev", *OPENSSL[protocol],
        "-accept", f"{LOOPBACK}:{port}",
    ):  # fmt: skip
        assert as_client(TribesSslContext("cluster", KEY, protocol=protocol), port) == b"olleh\n"


@pytest.mark.parametrize("protocol", OPENSSL)
def test_a_connection_from_openssl(protocol):
    context = TribesSslContext("cluster", KEY, protocol=protocol)
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(5)
        with running(
            "s_client", "-psk", KEY.hex(), "-psk_identity", "cluster", "-quiet", *OPENSSL[protocol],
            "-connect", f"{LOOPBACK}:{server.getsockname()[1]}",
        ) as client:  # fmt: skip
            plain, _ = server.accept()
            plain.settimeout(5)
            with context.server.wrap_socket(plain, server_side=True) as connection:
                context.check_peer(connection)
                assert client.stdin is not None
                client.stdin.write(b"hello\n")
                client.stdin.flush()
                assert connection.recv(100) == b"hello\n"


def test_a_server_that_has_a_certificate_and_no_key_is_dropped(tmp_path: Path) -> None:
    """CVE-2026-133325: without certificates to check, OpenSSL takes it."""
    made = "req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=evil"
    subprocess.run(["openssl", *made.split()], cwd=tmp_path, capture_output=True, check=True)
    port = free_port()
    context = TribesSslContext("cluster", KEY)
    files = ("-cert", str(tmp_path / "c.pem"), "-key", str(tmp_path / "k.pem"))
    with (
        running("s_server", *files, "-tls1_3", "-rev", "-accept", f"{LOOPBACK}:{port}"),
        connected(port) as plain,
        context.client.wrap_socket(plain) as connection,
    ):
        assert connection.version() == "TLSv1.3", "the handshake alone says nothing"
        with pytest.raises(ssl.SSLError, match="has shown a certificate, expected the pre-shared key"):
            context.check_peer(connection)


@pytest.mark.parametrize("protocol", OPENSSL)
def test_a_client_without_the_key_does_not_get_in(protocol):
    context = TribesSslContext("cluster", KEY, protocol=protocol)
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(5)
        with running("s_client", OPENSSL[protocol][0], "-connect", f"{LOOPBACK}:{server.getsockname()[1]}"):
            plain, _ = server.accept()
            plain.settimeout(5)
            with pytest.raises(OSError, match="SSL"):
                context.server.wrap_socket(plain, server_side=True)
            plain.close()


def meet(ours: TribesSslContext, theirs: TribesSslContext) -> tuple[str, str]:
    """The words of the two sides on a connection: the cipher, or the class of the error."""
    here, far = socket.socketpair()
    said = ["", ""]

    def shake(place: int, side: ssl.SSLContext, context: TribesSslContext, plain: socket.socket) -> None:
        plain.settimeout(5)
        with plain:
            try:
                with side.wrap_socket(plain, server_side=place == 1) as connection:
                    context.check_peer(connection)
                    connection.sendall(b"x")
                    said[place] = str(there(connection.cipher())[0]) if connection.recv(1) else "closed"
            except OSError as error:
                said[place] = type(error).__name__

    thread = threading.Thread(target=shake, args=(1, theirs.server, theirs, far))
    thread.start()
    shake(0, ours.client, ours, here)
    thread.join()
    return said[0], said[1]


@pytest.mark.parametrize(("protocol", "digest"), VERSIONS)
def test_members_with_the_same_key_meet(protocol, digest):
    ours, theirs = (TribesSslContext("cluster", KEY, digest, protocol) for _ in range(2))
    cipher = {
        ("TLSv1.2", "SHA256"): "PSK-AES128-GCM-SHA256",
        ("TLSv1.3", "SHA256"): "TLS_AES_128_GCM_SHA256",
        ("TLSv1.3", "SHA384"): "TLS_AES_256_GCM_SHA384",
    }[protocol, digest]
    assert meet(ours, theirs) == (cipher, cipher)


@pytest.mark.parametrize(("protocol", "digest"), VERSIONS)
@pytest.mark.parametrize("theirs", [("cluster", bytes(16)), ("other", KEY), ("cluster", KEY + b"\0")])
def test_another_key_or_another_name_is_refused_by_both(protocol, digest, theirs):
    ours = TribesSslContext("cluster", KEY, digest, protocol)
    said = meet(ours, TribesSslContext(theirs[0], theirs[1], digest, protocol))
    assert not any("GCM" in each for each in said), said


def test_keys_of_different_digests_do_not_meet():
    said = meet(TribesSslContext("cluster", KEY, "SHA256"), TribesSslContext("cluster", KEY, "SHA384"))
    assert not any("GCM" in each for each in said), said


def test_the_longest_key_is_taken():
    longest = bytes(MAX_KEY)
    for protocol, digest in VERSIONS:
        ours, theirs = (TribesSslContext("cluster", longest, digest, protocol) for _ in range(2))
        assert "GCM" in meet(ours, theirs)[0], protocol


def test_one_context_serves_many_connections():
    """Each handshake makes a session by hand, and OpenSSL frees it: once, or the process would end."""
    ours, theirs = (TribesSslContext("cluster", KEY) for _ in range(2))
    for _ in range(50):
        assert meet(ours, theirs)[0] == "TLS_AES_128_GCM_SHA256"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", KEY), "pskIdentity, expected 1 to 128 bytes, got 0"),
        (("cluster", KEY[:15]), "pskKey, expected 16 to 512 bytes in hex, got 15"),
        (("cluster", bytes(513)), "pskKey, expected 16 to 512 bytes in hex, got 513"),
        (("cluster", KEY, "MD5"), "expected SHA256 or SHA384"),
        (("cluster", KEY, "SHA256", "TLSv1.1"), "TLSv1.2 or TLSv1.3"),
        (("cluster", KEY, "SHA384", "TLSv1.2"), "needs pskProtocol TLSv1.3"),
    ],
)
def test_what_is_unsuitable_is_named(arguments, words):
    with pytest.raises(ConfigurationError, match=words):
        TribesSslContext(*arguments)


def test_a_python_with_the_callbacks_of_its_own_is_given_them(monkeypatch):
    """From 3.13 on OpenSSL need not be reached for."""
    given = {}

    def client(_: ssl.SSLContext, callback: Any) -> None:
        given["client"] = callback(None)

    def server(_: ssl.SSLContext, callback: Any) -> None:
        given["server"] = (callback("cluster"), callback("other"))

    monkeypatch.setattr(ssl.SSLContext, "set_psk_client_callback", client, raising=False)
    monkeypatch.setattr(ssl.SSLContext, "set_psk_server_callback", server, raising=False)
    TribesSslContext("cluster", KEY)
    assert given == {"client": ("cluster", KEY), "server": (KEY, b"")}
