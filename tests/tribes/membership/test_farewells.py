"""Farewells, looked into with a fake clock."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from catalina.tribes.member import Member
from catalina.tribes.membership import farewells as module
from catalina.tribes.membership.farewells import Farewells
from tests.tribes.fakes import PEER, FakeReactor, a_member


class Group:
    def __init__(self) -> None:
        self.reactor = FakeReactor()
        self.silence: dict[Member, float | None] = {}
        self.open: set[Member] = set()
        self.probes = 0
        self.gone: list[Member] = []
        self.asked = Mock()
        self.farewells = Farewells(
            self.reactor, self.probe, lambda member: self.silence.get(member), 1.5, self.gone.append, self.reactor.now
        )

    def probe(self, member: Any, verdict: Any) -> Mock:
        self.probes += 1
        alive = member in self.open
        self.reactor.call_soon(lambda: verdict(alive))
        return self.asked


@pytest.fixture
def group():
    return Group()


def test_who_takes_no_connection_is_gone_at_once(group):
    group.farewells.heard(PEER)
    group.reactor.run()
    assert group.gone == [PEER]
    group.reactor.advance(10)
    assert (group.gone, group.probes) == ([PEER], 1)


def test_who_takes_connections_and_is_silent_is_gone_then(group):
    group.open.add(PEER)
    group.silence[PEER] = 1.5
    group.farewells.heard(PEER)
    group.reactor.advance(1.6)
    assert group.gone == [PEER]


def test_who_takes_connections_and_is_heard_stays_and_is_left_alone_for_a_while(group, caplog):
    group.open.add(PEER)
    group.silence[PEER] = 0.1
    for _ in range(90):
        group.farewells.heard(PEER)
        group.reactor.advance(0.1)
    assert group.gone == []
    assert group.probes == 3
    assert caplog.text.count("which is still there") == 1
    group.reactor.advance(10)
    group.open.clear()
    group.farewells.heard(PEER)
    group.reactor.run()
    assert group.gone == [PEER], "the true one is believed"


def test_who_is_lost_in_another_way_meanwhile_is_not_lost_again(group):
    group.open.add(PEER)
    group.silence[PEER] = None
    group.farewells.heard(PEER)
    group.reactor.advance(1.6)
    group.open.clear()
    group.reactor.advance(10)
    assert group.gone == []
    assert group.farewells._claims == {}


def test_the_end_of_the_membership_ends_the_looking(group):
    group.farewells.heard(PEER)
    group.farewells.clear()
    assert group.asked.cancel.called
    group.reactor.advance(10)
    assert group.gone == []


def test_farewells_are_looked_into_for_so_many_members_at_a_time(group, monkeypatch):
    monkeypatch.setattr(module, "_MAX_CLAIMS", 2)
    for number in range(2, 9):
        group.farewells.heard(a_member(number))
    assert group.probes == 2
