"""Heartbeats with a fake clock and datagrams handed over by the test."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from catalina.errors import ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.member import BEGIN, END, SHUTDOWN_COMMAND, Member
from catalina.tribes.membership import mcast_service_impl as module
from catalina.tribes.membership.last_member import LastMember
from catalina.tribes.membership.mcast_service_impl import McastServiceImpl, McastSettings
from tests.tribes.fakes import LOCAL, PEER, FakeReactor, Top, a_member


class Air:
    """Stands for the multicast socket: keeps what is sent, breaks when told."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.opened = 0
        self.broken = False
        self.has_route = True
        self.interfaces: list[str] = []

    def open(self, group: object, interface: str, *_: object) -> Air:
        if (self.broken or not self.has_route) and not interface:
            raise OSError(101, "Network is unreachable")
        self.opened += 1
        self.interfaces.append(interface)
        return self

    def sendto(self, data: bytes, group: tuple[str, int]) -> None:
        if self.broken:
            raise OSError(101, "Network is unreachable")
        self.sent.append(data)

    def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:
        if self.broken:
            raise OSError(100, "Network is down")
        if not self.received:
            raise BlockingIOError
        return self.received.pop(0), ("10.0.0.66", 45564)

    def close(self) -> None: ...

    @property
    def members(self) -> list[Member]:
        return [Member.decode(data) for data in self.sent]


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, has_route: bool = True, **settings: Any) -> None:
        self.air = Air()
        self.air.has_route = has_route
        self.moved = 0
        self.closed: set[Member] = set()  # members that accept no connection
        monkeypatch.setattr(module, "open_multicast_socket", self.air.open)
        self.reactor = FakeReactor()
        self.top = Top()
        values: dict[str, Any] = {
            "group": ("228.0.0.4", 45564),
            "frequency": 0.5,
            "drop_time": 3.0,
            "interface": "",
            "ttl": -1,
            "loopback": True,
            "recovery_counter": 3,
            "recovery_sleep": 5.0,
            "last_member": None,
        }
        reactor: Any = self.reactor
        self.impl = McastServiceImpl(
            LOCAL, McastSettings(**values | settings), reactor, self.top, self.reactor.now, self.move, self.probe
        )
        self.impl.start_receiver()

    def probe(self, member: Member, verdict: Callable[[bool], None]) -> Mock:
        alive = member not in self.closed
        self.reactor.call_soon(lambda: verdict(alive))
        return Mock()

    def move(self) -> None:
        self.moved += 1

    def hear(self, member: Member) -> None:
        self.impl.receive_datagram(member.encode())


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_heartbeats_go_out_with_the_frequency_and_a_growing_alive_time(world):
    world.reactor.advance(1.0)
    world.impl.start_sender()
    world.reactor.advance(1.0)
    assert [member.alive_ms for member in world.air.members] == [1000, 1000, 1500, 2000]
    assert set(world.air.members) == {LOCAL}


def test_a_farewell_is_sent_once_on_leaving(world):
    world.impl.start_sender()
    world.air.sent.clear()
    world.impl.leave()
    world.reactor.advance(5)
    assert [member.command for member in world.air.members] == [SHUTDOWN_COMMAND]


def test_the_own_heartbeat_is_ignored(world):
    world.hear(LOCAL)
    assert world.top.events == []


def test_members_come_go_and_come_back(world):
    world.hear(PEER)
    world.hear(PEER.with_alive(500))
    world.closed.add(PEER)
    world.hear(replace(PEER, command=SHUTDOWN_COMMAND))
    world.hear(replace(PEER, command=SHUTDOWN_COMMAND))
    world.reactor.run()
    world.hear(PEER)
    assert [kind for kind, _ in world.top.events] == ["added", "gone", "added"]
    assert world.top.events[1][1].is_leaving


def test_silence_ends_a_membership_when_dropTime_has_passed(world):
    world.hear(PEER)
    world.reactor.advance(3.0)
    assert len(world.top.events) == 1
    world.reactor.advance(0.6)
    assert world.top.events[1:] == [("gone", PEER)]
    assert not world.top.events[1][1].is_leaving


def test_a_silence_is_noticed_when_it_is_over_its_time_and_not_a_heartbeat_later(world):
    world.reactor.advance(0.3)
    world.hear(PEER)
    world.reactor.advance(2.99)
    assert len(world.top.events) == 1
    world.reactor.advance(0.03)
    assert world.top.events[1:] == [("gone", PEER)]


