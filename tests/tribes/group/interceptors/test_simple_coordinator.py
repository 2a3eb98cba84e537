"""A leader without messages."""

from __future__ import annotations

from typing import Any

from catalina.tribes.group.interceptors.simple_coordinator import SimpleCoordinator
from catalina.tribes.member import Member
from tests.tribes.fakes import LOCAL, PEER, Stack, a_member


def make(members: Any = (PEER,)) -> tuple[Stack, SimpleCoordinator]:
    layer = SimpleCoordinator()
    return Stack(layer, members=members), layer


def test_after_two_and_a_half_quiet_seconds_the_first_member_leads():
    stack, layer = make()
    stack.reactor.advance(2.4)
    assert layer.coordinator is None
    assert not layer.is_coordinator
    stack.reactor.advance(0.2)
    assert layer.view == (LOCAL, PEER)
    assert layer.is_coordinator


def test_every_change_makes_it_wait_anew():
    stack, layer = make(members=())
    for number in (5, 6):
        stack.reactor.advance(2.0)
        stack.bottom.known.append(a_member(number))
        layer.member_added(a_member(number))
    stack.reactor.advance(2.0)
    assert layer.view == ()
    stack.reactor.advance(0.6)
    assert layer.view == (LOCAL, a_member(5), a_member(6))
    assert [kind for kind, _ in stack.top.events] == ["added", "added"]


def test_when_the_leader_goes_the_next_follows():
    stack, layer = make(members=(a_member(0),))
    stack.reactor.advance(3)
    assert layer.coordinator == a_member(0)
    stack.bottom.known.clear()
    layer.member_disappeared(a_member(0))
    stack.reactor.advance(3)
    assert layer.is_coordinator


def test_a_view_is_told_once(monkeypatch):
    stack, layer = make()
    views: list[tuple[Member, ...]] = []
    monkeypatch.setattr(layer, "view_change", views.append)
    stack.reactor.advance(3)
    layer.member_added(PEER)
    stack.reactor.advance(3)
    assert views == [(LOCAL, PEER)]


def test_a_stopped_coordinator_has_no_view():
    stack, layer = make()
    stack.reactor.advance(1)
    layer.stop(15)
    stack.reactor.advance(5)
    assert layer.view == ()
