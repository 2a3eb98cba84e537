"""Datagrams to one member."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from catalina.errors import RemoteProcessError
from catalina.reactor import Reactor
from catalina.tribes.channel import Delivery
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, frame
from catalina.tribes.member import Member
from catalina.tribes.transport.nio import udp_sender as module
from catalina.tribes.transport.nio.parallel_nio_sender import ParallelNioSender
from catalina.tribes.transport.nio.udp_sender import MAX_DATAGRAM, UdpSender
from tests.tribes.groups import LOOPBACK


class Peer:
    def __init__(self, **settings: Any) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.socket.settimeout(5)
        self.reactor = Reactor("test-udp")
        self.reactor.start()
        member = Member(socket.inet_aton(LOOPBACK), 1, udp_port=self.socket.getsockname()[1])
        self.sender = UdpSender(member, ParallelNioSender(**settings), self.reactor)

    def post(self, package: bytes, wants_ack: bool = True) -> Delivery:
        delivery = Delivery(1)
        self.sender.enqueue(frame(package), wants_ack, delivery)
        return delivery

    def answer(self, answer: bytes) -> bytes:
        data, sender = self.socket.recvfrom(MAX_DATAGRAM)
        if answer:
            self.socket.sendto(answer, sender)
        return data

    def close(self) -> None:
        run_in_runner(self.reactor, self.sender.close)
        self.reactor.stop()
        self.socket.close()


@pytest.fixture
def peer():
    one = Peer()
    yield one
    one.close()


def reason_of(delivery: Delivery) -> BaseException:
    assert delivery.wait(5)
    return next(iter(delivery.faulty.values()))


def test_a_datagram_is_one_frame(peer):
    delivery = peer.post(b"x", wants_ack=False)
    assert peer.answer(b"") == frame(b"x")
    assert delivery.wait(5)


def test_datagrams_that_are_confirmed_go_one_after_the_other(peer):
    one, two = peer.post(b"1"), peer.post(b"2")
    assert peer.answer(b"rubbish") == frame(b"1")
    peer.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        peer.socket.recv(10)
    peer.socket.settimeout(5)
    run_in_runner(peer.reactor, lambda: peer.socket.sendto(ACK, peer.sender._socket.getsockname()))
    assert one.wait(5)
    assert peer.answer(ACK) == frame(b"2")
    assert two.wait(5)
    assert not one.faulty


def test_a_negative_answer_is_a_failure(peer):
    delivery = peer.post(b"x")
    peer.answer(FAIL_ACK)
    assert isinstance(reason_of(delivery), RemoteProcessError)


def test_without_an_answer_it_has_failed():
    peer = Peer(timeout=50)
    try:
        assert isinstance(reason_of(peer.post(b"x")), TimeoutError)
    finally:
        peer.close()


def test_what_does_not_fit_is_refused(peer):
    assert "limit 65507" in str(reason_of(peer.post(bytes(MAX_DATAGRAM))))


def test_a_closed_port_is_noticed_by_who_waits(peer):
    peer.socket.close()
    assert isinstance(reason_of(peer.post(b"x")), ConnectionRefusedError)


def test_a_member_without_a_udp_port_cannot_be_sent_to(peer):
    peer.sender.member = Member(socket.inet_aton(LOOPBACK), 1)
    assert "has no UDP port" in str(reason_of(peer.post(b"x")))


def test_what_waits_fails_when_it_closes(peer):
    waiting = [peer.post(b"1"), peer.post(b"2")]
    peer.answer(b"")
    run_in_runner(peer.reactor, peer.sender.close)
    assert all(isinstance(reason_of(delivery), ConnectionAbortedError) for delivery in waiting)


def test_an_address_that_cannot_be_reached_is_a_failure_with_and_without_an_acknowledgement(peer):
    peer.sender.member = Member(bytes([255] * 4), 1, udp_port=4001)  # a broadcast, which a socket does not send unasked
    for wants_ack in (False, True):
        assert isinstance(reason_of(peer.post(b"x", wants_ack)), PermissionError)


def test_only_so_many_wait_for_an_acknowledgement(peer, monkeypatch):
    monkeypatch.setattr(module, "_MAX_WAITING", 1)
    asked, waiting = peer.post(b"1"), peer.post(b"2")
    assert "1 datagrams wait" in str(reason_of(peer.post(b"3")))
    peer.answer(ACK)
    peer.answer(ACK)
    assert asked.wait(5)
    assert waiting.wait(5)


def test_the_buffers_are_as_large_as_they_were_set():
    peer = Peer(udp_rx_buf_size=8192, udp_tx_buf_size=16384)
    try:
        assert peer.post(b"x", wants_ack=False).wait(5)
        sock = peer.sender._socket
        assert sock is not None
        sizes = [sock.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_RCVBUF, socket.SO_SNDBUF)]
        assert sizes == [2 * 8192, 2 * 16384]  # socket(7): the kernel doubles the value
    finally:
        peer.close()