def test_a_process_that_stood_still_does_not_blame_the_others(world, caplog):
    world.hear(PEER)
    world.reactor.time += 60  # stopped by a signal, or the machine slept
    world.reactor.run()
    assert world.impl.membership.members == (PEER,)
    assert "Membership was not checked for [60000] ms" in caplog.text
    world.reactor.advance(3.6)
    assert world.impl.membership.members == ()


def test_a_farewell_is_believed_when_the_receiver_closes(world):
    """The farewell comes a moment before the receiver is closed."""
    world.hear(PEER)
    world.hear(replace(PEER, command=SHUTDOWN_COMMAND))
    world.reactor.advance(0.1)
    assert len(world.top.events) == 1
    world.closed.add(PEER)
    world.reactor.advance(0.15)
    assert world.top.events[1:] == [("gone", PEER)]
    assert world.top.events[1][1].is_leaving
    world.reactor.advance(10)
    assert len(world.top.events) == 2


def test_a_farewell_in_the_name_of_a_member_that_is_there_changes_nothing(world, caplog):
    for beat in range(20):
        world.hear(PEER.with_alive(beat))
        world.hear(replace(PEER, command=SHUTDOWN_COMMAND))
        world.reactor.advance(0.5)
    assert world.top.events == [("added", PEER)]
    assert caplog.text.count("Somebody has said farewell in the name of") == 1


def test_a_farewell_is_believed_after_a_few_heartbeats_where_somebody_else_answers(world):
    world.hear(PEER)
    world.hear(replace(PEER, command=SHUTDOWN_COMMAND))
    world.reactor.advance(1.4)
    assert len(world.top.events) == 1
    world.reactor.advance(0.2)
    assert world.top.events[1:] == [("gone", PEER)]


def test_a_new_id_at_the_address_of_a_silent_member_replaces_it(world):
    again = Member(PEER.host, PEER.port, unique_id=b"n" * 16)
    world.hear(PEER)
    for _ in range(4):
        world.hear(again)
        world.reactor.advance(0.5)
    assert world.top.events == [("added", PEER), ("gone", PEER), ("added", again)]
    assert world.top.events[1][1].is_leaving, "nothing is to be verified: the port would answer"


def test_a_new_id_at_the_address_of_a_member_that_is_heard_stays_outside(world, caplog):
    """Two processes with one address, or somebody who wants the member out."""
    other = Member(PEER.host, PEER.port, unique_id=b"n" * 16)
    for _ in range(10):
        world.hear(PEER)
        world.hear(other)
        world.reactor.advance(0.5)
    assert world.top.events == [("added", PEER)]
    assert caplog.text.count("both announce the address tcp://10.0.0.2:4000; the first one stays") == 1
    assert PEER.unique_id.hex() in caplog.text
    assert other.unique_id.hex() in caplog.text


def test_the_list_of_processes_at_foreign_addresses_has_an_end(world):
    world.hear(PEER)
    for number in range(500):
        world.hear(Member(PEER.host, PEER.port, unique_id=number.to_bytes(16, "big")))
    assert len(world.impl._conflicts) <= 100


def test_broadcasts_come_up_but_not_the_own_ones(world):
    encoder = PackageEncoder()
    for sender in (PEER, LOCAL):
        world.impl.receive_datagram(encoder.frame(ChannelMessage(b"to all", 0x41, 1, bytes(16), sender)))
    assert [message.data for message in world.top.delivered] == [b"to all"]


def test_a_listener_that_fails_on_a_broadcast_is_logged(world, caplog):
    def fail(message: Any) -> None:
        raise ValueError("no")

    world.top.message_received = fail
    world.impl.receive_datagram(PackageEncoder().frame(ChannelMessage(b"", 0x41, 1, bytes(16), PEER)))
    assert "Unable to receive broadcast message" in caplog.text


def test_other_bytes_are_refused(world):
    for rubbish in (b"hello", PEER.encode()[:-1], b"FLT2002\0\0\0\1"):
        if rubbish.startswith(b"FLT"):
            world.impl.receive_datagram(rubbish)
        else:
            with pytest.raises(ProtocolError):
                world.impl.receive_datagram(rubbish)
    assert world.top.events == []


