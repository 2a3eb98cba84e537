"""The connection to one member, against sockets that a test holds in its hands."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable
from typing import Any

import pytest

from catalina.errors import RemoteProcessError
from catalina.reactor import Reactor
from catalina.tribes.channel import EVERYTHING, Delivery
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK, frame
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.nio_sender import NioSender
from catalina.tribes.transport.nio.parallel_nio_sender import ParallelNioSender
from tests.tribes.groups import LOOPBACK, until


class Peer:
    """A member's receiver under the test's control, and a sender to it."""

    def __init__(self, pipelined: bool = True, **settings: int | bool) -> None:
        self.server = socket.create_server((LOOPBACK, 0))
        self.server.settimeout(5)
        self.failures: list[BaseException] = []
        self.connections: list[socket.socket] = []
        self.reactor = Reactor("test-nio-sender")
        self.reactor.start()
        self.member = Member(socket.inet_aton(LOOPBACK), self.server.getsockname()[1])
        self.sender = NioSender(
            self.member,
            ParallelNioSender(**settings),
            self.reactor,
            lambda member, reason: self.failures.append(reason),
        )
        self.sender.pipelined = pipelined

    def post(self, package: bytes, wants_ack: bool = True, key: object = None) -> Delivery:
        delivery = Delivery(1)
        self.sender.enqueue([(frame(package), key)], wants_ack, delivery)
        return delivery

    def post_together(self, keys: Iterable[object]) -> list[Delivery]:
        """Messages 0, 1 ... with these keys, in one round of the loop."""
        deliveries: list[Delivery] = []
        run_in_runner(
            self.reactor,
            lambda: deliveries.extend(self.post(b"%d" % number, key=key) for number, key in enumerate(keys)),
        )
        return deliveries

    def accept(self) -> socket.socket:
        connection, _ = self.server.accept()
        connection.settimeout(5)
        self.connections.append(connection)
        return connection

    def close(self) -> None:
        run_in_runner(self.reactor, self.sender.close)
        self.reactor.stop()
        for sock in (self.server, *self.connections):
            sock.close()


@pytest.fixture
def make_peer():
    peers = []

    def make(**settings: Any) -> Peer:
        peers.append(Peer(**settings))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        assert chunk, f"closed after {data!r}"
        data += chunk
    return data


def reason_of(delivery: Delivery) -> BaseException:
    assert delivery.wait(10)
    return next(iter(delivery.faulty.values()))


def test_a_message_without_acknowledgement_is_done_when_written(make_peer):
    peer = make_peer()
    delivery = peer.post(b"one", wants_ack=False)
    assert receive(peer.accept(), 21) == frame(b"one")
    assert delivery.wait(5)
    assert not delivery.faulty


def test_many_messages_are_in_flight_and_confirmed_in_order(make_peer):
    peer = make_peer()
    deliveries = [peer.post(b"%d" % number) for number in range(3)]
    connection = peer.accept()
    receive(connection, 3 * 19)
    connection.send(ACK)
    until(lambda: deliveries[0].done)
    assert not deliveries[1].done
    connection.send(ACK + ACK[:5])
    connection.send(ACK[5:])
    assert deliveries[2].wait(5)


def test_towards_java_one_message_at_a_time_waits_for_its_acknowledgement(make_peer):
    peer = make_peer(pipelined=False)
    deliveries = [peer.post(b"1"), peer.post(b"2", wants_ack=False), peer.post(b"3")]
    connection = peer.accept()
    assert receive(connection, 19) == frame(b"1")
    connection.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(5)
    connection.send(ACK)
    assert receive(connection, 38) == frame(b"2") + frame(b"3")
    connection.send(ACK)
    assert all(delivery.wait(5) for delivery in deliveries)


def nothing_comes(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def test_towards_java_messages_about_different_things_are_in_flight_together(make_peer):
    peer = make_peer(pipelined=False)
    deliveries = peer.post_together("abac")
    connection = peer.accept()
    assert receive(connection, 38) == frame(b"0") + frame(b"1")
    connection.send(ACK)
    assert nothing_comes(connection)
    assert not any(delivery.done for delivery in deliveries), "which of both was acknowledged cannot be told"
    connection.send(ACK)
    assert receive(connection, 38) == frame(b"2") + frame(b"3")
    connection.send(ACK * 2)
    assert all(delivery.wait(5) and not delivery.faulty for delivery in deliveries)


def test_towards_java_one_failure_makes_all_that_went_together_fail(make_peer):
    peer = make_peer(pipelined=False)
    deliveries = peer.post_together("abc")
    connection = peer.accept()
    receive(connection, 57)
    connection.send(ACK + FAIL_ACK + ACK)
    assert all(isinstance(reason_of(delivery), RemoteProcessError) for delivery in deliveries)
    assert peer.failures == []


@pytest.mark.parametrize("key", [None, EVERYTHING])
def test_towards_java_a_message_about_everything_is_alone(make_peer, key):
    peer = make_peer(pipelined=False)
    deliveries = peer.post_together(["a", key, "b"])
    connection = peer.accept()
    for number in range(3):
        assert receive(connection, 19) == frame(b"%d" % number)
        assert nothing_comes(connection)
        connection.send(ACK)
    assert all(delivery.wait(5) for delivery in deliveries)


def test_java_is_asked_to_acknowledge_whatever_has_a_key(make_peer):
    peer = make_peer(pipelined=False)
    package = (0x09).to_bytes(4, "big") + b"rest"
    delivery = peer.post(package, wants_ack=False, key="a")
    connection = peer.accept()
    assert receive(connection, 26) == frame((0x0F).to_bytes(4, "big") + b"rest")
    assert not delivery.done
    connection.send(ACK)
    assert delivery.wait(5)


def test_keys_of_a_broken_connection_are_free_again(make_peer):
    peer = make_peer(pipelined=False)
    deliveries = [peer.post(b"1", key="a"), peer.post(b"2", key="a")]
    first = peer.accept()
    receive(first, 19)
    first.close()
    second = peer.accept()
    for number in (b"1", b"2"):
        assert receive(second, 19) == frame(number)
        second.send(ACK)
    assert all(delivery.wait(5) and not delivery.faulty for delivery in deliveries)


def test_a_negative_acknowledgement_is_a_failure_there(make_peer):
    peer = make_peer()
    delivery = peer.post(b"x")
    peer.accept().send(FAIL_ACK)
    assert isinstance(reason_of(delivery), RemoteProcessError)
    assert peer.failures == []


def test_a_negative_acknowledgement_can_be_taken_as_done(make_peer):
    peer = make_peer(throw_on_failed_ack=False)
    delivery = peer.post(b"x")
    peer.accept().send(FAIL_ACK)
    assert delivery.wait(5)
    assert not delivery.faulty


def test_an_answer_with_another_body_is_ignored(make_peer):
    peer = make_peer()
    delivery = peer.post(b"x")
    peer.accept().send(frame(b"hello") + ACK)
    assert delivery.wait(5)
    assert not delivery.faulty


def test_acknowledgements_nobody_asked_for_are_ignored(make_peer):
    peer = make_peer()
    first = peer.post(b"x", wants_ack=False)
    connection = peer.accept()
    receive(connection, 19)
    connection.send(ACK * 3)
    assert first.wait(5)
    second = peer.post(b"y")
    receive(connection, 19)
    connection.send(ACK)
    assert second.wait(5)


def test_a_broken_connection_is_made_again_and_the_message_sent_once_more(make_peer):
    peer = make_peer()
    delivery = peer.post(b"x")
    first = peer.accept()
    receive(first, 19)
    first.close()
    second = peer.accept()
    assert receive(second, 19) == frame(b"x")
    second.send(ACK)
    assert delivery.wait(5)
    assert not delivery.faulty


def test_rubbish_as_an_answer_breaks_the_connection(make_peer, caplog):
    peer = make_peer()
    delivery = peer.post(b"x")
    peer.accept().send(b"HTTP/1.1 400 Bad Request\r\n")
    second = peer.accept()
    receive(second, 19)
    second.send(ACK)
    assert delivery.wait(5)
    assert f"tcp://{LOOPBACK}:{peer.member.port}: expected b'FLT2002'" in caplog.text


def test_a_message_is_given_up_after_the_last_attempt(make_peer):
    peer = make_peer(max_retry_attempts=2)
    delivery = peer.post(b"x")
    for _ in range(3):
        connection = peer.accept()
        receive(connection, 19)
        connection.close()
    assert isinstance(reason_of(delivery), ConnectionResetError)
    until(lambda: len(peer.failures) == 1)


def test_a_closed_port_fails_the_messages_and_reports_the_member(make_peer):
    peer = make_peer()
    peer.server.close()
    delivery = peer.post(b"x")
    assert isinstance(reason_of(delivery), ConnectionRefusedError)
    until(lambda: peer.failures)


def test_an_idle_connection_that_breaks_is_reported(make_peer):
    peer = make_peer()
    peer.post(b"x", wants_ack=False)
    connection = peer.accept()
    receive(connection, 19)
    connection.close()
    until(lambda: peer.failures)


def test_a_missing_acknowledgement_fails_after_the_timeout_and_a_late_one_keeps_the_connection(make_peer):
    peer = make_peer(timeout=200)
    delivery = peer.post(b"slow")
    connection = peer.accept()
    receive(connection, 22)
    assert isinstance(reason_of(delivery), TimeoutError)
    connection.send(ACK)
    after = peer.post(b"next")
    assert receive(connection, 22) == frame(b"next")
    connection.send(ACK)
    assert after.wait(5)
    assert not after.faulty


def test_without_any_answer_the_connection_is_given_up(make_peer):
    peer = make_peer(timeout=100)
    delivery = peer.post(b"x")
    connection = peer.accept()
    receive(connection, 19)
    assert isinstance(reason_of(delivery), TimeoutError)
    assert connection.recv(1) == b""


def test_a_peer_that_stops_reading_fails_its_messages_by_timeout_and_holds_nobody(make_peer):
    peer = make_peer(timeout=300, max_backlog=40 * 2**20)
    began = time.monotonic()
    deliveries = [peer.post(bytes(2**20)) for _ in range(50)]
    peer.accept()
    assert time.monotonic() - began < 1.0
    reasons = [reason_of(delivery) for delivery in deliveries]
    assert {type(reason) for reason in reasons} == {TimeoutError, BlockingIOError}
    assert "limit 41943040" in str(next(reason for reason in reasons if isinstance(reason, BlockingIOError)))


def test_one_message_larger_than_the_backlog_is_sent(make_peer):
    peer = make_peer(max_backlog=1000)
    delivery = peer.post(bytes(5000))
    connection = peer.accept()
    receive(connection, 5018)
    connection.send(ACK)
    assert delivery.wait(5)
    assert not delivery.faulty


def test_memory_of_messages_is_given_back(make_peer):
    peer = make_peer()
    connection = None
    for _ in range(3):
        delivery, unasked = peer.post(b"x" * 1000), peer.post(b"y" * 1000, wants_ack=False)
        connection = connection or peer.accept()
        receive(connection, 2036)
        connection.send(ACK)
        assert delivery.wait(5)
        assert unasked.wait(5)
    until(lambda: peer.sender.backlog == 0)
    assert peer.sender.is_idle


@pytest.mark.parametrize("settings", [{"keep_alive_count": 1}, {"keep_alive_time": 0}])
def test_an_old_connection_is_renewed(make_peer, settings):
    peer = make_peer(**settings)
    delivery = peer.post(b"x")
    connection = peer.accept()
    receive(connection, 19)
    connection.send(ACK)
    assert delivery.wait(5)
    run_in_runner(peer.reactor, lambda: peer.sender.renew_if_old(time.monotonic()))
    assert connection.recv(1) == b""
    peer.post(b"y", wants_ack=False)
    assert receive(peer.accept(), 19) == frame(b"y")


def test_what_waits_fails_when_the_sender_closes(make_peer):
    peer = make_peer()
    delivery = peer.post(b"x")
    receive(peer.accept(), 19)
    run_in_runner(peer.reactor, peer.sender.close)
    assert isinstance(reason_of(delivery), ConnectionAbortedError)
    assert isinstance(reason_of(peer.post(b"y")), BlockingIOError)


def test_a_connection_that_is_not_made_in_time_fails():
    # A listener with a full queue does not answer, which is as silent as a lost packet.
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((LOOPBACK, 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        reactor = Reactor("test-connect")
        reactor.start()
        member = Member(socket.inet_aton(LOOPBACK), server.getsockname()[1])
        sender = NioSender(member, ParallelNioSender(connect_timeout=200), reactor, lambda *_: None)
        delivery = Delivery(1)
        sender.enqueue([(frame(b"x"), None)], True, delivery)
        reason = reason_of(delivery)
        run_in_runner(reactor, sender.close)
        reactor.stop()
    assert isinstance(reason, TimeoutError)
    assert "200 ms" in str(reason)


def post_as_one(peer: Peer, *packages: bytes, wants_ack: bool = True) -> Delivery:
    delivery = Delivery(1)
    peer.sender.enqueue([(frame(package), None) for package in packages], wants_ack, delivery)
    return delivery


def test_frames_that_leave_together_are_done_when_each_of_them_is_confirmed(make_peer):
    peer = make_peer()
    delivery = post_as_one(peer, b"1", b"2", b"3")
    following = peer.post(b"4")
    connection = peer.accept()
    assert receive(connection, 4 * 19) == b"".join(map(frame, (b"1", b"2", b"3", b"4")))
    connection.send(ACK)
    connection.send(ACK + ACK + ACK)
    assert delivery.wait(5)
    assert following.wait(5)
    assert not delivery.faulty
    assert peer.sender.backlog == 0


def test_one_negative_answer_among_them_is_a_failure_of_all(make_peer):
    peer = make_peer()
    delivery = post_as_one(peer, b"1", b"2", b"3")
    following = peer.post(b"4")
    connection = peer.accept()
    receive(connection, 4 * 19)
    connection.send(ACK + FAIL_ACK + ACK + ACK)
    assert "Received 1 failed acks for 3 messages" in str(reason_of(delivery))
    assert following.wait(5)
    assert not following.faulty


def test_they_are_sent_again_together_and_confirmed_anew_on_another_connection(make_peer):
    peer = make_peer()
    delivery = post_as_one(peer, b"1", b"2")
    first = peer.accept()
    receive(first, 38)
    first.send(ACK)
    first.close()
    second = peer.accept()
    assert receive(second, 38) == frame(b"1") + frame(b"2")
    second.send(ACK)
    assert not delivery.wait(0.05)
    second.send(ACK)
    assert delivery.wait(5)
    assert not delivery.faulty
