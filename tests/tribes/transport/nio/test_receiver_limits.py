"""Anything that strangers leave unfinished ends, and costs members nothing."""

from __future__ import annotations

import pytest

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.receiver_limits import (
    LEAST_RATE,
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    SILENCE_SECONDS,
    ReceiverLimits,
)
from tests.tribes.fakes import PEER, FakeReactor, a_member

MIB = 2**20


class Task:
    def __init__(self, limits: ReceiverLimits, reactor: FakeReactor, sender: Member | None = None) -> None:
        self.peer = "10.0.0.66:1"
        self.proven = False
        self.sender = sender
        self.half_bytes = 0
        self.half_since = 0.0
        self.since = limits.now()
        self.refused: list[str] = []
        self._limits = limits
        limits.add(self, reactor)  # type: ignore[arg-type]
        limits.prove(self)

    def refuse(self, error: ProtocolError) -> None:
        self.refused.append(str(error))
        self.close()

    def close(self) -> None:
        self._limits.discard(self)


class Receiver:
    def __init__(self, **settings: int) -> None:
        self.reactor = FakeReactor()
        self.members = {PEER}
        values = {"max_buffered": 80 * MIB, "max_connections": 10} | settings
        self.limits = ReceiverLimits(
            values["max_buffered"],
            values["max_connections"],
            lambda: self.members,
            lambda member: member in self.members,
            self.reactor.now,
        )

    def connect(self, sender: Member | None = None) -> Task:
        return Task(self.limits, self.reactor, sender)


@pytest.fixture
def receiver():
    return Receiver()


def test_half_a_package_that_does_not_go_on_loses_its_connection(receiver):
    task = receiver.connect(PEER)
    receiver.limits.buffered(task, 100, is_new=True)
    receiver.reactor.advance(PATIENCE_SECONDS - 1)
    assert not task.refused
    receiver.reactor.advance(LOOK_SECONDS + 1)
    assert task.refused == ["100 bytes of a package, and the rest does not come"]
    assert receiver.limits.tasks == set()


def test_a_large_package_has_the_time_that_it_needs_and_a_trickle_has_not(receiver):
    steady, trickle = receiver.connect(PEER), receiver.connect(PEER)
    for second in range(1, 120):
        if not trickle.refused:
            receiver.limits.buffered(trickle, 10 * second, is_new=second == 1)
        receiver.limits.buffered(steady, second * LEAST_RATE, is_new=second == 1)
        receiver.reactor.advance(1)
    assert not steady.refused
    assert trickle.refused


def test_a_stream_of_packages_is_never_late(receiver):
    """There is half a package at the end of every read, each time another one."""
    task = receiver.connect(PEER)
    for _ in range(200):
        receiver.limits.buffered(task, 100, is_new=True)
        receiver.reactor.advance(1)
    assert not task.refused


def test_a_connection_on_which_no_member_speaks_is_closed(receiver):
    silent, stranger, member = receiver.connect(), receiver.connect(a_member(9)), receiver.connect(PEER)
    receiver.reactor.advance(SILENCE_SECONDS + LOOK_SECONDS + 1)
    assert silent.refused == stranger.refused == ["no member has spoken for 60 s"]
    assert not member.refused
    receiver.reactor.advance(10_000)
    assert not member.refused, "a member's connection may be idle for days"


def test_who_has_spoken_before_it_joined_is_a_member_then(receiver):
    task = receiver.connect(a_member(9))
    receiver.members.add(a_member(9))
    receiver.reactor.advance(2 * SILENCE_SECONDS)
    assert task.proven
    assert not task.refused


def test_strangers_have_a_small_part_of_the_budget_and_members_all_of_it(receiver):
    strangers = [receiver.connect() for _ in range(5)]
    for task in strangers[:4]:
        receiver.limits.buffered(task, 2 * MIB, is_new=True)
    with pytest.raises(LimitError, match=r"take 12582912 bytes, limit 10485760 \(maxBuffered\)"):
        receiver.limits.buffered(strangers[4], 4 * MIB, is_new=True)
    member = receiver.connect(PEER)
    receiver.limits.buffered(member, 60 * MIB, is_new=True)
    with pytest.raises(LimitError, match="limit 83886080"):
        receiver.limits.buffered(member, 79 * MIB, is_new=False)


def test_what_is_closed_or_complete_gives_its_bytes_back(receiver):
    for _ in range(10):
        one, two = receiver.connect(), receiver.connect(PEER)
        receiver.limits.buffered(one, 9 * MIB, is_new=True)
        receiver.limits.buffered(two, 60 * MIB, is_new=True)
        receiver.limits.buffered(two, 0, is_new=True)
        one.close()
        two.close()
    assert (receiver.limits._buffered, receiver.limits._buffered_by_strangers) == (0, 0)


def test_a_connection_that_turns_out_to_be_a_members_is_charged_as_one(receiver):
    task = receiver.connect()
    receiver.limits.buffered(task, 9 * MIB, is_new=True)
    task.sender = PEER
    receiver.limits.prove(task)
    assert (receiver.limits._buffered, receiver.limits._buffered_by_strangers) == (9 * MIB, 0)
    task.close()
    assert (receiver.limits._buffered, receiver.limits._buffered_by_strangers) == (0, 0)


def test_strangers_take_half_of_the_connections_and_members_find_one(receiver, caplog):
    for _ in range(5):
        assert receiver.limits.admits("10.0.0.66")
        receiver.connect()
    assert not receiver.limits.admits("10.0.0.66")
    assert "Connection from 10.0.0.66 refused: 5 are open, limit 5 (maxConnections)" in caplog.text
    for _ in range(5):
        assert receiver.limits.admits(PEER.address)
        receiver.connect(PEER)
    assert not receiver.limits.admits(PEER.address)


def test_nothing_is_looked_at_without_connections(receiver):
    receiver.connect(PEER).close()
    receiver.reactor.advance(2 * LOOK_SECONDS)
    assert receiver.limits._timer is None
    receiver.connect()
    receiver.limits.stop()
    assert receiver.limits._timer is None