def test_bad_datagrams_are_logged_once_a_minute_for_each_sender(world, caplog):
    for _ in range(5):
        world.air.received += [b"rubbish"] * 3
        world.impl._on_readable(1)
        world.reactor.advance(1)
    assert caplog.text.count("datagram dropped") == 1
    assert "10.0.0.66:45564: expected b'FLT2002'" in caplog.text
    world.reactor.advance(60)
    world.air.received.append(b"rubbish")
    world.impl._on_readable(1)
    assert caplog.text.count("datagram dropped") == 2


def test_a_change_is_announced_at_once(world):
    world.impl.start_sender()
    world.air.sent.clear()
    world.impl.announce_change(payload=b"new")
    assert [member.payload for member in world.air.members] == [b"new"]
    assert world.impl.local.payload == b"new"


def test_errors_in_a_row_lead_to_a_new_socket_and_members_are_kept(world, caplog):
    world.hear(PEER)
    world.impl.start_sender()
    with caplog.at_level(logging.INFO):
        world.air.broken = True
        world.reactor.advance(2.0)
        assert "Recovery attempt number [1] failed. Trying again in [5] seconds" in caplog.text
        world.air.broken = False
        world.reactor.advance(5.0)
    assert "Membership recovery was successful" in caplog.text
    assert world.air.opened == 2
    world.hear(PEER.with_alive(1))
    world.reactor.advance(1.0)
    assert world.impl.membership.members == (PEER,)
    assert world.air.members[-1].alive_ms > 5000, "the alive time goes on"


def test_recovery_never_settles_on_this_machine_alone(world, caplog):
    world.impl.start_sender()
    world.air.broken = True
    world.reactor.advance(60.0)
    assert world.air.interfaces == [""]
    world.air.broken = False
    world.reactor.advance(5.0)
    assert world.air.interfaces == ["", ""]
    assert world.moved == 0
    assert "only members on this machine" not in caplog.text


def test_a_start_without_a_route_looks_for_one_until_there_is(monkeypatch, caplog):
    world = World(monkeypatch, has_route=False)
    world.impl.start_sender()
    with caplog.at_level(logging.INFO):
        assert "only members on this machine can be found. Looking for a route every [5] seconds" in caplog.text
        world.reactor.advance(12.0)
        assert world.air.interfaces == ["127.0.0.1"]
        world.air.has_route = True
        world.air.sent.clear()
        world.reactor.advance(3.0)
    assert world.air.interfaces == ["127.0.0.1", ""]
    assert world.moved == 1
    assert world.air.members
    assert "There is a route to the multicast group now" in caplog.text
    world.reactor.advance(60.0)
    assert world.moved == 1


def test_a_stop_ends_the_search_for_a_route(monkeypatch):
    world = World(monkeypatch, has_route=False)
    world.impl.leave()
    world.air.has_route = True
    world.reactor.advance(60.0)
    assert world.air.interfaces == ["127.0.0.1"]


def test_recovery_can_be_turned_off(monkeypatch):
    world = World(monkeypatch, recovery_counter=0)
    world.impl.start_sender()
    world.air.broken = True
    world.reactor.advance(20)
    assert world.air.opened == 1


def test_a_crashed_process_gets_its_farewell(monkeypatch, tmp_path):
    last = LastMember(str(tmp_path), 4000)
    last.store(a_member(7))
    world = World(monkeypatch, last_member=last)
    world.impl.start_sender()
    first, second = world.air.members[:2]
    assert (first, first.is_leaving) == (a_member(7), True)
    assert (second, second.is_leaving) == (LOCAL, False)
    assert last.load() == LOCAL
    world.impl.leave()
    assert last.load() is None


def test_the_announcing_can_begin_without_listening(monkeypatch):
    world = World(monkeypatch)
    world.impl.leave()
    world.impl.start_sender()
    assert world.air.opened == 2


@pytest.mark.parametrize(
    ("host", "port"), [(b"aaaaa", 4000), (b"", 4000), (bytes(127), 4000), (bytes(4), 70_000), (bytes(4), 0)]
)
def test_a_heartbeat_that_nobody_could_connect_to_makes_nobody_try(world, caplog, host, port):
    """A host that is a name was looked up by the loop; a port that is none was an OverflowError in it."""
    body = struct.pack(">qiiiB", 0, port, -1, -1, len(host)) + host + bytes(8) + bytes(16) + bytes(4)
    world.air.received.append(BEGIN + struct.pack(">i", len(body)) + body + END)
    world.impl._on_readable(1)
    assert world.top.events == []
    assert world.impl.membership.members == ()
    assert "datagram dropped" in caplog.text
