"""One connection for each member."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from catalina.errors import ChannelError
from catalina.reactor import Reactor
from catalina.tribes.channel import Delivery
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.x_byte_buffer import ACK, frame
from catalina.tribes.member import Member
from catalina.tribes.transport.nio import parallel_nio_sender
from catalina.tribes.transport.nio.parallel_nio_sender import (
    LOOK_SECONDS,
    MAX_STRANGERS,
    ORDERED_PEER,
    ParallelNioSender,
    SenderTables,
    keeps_order,
)
from tests.tribes.fakes import FakeReactor, a_member
from tests.tribes.groups import LOOPBACK, until


@pytest.fixture
def sender():
    reactor = Reactor("test-parallel")
    reactor.start()
    sender = ParallelNioSender()
    sender.open(reactor, lambda *_: None)
    yield sender
    sender.close()
    reactor.stop()


@pytest.fixture
def peer():
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(5)
        yield server


def member_of(server: socket.socket) -> Member:
    return Member(socket.inet_aton(LOOPBACK), server.getsockname()[1])


def test_messages_to_a_member_share_a_connection_and_others_have_their_own(sender, peer):
    with socket.create_server((LOOPBACK, 0)) as other:
        other.settimeout(5)
        for target in (peer, peer, other):
            sender.enqueue([member_of(target)], [(frame(b"x"), None)], False, Delivery(1))
        with peer.accept()[0] as first, other.accept()[0]:
            first.settimeout(5)
            until(lambda: len(first.recv(100, socket.MSG_PEEK)) == 38)


def test_a_member_that_comes_back_into_the_same_group_gets_a_new_connection(sender, peer):
    group = (member_of(peer),)
    sender.enqueue(group, [(frame(b"x"), None)], False, Delivery(1))
    peer.accept()[0].close()
    run_in_runner(sender._reactor, lambda: sender.forget(group[0]))
    sender.enqueue(group, [(frame(b"y"), None)], False, Delivery(1))
    with peer.accept()[0] as connection:
        connection.settimeout(5)
        assert connection.recv(100) == frame(b"y")


def test_a_forgotten_members_connection_is_closed(sender, peer):
    sender.enqueue([member_of(peer)], [(frame(b"x"), None)], False, Delivery(1))
    with peer.accept()[0] as connection:
        connection.settimeout(5)
        assert connection.recv(100) == frame(b"x")
        run_in_runner(sender._reactor, lambda: sender.forget(member_of(peer)))
        assert connection.recv(100) == b""


def test_the_table_of_members_has_an_end(sender, monkeypatch):
    monkeypatch.setattr(parallel_nio_sender, "MAX_MEMBERS", 1)
    sender.enqueue([a_member(1)], [(frame(b"x"), None)], False, Delivery(1))
    with pytest.raises(ChannelError, match="limit 1"):
        sender.enqueue([a_member(2)], [(frame(b"x"), None)], False, Delivery(1))


def test_members_of_this_software_are_known_by_their_payload(sender, peer):
    assert keeps_order(a_member(1, payload=ORDERED_PEER + b" mine"))
    assert not keeps_order(a_member(1, payload=b"mine"))
    for payload, is_ordered in ((b"", False), (ORDERED_PEER, True)):
        member = replace(member_of(peer), payload=payload, unique_id=bytes((is_ordered,)) * 16)
        sender.enqueue([member], [(frame(b"x"), None)], False, Delivery(1))
        assert sender._tables.members[member].pipelined is is_ordered


def test_a_closed_sender_refuses():
    with pytest.raises(ChannelError, match="not connected"):
        ParallelNioSender().enqueue([a_member(1)], [(b"", None)], False, Delivery(1))


def test_what_leaves_together_goes_as_one_to_a_member_that_keeps_the_order_and_singly_to_java(sender, peer):
    frames = [(frame(b"%d" % number), "same") for number in range(3)]
    with socket.create_server((LOOPBACK, 0)) as java:
        java.settimeout(5)
        ours = Member(socket.inet_aton(LOOPBACK), peer.getsockname()[1], payload=ORDERED_PEER)
        delivery = Delivery(2)
        sender.enqueue([ours, member_of(java)], frames, True, delivery)
        with peer.accept()[0] as first, java.accept()[0] as second:
            until(lambda: first.recv(100, socket.MSG_PEEK) == b"".join(each for each, _ in frames))
            first.send(ACK * 3)
            for each, _ in frames:
                assert not delivery.done
                assert second.recv(100) == each, "one about the same thing at a time"
                second.send(ACK)
            assert delivery.wait(5)
            assert not delivery.faulty


def test_each_message_goes_to_each_member_in_a_datagram_of_its_own(sender):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        members = []
        for number, sock in enumerate((one, two), 1):
            sock.bind((LOOPBACK, 0))
            sock.settimeout(5)
            members.append(Member(socket.inet_aton(LOOPBACK), number, udp_port=sock.getsockname()[1]))
        delivery = Delivery(2)
        sender.enqueue_datagrams(members, [(frame(b"a"), None), (frame(b"b"), None)], False, delivery)
        assert [sock.recv(100) for sock in (one, one, two, two)] == [frame(b"a"), frame(b"b")] * 2
        assert delivery.wait(5)
        assert not delivery.faulty


class Sender:
    def __init__(self) -> None:
        self.is_idle = False
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Group:
    def __init__(self) -> None:
        self.reactor = FakeReactor()
        self.members: set[Member] = set()
        self.changes = 0
        self.tables: SenderTables[Sender] = SenderTables(
            lambda _: Sender(),
            lambda member: member in self.members,
            lambda: self.reactor,  # type: ignore[arg-type,return-value]
            self.changed,
        )

    def changed(self) -> None:
        self.changes += 1


def a_stranger(number: int) -> Member:
    return Member(bytes([10, 9, number // 256, number % 256]), 4000)


@pytest.fixture
def group():
    return Group()


def test_strangers_fill_their_table_and_members_are_sent_to_all_the_same(group):
    for number in range(MAX_STRANGERS):
        group.tables.find(a_stranger(number))
    with pytest.raises(ChannelError, match=f"{MAX_STRANGERS} nodes that are no members are sent to"):
        group.tables.find(a_stranger(MAX_STRANGERS))
    group.members.add(a_member(1))
    assert group.tables.find(a_member(1)) is group.tables.find(a_member(1))


def test_a_strangers_connection_closes_when_it_has_its_answer(group):
    sender = group.tables.find(a_stranger(1))
    group.reactor.advance(LOOK_SECONDS * 2)
    assert not sender.closed, "the answer is still on its way"
    sender.is_idle = True
    group.reactor.advance(LOOK_SECONDS)
    assert sender.closed
    assert group.changes == 1
    assert group.tables.get(a_stranger(1)) is None


def test_a_stranger_that_joins_keeps_its_connection(group):
    sender = group.tables.find(a_stranger(1))
    sender.is_idle = True
    group.tables.welcome(a_stranger(1))
    group.reactor.advance(LOOK_SECONDS * 2)
    assert not sender.closed
    assert group.tables.find(a_stranger(1)) is sender
    group.tables.welcome(a_stranger(2))  # to whom nothing was sent


def test_who_is_forgotten_is_closed_wherever_it_stands(group):
    group.members.add(a_member(1))
    senders = [group.tables.find(a_member(1)), group.tables.find(a_stranger(1))]
    group.tables.forget(a_member(1))
    group.tables.forget(a_stranger(1))
    group.tables.forget(a_stranger(2))
    assert all(sender.closed for sender in senders)
    assert group.changes == 3


def test_the_end_closes_all(group):
    group.members.add(a_member(1))
    senders = [group.tables.find(a_member(1)), group.tables.find(a_stranger(1))]
    group.tables.close()
    assert all(sender.closed for sender in senders)
