"""Members are checked by a connection; the probes are answered by the test."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from catalina.errors import RemoteProcessError
from catalina.tribes.group.interceptors import tcp_failure_detector as module
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.member import SHUTDOWN_COMMAND, Member
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT
from tests.support.narrowing import there
from tests.support.ports import free_udp_port
from tests.tribes.fakes import LOCAL, PEER, Stack, a_member
from tests.tribes.groups import make_channel, started, until
from tests.tribes.wire import cases


class Probes:
    """The probes that were begun; ``dead`` ones fail, the others succeed when told."""

    def __init__(self) -> None:
        self.begun: list[tuple[Member, bytes, float, float | None]] = []
        self.dead: set[Member] = set()
        self.open: list[tuple[Member, Callable[[bool], None]]] = []

    def __call__(
        self, reactor: Any, member: Any, frame: Any, connect_timeout: Any, read_timeout: Any, verdict: Any
    ) -> Mock:
        self.begun.append((member, frame, connect_timeout, read_timeout))
        self.open.append((member, verdict))
        return Mock()

    def finish(self) -> None:
        while self.open:
            member, verdict = self.open.pop(0)
            verdict(member not in self.dead)


@pytest.fixture
def probes(monkeypatch):
    probes = Probes()
    monkeypatch.setattr(module, "TcpProbe", probes)
    return probes


class Detected:
    def __init__(self, probes: Probes, members: Any = (PEER,), **settings: Any) -> None:
        self.probes = probes
        self.detector = TcpFailureDetector(**settings)
        self.stack = Stack(self.detector, members=members)

    @property
    def events(self) -> list[str]:
        names = {PEER: "peer", a_member(3): "third"}
        return [f"{kind} {names[member]}" for kind, member in self.stack.top.events]

    def join(self, member: Member = PEER) -> None:
        self.detector.member_added(member)
        self.probes.finish()

    def leave_below(self, member: Member = PEER, in_order: bool = False) -> None:
        self.stack.bottom.known.remove(member)
        self.detector.member_disappeared(replace(member, command=SHUTDOWN_COMMAND) if in_order else member)
        self.probes.finish()

    def beat(self) -> None:
        self.stack.heartbeat()
        self.probes.finish()


@pytest.fixture
def world(probes):
    return Detected(probes)


def test_a_new_member_is_announced_when_it_takes_a_connection(world, probes):
    world.detector.member_added(PEER)
    assert world.events == []
    assert world.detector.members == ()
    probes.finish()
    assert world.events == ["added peer"]
    assert world.detector.members == (PEER,)


def test_a_member_that_takes_none_is_tried_again_on_each_heartbeat(world, probes, caplog):
    probes.dead.add(PEER)
    world.join()
    world.beat()
    assert world.events == []
    probes.dead.clear()
    world.beat()
    assert world.events == ["added peer"]
    assert "Member added, even though we weren't notified" in caplog.text


def test_one_probe_at_a_time_answers_all_who_ask(world, probes):
    world.detector.member_added(PEER)
    world.detector.member_added(PEER)
    assert len(probes.begun) == 1
    probes.finish()
    assert world.events == ["added peer"]


def test_a_member_that_left_while_it_was_looked_at_is_not_announced(world, probes):
    world.detector.member_added(PEER)
    world.stack.bottom.known.clear()
    world.detector.member_disappeared(replace(PEER, command=SHUTDOWN_COMMAND))
    probes.finish()
    assert world.events == []


def test_an_orderly_leave_is_believed(world, probes):
    world.join()
    world.leave_below(in_order=True)
    assert world.events == ["added peer", "gone peer"]
    assert len(probes.begun) == 1


def test_silence_is_verified(world, probes, caplog):
    world.join()
    probes.dead.add(PEER)
    with caplog.at_level(logging.INFO):
        world.leave_below()
    assert world.events == ["added peer", "gone peer"]
    assert f"Received memberDisappeared[{PEER}] message. Will verify." in caplog.text
    assert f"Verification complete. Member disappeared[{PEER}]" in caplog.text


def test_a_silent_member_that_answers_stays_and_is_looked_at_again(world, probes, caplog):
    world.join()
    with caplog.at_level(logging.INFO):
        world.leave_below()
        assert "Verification complete. Member still alive" in caplog.text
        assert world.detector.members == (PEER,)
        world.beat()
        assert world.events == ["added peer"]
        probes.dead.add(PEER)
        world.beat()
    assert world.events == ["added peer", "gone peer"]
    assert "Suspect member, confirmed dead" in caplog.text
    assert world.detector.members == ()


def test_a_suspect_is_looked_at_again_soon_because_ports_close_late(world, probes):
    world.join()
    world.leave_below()
    probes.dead.add(PEER)
    world.stack.reactor.advance(0.3)
    probes.finish()
    assert world.events == ["added peer", "gone peer"]


def test_a_suspect_that_is_heard_again_is_no_suspect(world, probes):
    world.join()
    world.leave_below()
    world.stack.bottom.known.append(PEER)
    world.join()
    before = len(probes.begun)
    world.beat()
    assert len(probes.begun) == before
    assert world.events == ["added peer"]


def test_a_suspect_is_looked_at_for_a_limited_time(probes):
    world = Detected(probes, remove_suspects_timeout=10)
    world.join()
    world.leave_below()
    world.stack.reactor.time += 11
    world.beat()
    before = len(probes.begun)
    world.beat()
    assert len(probes.begun) == before


def test_somebody_unknown_who_disappears_is_no_news(world, caplog):
    with caplog.at_level(logging.INFO):
        world.detector.member_disappeared(PEER)
    assert "already disappeared" in caplog.text
    assert world.events == []


def test_a_member_that_cannot_be_sent_to_is_looked_at_at_once(world, probes):
    world.join()
    probes.dead.add(PEER)
    world.detector.member_send_failed(PEER, ConnectionResetError())
    probes.finish()
    assert world.events == ["added peer", "gone peer"]


def test_a_member_that_answered_that_it_failed_is_there(world, probes):
    world.join()
    world.detector.member_send_failed(PEER, RemoteProcessError("no"))
    assert len(probes.begun) == 1


def test_a_static_member_is_looked_for_until_it_is_there(world, probes, caplog):
    world.stack.bottom.static.add(PEER)
    probes.dead.add(PEER)
    world.join()
    world.beat()
    probes.dead.clear()
    with caplog.at_level(logging.INFO):
        world.beat()
    assert world.events == ["added peer"]
    assert "Suspect member, confirmed alive" in caplog.text
    world.detector.member_disappeared(replace(PEER, command=SHUTDOWN_COMMAND))
    world.beat()
    assert world.events == ["added peer", "gone peer", "added peer"]


def test_all_members_can_be_checked_now(probes):
    world = Detected(probes, members=(PEER, a_member(3)))
    world.join()
    probes.dead.add(PEER)
    world.detector.check_members()
    probes.finish()
    assert world.events == ["added peer", "gone peer", "added third"]


def test_members_are_sorted_as_they_were_last_heard(probes):
    third = a_member(3)
    world = Detected(probes, members=(PEER.with_alive(5), third.with_alive(4)))
    world.join()
    world.join(third)
    assert world.detector.members == (PEER, third)
    world.stack.bottom.known[:] = [third.with_alive(50), PEER.with_alive(9)]
    assert [member.alive_ms for member in world.detector.members] == [50, 9]
    assert there(world.detector.get_member(PEER)).alive_ms == 9


@pytest.mark.parametrize("case", cases("interceptors", "probe"), ids=lambda case: f"read={case['read_test']}")
def test_the_probe_is_tomcats(probes, case):
    world = Detected(probes, perform_read_test=case["read_test"])
    world.detector.member_added(PEER)
    frame = probes.begun[0][1]
    assert frame[11:15] == bytes.fromhex(case["wire"])[11:15], "options"
    assert frame.endswith(TCP_FAIL_DETECT + b"TLF2003")
    assert LOCAL.encode() in frame


def test_times_and_tests_follow_the_attributes(probes):
    Detected(probes, perform_send_test=False, connect_timeout=200).detector.member_added(PEER)
    Detected(probes, perform_read_test=True, read_test_timeout=700).detector.member_added(PEER)
    assert [(bool(frame), connect, read) for _, frame, connect, read in probes.begun] == [
        (False, 0.2, None),
        (True, 1.0, 0.7),
    ]


def test_stopping_forgets_everybody(world):
    world.join()
    world.detector.stop(15)
    assert world.detector.members == ()


def test_a_closed_receiver_is_noticed_by_its_connection_in_a_moment():
    port = free_udp_port()
    (one, seen), (two, _) = make_channel(port, drop_time=60_000), make_channel(port)
    with started(one, two):
        one.send(one.members, b"a connection", 6)
        two.coordinator.receiver.stop()
        until(lambda: seen.gone, patience=2.0)
