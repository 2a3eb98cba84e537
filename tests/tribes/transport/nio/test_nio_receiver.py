"""Takes messages, and what else comes to its port."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, frame
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from tests.support.ports import free_port, free_udp_port
from tests.tribes.fakes import PEER
from tests.tribes.groups import LOOPBACK, make_channel, until


def wire(data: bytes, options: int) -> bytes:
    return PackageEncoder().frame(ChannelMessage(data, options | 1, 1, bytes(16), PEER))


@pytest.fixture
def make_receiver():
    channels = []

    def make(**settings):
        settings = {"address": LOOPBACK, "port": free_port()} | settings
        channel, recorder = make_channel(free_udp_port(), receiver=NioReceiver(**settings))
        channels.append(channel)
        channel.start(3)
        channel.member_added(PEER)
        return channel.coordinator.receiver, recorder

    yield make
    for channel in channels:
        channel.stop()


def connect(receiver: NioReceiver) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, receiver.bound_port))
    connection.settimeout(5)
    return connection


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        assert chunk, f"closed after {data!r}"
        data += chunk
    return data


@pytest.mark.parametrize(("options", "answer"), [(0, b""), (2, ACK), (4, b""), (6, ACK)])
def test_answers_come_where_they_are_asked_for(make_receiver, options, answer):
    receiver, recorder = make_receiver()
    with connect(receiver) as connection:
        connection.sendall(wire(b"one", options) + wire(b"two", 2))
        assert receive(connection, len(answer) + 21) == answer + ACK
    assert recorder.messages == [b"one", b"two"]


@pytest.mark.parametrize(("options", "answer"), [(2, ACK), (6, FAIL_ACK)])
def test_a_failing_listener_is_told_only_to_those_who_wait_for_it(make_receiver, options, answer):
    receiver, recorder = make_receiver()
    recorder.fault = ValueError("no")
    with connect(receiver) as connection:
        connection.sendall(wire(b"x", options) + wire(b"y", 2))
        assert receive(connection, 42) == answer + ACK


def test_a_port_that_another_node_has_bound_and_listens_on_first_is_left_to_it(make_receiver):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, 0))  # not listening yet: a second bind of the port succeeds
        listen, port = socket.socket.listen, other.getsockname()[1]

        def other_is_quicker(sock, backlog):
            listen(other, 1)
            listen(sock, backlog)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("catalina.tribes.transport.nio.nio_receiver.socket.socket.listen", other_is_quicker)
            receiver, _ = make_receiver(port=port, auto_bind=20)
        assert port < receiver.bound_port < port + 20


def test_more_messages_than_a_rounds_budget_are_all_taken_in_order(make_receiver):
    receiver, recorder = make_receiver()
    with connect(receiver) as connection:
        connection.sendall(b"".join(wire(b"%d" % number, 6) for number in range(2000)))
        assert receive(connection, 21 * 2000) == ACK * 2000
    assert recorder.messages == [b"%d" % number for number in range(2000)]


def test_messages_byte_by_byte_are_taken(make_receiver):
    receiver, recorder = make_receiver()
    with connect(receiver) as connection:
        for byte in wire(b"slow", 6):
            connection.send(bytes([byte]))
        assert receive(connection, 21) == ACK
    assert recorder.messages == [b"slow"]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        os.urandom(100) + b"x",
        frame(b"no package"),
        frame(bytes(200)),
        wire(b"x", 2)[:-1] + b"!",
        b"FLT2002" + b"\x7f\xff\xff\xff",
        b"\0",
    ],
    ids=["http", "random", "short package", "zeros", "footer", "length", "one byte"],
)
def test_rubbish_closes_its_connection_with_one_line_and_nothing_else(make_receiver, rubbish, caplog):
    receiver, recorder = make_receiver()
    with connect(receiver) as healthy, connect(receiver) as other, caplog.at_level(logging.INFO):
        other.sendall(rubbish)
        assert other.recv(1) == b""
        peer = "{}:{}".format(*other.getsockname())
        healthy.sendall(wire(b"fine", 6))
        assert receive(healthy, 21) == ACK
    lines = [record for record in caplog.records if peer in record.getMessage()]
    assert len(lines) == 1
    assert lines[0].levelno == logging.WARNING
    assert recorder.messages == [b"fine"]


def test_a_package_beyond_the_limit_is_refused_before_it_is_read(make_receiver, caplog):
    receiver, _ = make_receiver(max_package=1000)
    with connect(receiver) as connection:
        connection.sendall(b"FLT2002" + (1001).to_bytes(4, "big"))
        assert connection.recv(1) == b""
    assert "package of 1001 bytes, limit 1000" in caplog.text


def test_connections_beyond_the_limit_are_closed(make_receiver, caplog):
    receiver, recorder = make_receiver(max_connections=1)
    with connect(receiver) as first:
        first.sendall(wire(b"x", 6))
        receive(first, 21)
        with connect(receiver) as second:
            assert second.recv(1) == b""
    assert "limit 1 (maxConnections)" in caplog.text
    until(lambda: not receiver._limits.tasks)
    with connect(receiver) as third:
        third.sendall(wire(b"y", 6))
        receive(third, 21)
    assert recorder.messages == [b"x", b"y"]


def test_a_peer_that_reads_no_answers_is_closed(make_receiver, caplog):
    receiver, _ = make_receiver()
    batch = wire(b"", 2) * 1000
    with connect(receiver) as connection:
        connection.settimeout(0.2)
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(1000):
                connection.sendall(batch)
        until(lambda: not receiver._limits.tasks)
    assert "bytes of acknowledgements unread" in caplog.text


def test_the_loop_can_be_handed_on_while_a_connection_is_worked_through(make_receiver):
    """A listener that waits keeps the order of its connection, and the other connections go on."""
    receiver, recorder = make_receiver()
    reactor = receiver.channel.running_reactor
    order: list[bytes] = []
    waits = threading.Event()

    def slow(message: Any, sender: Any) -> None:
        data = message.payload()
        if data == b"wait":
            with reactor.blocking():
                waits.set()
                until(lambda: b"meanwhile" in order)
        order.append(data)

    recorder.message_received = slow
    with connect(receiver) as one, connect(receiver) as two:
        one.sendall(wire(b"wait", 6) + wire(b"after", 6))
        assert waits.wait(5)
        one.sendall(wire(b"later", 6))
        two.sendall(wire(b"meanwhile", 6))
        assert receive(two, 21) == ACK
        assert receive(one, 63) == ACK * 3
    assert order == [b"meanwhile", b"wait", b"after", b"later"]


def test_datagrams_are_taken_and_answered(make_receiver):
    receiver, recorder = make_receiver(udp_port=free_udp_port())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        target = (LOOPBACK, receiver.bound_udp_port)
        sock.sendto(wire(b"quiet", 0), target)
        sock.sendto(wire(b"asked", 2), target)
        assert sock.recv(100) == ACK
        recorder.fault = ValueError("no")
        sock.sendto(wire(b"asked", 6), target)
        assert sock.recv(100) == FAIL_ACK
    assert recorder.messages == [b"quiet", b"asked", b"asked"]


def test_a_bad_datagram_is_dropped_with_one_line(make_receiver, caplog):
    receiver, recorder = make_receiver(udp_port=free_udp_port())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        target = (LOOPBACK, receiver.bound_udp_port)
        sock.sendto(b"abc", target)
        sock.sendto(wire(b"fine", 2), target)
        assert sock.recv(100) == ACK
    assert caplog.text.count("datagram dropped") == 1
    assert recorder.messages == [b"fine"]


def test_the_bind_attribute_listens_elsewhere_than_announced(make_receiver):
    receiver, _ = make_receiver(address="127.0.0.2", bind=LOOPBACK)
    assert receiver.host == bytes([127, 0, 0, 2])
    connect(receiver).close()


def test_the_buffers_for_datagrams_are_as_large_as_they_were_set(make_receiver):
    receiver, _ = make_receiver(udp_port=free_udp_port(), udp_rx_buf_size=8192, udp_tx_buf_size=16384)
    options = (socket.SO_RCVBUF, socket.SO_SNDBUF)
    sizes = [receiver._udp.getsockopt(socket.SOL_SOCKET, option) for option in options]
    assert sizes == [2 * 8192, 2 * 16384]  # socket(7): the kernel doubles the value


def test_a_udp_port_that_is_taken_gives_way_to_the_next_one(make_receiver):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
        receiver, _ = make_receiver(udp_port=port)
        assert receiver.bound_udp_port > port


def test_without_a_free_udp_port_it_does_not_start(make_receiver):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        with pytest.raises(ChannelError, match="udpPort"):
            make_receiver(udp_port=taken.getsockname()[1], auto_bind=1)


def test_an_acknowledgement_that_cannot_be_sent_is_logged_and_the_next_datagram_is_taken(make_receiver, caplog):
    caplog.set_level(logging.INFO)
    receiver, recorder = make_receiver(udp_port=free_udp_port())
    message = ChannelMessage(b"asked", 3, 1, bytes(16), PEER)
    run_in_runner(receiver.channel.running_reactor, lambda: receiver._take_datagram(message, ("255.255.255.255", 1)))
    assert "Unable to send ACK back to 255.255.255.255:1" in caplog.text
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(wire(b"next", 2), (LOOPBACK, receiver.bound_udp_port))
        assert sock.recv(100) == ACK
    assert recorder.messages == [b"asked", b"next"]
