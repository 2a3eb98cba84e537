"""Groups whose members speak TLS with a pre-shared key."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import SEND_OPTIONS_MULTICAST, SEND_OPTIONS_SECURE, ChannelMessage
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.io.x_byte_buffer import ACK, FrameDecoder
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from catalina.tribes.transport.nio.nio_sender import NioSender
from catalina.tribes.transport.nio.tls_channel import TlsChannel
from catalina.tribes.transport.tribes_ssl_context import TribesSslContext
from tests.support.narrowing import of_type, there
from tests.support.needs import need_command
from tests.support.ports import free_port, free_udp_port
from tests.tribes.groups import LOOPBACK, Recorder, make_channel, started, until

KEY = bytes(range(32))


def a_node(mcast_port: int, key: bytes = KEY, secure: bool = True, **psk: Any) -> tuple[GroupChannel, Recorder]:
    receiver = NioReceiver(address=LOOPBACK, port=free_port(), secure_port=free_port())
    channel, seen = make_channel(mcast_port, receiver=receiver)
    channel.secure = secure
    if key:
        channel.psk_identity, channel.psk_key = "cluster", key
    for name, value in psk.items():
        setattr(channel, name, value)
    return channel, seen


@contextlib.contextmanager
def alone(*channels: GroupChannel) -> Iterator[None]:
    """Started, whether they see each other or not."""
    try:
        for channel in channels:
            channel.start()
        yield
    finally:
        for channel in channels:
            channel.stop()


@pytest.mark.parametrize(("protocol", "digest"), [("TLSv1.2", "SHA256"), ("TLSv1.3", "SHA256"), ("TLSv1.3", "SHA384")])
def test_three_nodes_share_a_group_that_nobody_can_read(protocol, digest):
    port = free_udp_port()
    nodes = [a_node(port, psk_protocol=protocol, psk_digest=digest) for _ in range(3)]
    with started(*(channel for channel, _ in nodes)):
        for channel, _ in nodes:
            assert len(channel.members) == 2
            assert channel.local_member.secure_port > 0
            for options in (0, 2, 6, 8):
                channel.send(channel.members, b"%d" % options, options)
        large = os.urandom(3_000_000)
        nodes[0][0].send(nodes[0][0].members, large, 6)
        until(lambda: all(large in seen.messages for _, seen in nodes[1:]))
        until(lambda: all(sum(message != large for message in seen.messages) == 8 for _, seen in nodes))
        transport = nodes[0][0].coordinator.sender.transport
        assert len(transport._tls_tables.members) == 2
        assert transport._tables.members == transport._tables.strangers == {}


def test_many_small_messages_keep_their_order():
    port = free_udp_port()
    (one, _), (two, seen) = a_node(port), a_node(port)
    with started(one, two):
        sent = [b"%d" % number for number in range(3000)]
        for message in sent[:-1]:
            one.post(one.members, message, 8)
        one.send(one.members, sent[-1], 6)
        assert seen.messages == sent


def test_the_plain_port_is_closed_and_what_is_on_the_wire_is_no_frame():
    channel, _ = a_node(free_udp_port())
    with alone(channel):
        local = channel.local_member
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, local.port))
        with socket.create_connection((LOOPBACK, local.secure_port)) as plain:
            plain.settimeout(5)
            frame = PackageEncoder().frame(ChannelMessage(b"plain", 3, 1, bytes(16), local))
            with contextlib.suppress(ConnectionError):
                plain.sendall(frame)
                answer = plain.recv(1000)
                assert ACK not in answer


@pytest.mark.parametrize("other", [{"key": bytes(32)}, {"key": b"", "secure": False}, {"psk_identity": "elsewhere"}])
def test_a_node_without_the_key_is_no_member_and_gets_nothing(other, caplog):
    """One with another key, one that knows nothing of TLS, one with another name for its key."""
    port = free_udp_port()
    (one, seen), (two, _), (outside, seen_outside) = a_node(port), a_node(port), a_node(port, **other)
    with alone(one, two, outside):
        until(lambda: one.members and two.members)
        until(lambda: len(one.membership_service.members) == 2, "its heartbeat is heard all the same")
        one.send(one.members, b"between us", 6)
        assert outside.local_member not in (*one.members, *two.members)
        assert one.local_member not in outside.members
        assert seen_outside.messages == seen.messages == []


def test_a_mixed_group_encrypts_what_asks_for_it():
    """With keys and without secure='true' both ports are there, and a message says which way it goes."""
    port = free_udp_port()
    (one, _), (two, seen), (plain, _) = a_node(port, secure=False), a_node(port, secure=False), make_channel(port)
    with started(one, two, plain):
        tables = one.coordinator.sender.transport
        [target] = [member for member in one.members if member == two.local_member]
        one.send([target], b"plain", 6)
        assert list(tables._tables.members) == [target]
        one.send([target], b"secret", 6 | SEND_OPTIONS_SECURE)
        assert list(tables._tls_tables.members) == [target]
        assert seen.messages == [b"plain", b"secret"]
        with pytest.raises(ChannelError) as refused:
            one.send([plain.local_member], b"secret", 6 | SEND_OPTIONS_SECURE)
        assert "has no securePort" in str(next(iter(refused.value.faulty.values())))


def test_a_secure_message_needs_keys_and_no_datagram():
    port = free_udp_port()
    (one, _), (two, _) = make_channel(port), make_channel(port)
    with started(one, two), pytest.raises(ChannelError, match="needs pskIdentity and pskKey"):
        one.send(one.members, b"x", 6 | SEND_OPTIONS_SECURE)
    secure, seen = a_node(port)
    with alone(secure):
        with pytest.raises(ChannelError, match="cannot be sent by multicast"):
            secure.send([secure.local_member], b"x", SEND_OPTIONS_MULTICAST)
        impl, reactor = of_type(McastService, secure.membership_service)._impl, there(secure.reactor)
        broadcast = PackageEncoder().frame(ChannelMessage(b"x", 0x41, 1, bytes(16), Member(bytes(4), 1)))
        reactor.call_soon(lambda: there(impl).receive_datagram(broadcast))
        until(lambda: reactor.in_runner or not reactor._soon)
        assert seen.messages == []


@pytest.mark.parametrize(
    ("settings", "receiver", "words"),
    [
        ({"psk_key": b""}, {}, "pskIdentity and pskKey belong together"),
        ({"psk_key": b"", "psk_identity": ""}, {}, "secure='true' needs pskIdentity and pskKey"),
        ({"psk_key": b"short"}, {}, "pskKey, expected 16 to 512 bytes"),
        ({}, {"secure_port": -1}, "needs the receiver's securePort"),
        ({}, {"udp_port": 4001}, "datagrams are not encrypted"),
    ],
)
def test_a_channel_that_could_not_keep_its_word_does_not_start(settings, receiver, words):
    channel, _ = a_node(free_udp_port(), **settings)
    for name, value in receiver.items():
        setattr(channel.coordinator.receiver, name, value)
    with pytest.raises(ChannelError, match=words):
        channel.start()
    channel.stop()


def test_a_secure_port_without_a_key_is_not_announced(caplog):
    channel, _ = a_node(free_udp_port(), key=b"", secure=False)
    with alone(channel):
        assert channel.local_member.secure_port == -1
        assert "nothing listens there without pskIdentity and pskKey" in caplog.text


def _is_closed(sender: NioSender) -> bool:
    return sender._socket is None


class JavaReceiver:
    """A receiver as Java has it: it closes a TLS connection on which nothing comes for a moment."""

    def __init__(self, context: TribesSslContext, patience: float) -> None:
        self.server = socket.create_server((LOOPBACK, 0))
        self.messages: list[int] = []
        self.connections = 0
        self._context, self._patience = context, patience
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self.server.accept()
                self._serve(plain)
            except OSError:
                if self.server.fileno() < 0:
                    return

    def _serve(self, plain: socket.socket) -> None:
        with plain, self._context.server.wrap_socket(plain, server_side=True) as connection:
            self._context.check_peer(connection)
            self.connections += 1
            connection.settimeout(self._patience)
            frames = FrameDecoder()
            with contextlib.suppress(TimeoutError):
                while data := connection.recv(65536):
                    for package in frames.receive_data(data):
                        self.messages.append(len(package))
                        connection.sendall(ACK)

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._thread.join(5)


def test_a_connection_that_java_has_closed_in_silence_is_made_anew_in_silence(caplog):
    channel, _ = a_node(free_udp_port())
    java = JavaReceiver(TribesSslContext("cluster", KEY), patience=0.2)
    try:
        with alone(channel):
            member = Member(socket.inet_aton(LOOPBACK), 1, secure_port=java.port, unique_id=b"j" * 16)
            channel._present.add(member)
            for number in (1, 2):
                channel.send([member], b"x", 6)
                assert len(java.messages) == number
                [sender] = channel.coordinator.sender.transport._tls_tables.members.values()
                until(partial(_is_closed, sender), "it is closed")
            assert java.connections == 2
        assert "memberDisappeared" not in caplog.text
    finally:
        java.close()


def test_an_impostor_with_a_certificate_is_told_nothing(tmp_path):
    """It announces itself, takes the TLS connection, and has no key."""
    need_command("openssl", "openssl")
    made = "req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=evil"
    subprocess.run(["openssl", *made.split()], cwd=tmp_path, capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    heard = []
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(5)
        channel, _ = a_node(free_udp_port())
        with alone(channel):
            member = Member(socket.inet_aton(LOOPBACK), 1, secure_port=server.getsockname()[1], unique_id=b"e" * 16)
            delivery = channel.post([member], b"the session of the admin", 2)
            plain, _ = server.accept()
            plain.settimeout(5)
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                heard.append(connection.recv(1000))
            assert delivery.wait(5)
            assert "certificate, expected the pre-shared key" in str(delivery.faulty[member])
    assert b"".join(heard) == b""


def test_a_channel_moves_bytes_without_blocking():
    here, there = socket.socketpair()
    for sock in (here, there):
        sock.setblocking(False)
    context = TribesSslContext("cluster", KEY)
    ours, theirs = TlsChannel(here, context, server_side=False), TlsChannel(there, context, server_side=True)
    while ours.handshake() | theirs.handshake():
        pass
    with pytest.raises(BlockingIOError):
        theirs.recv(100)
    assert ours.send(b"hello") == 5
    assert theirs.recv(3) == b"hello", "a record is never cut: the loop would not see the rest"
    with contextlib.suppress(BlockingIOError):
        while True:
            ours.send(bytes(100_000))
    ours.close()
    theirs.close()


def test_a_socket_whose_peer_is_gone_is_left_to_its_owner():
    """Python would wrap it by halves, and never close it."""
    with socket.create_server((LOOPBACK, 0)) as server:
        here = socket.create_connection(server.getsockname())
        there, _ = server.accept()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        there.close()
    with here:
        until(lambda: here.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the reset has arrived")
        with pytest.raises(OSError, match="not connected"):
            TlsChannel(here, TribesSslContext("cluster", KEY), server_side=False)
        assert here.fileno() >= 0


def test_a_member_that_resets_its_connections_fails_its_messages_at_once():
    channel, _ = a_node(free_udp_port())
    with socket.create_server((LOOPBACK, 0)) as server, alone(channel):
        stopping = threading.Event()

        def reset_all() -> None:
            server.settimeout(0.1)
            while not stopping.is_set():
                with contextlib.suppress(OSError):
                    there, _ = server.accept()
                    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    there.close()

        thread = threading.Thread(target=reset_all)
        thread.start()
        member = Member(socket.inet_aton(LOOPBACK), 1, secure_port=server.getsockname()[1], unique_id=b"r" * 16)
        delivery = channel.post([member], b"x", 2)
        assert delivery.wait(2), "before the connect timeout"
        assert delivery.faulty
        stopping.set()
        thread.join()
