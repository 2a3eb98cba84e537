"""Members from the configuration."""

from __future__ import annotations

from typing import Any

from catalina.errors import ChannelError
from catalina.tribes.group.interceptors.static_membership_interceptor import (
    MEMBER_START,
    MEMBER_STOP,
    StaticMembershipInterceptor,
)
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.group.interceptors.tcp_ping_interceptor import TcpPingInterceptor
from catalina.tribes.membership.static_member import StaticMember
from tests.support.ports import free_port, free_udp_port
from tests.tribes.fakes import Stack, a_member
from tests.tribes.groups import LOOPBACK, make_channel, until
from tests.tribes.wire import cases

OTHER = a_member(9)


class World(Stack):
    """A stack whose channel has listeners, with one configured member."""

    def __init__(self, **settings: Any) -> None:
        self.layer = StaticMembershipInterceptor(**settings)
        self.layer.add_static_member(StaticMember(host="10.0.0.9", port=4000, unique_id=bytes([9]) * 16))
        super().__init__(self.layer)
        self.channel.members = self.layer.members
        self.listeners = self.channel.membership_listeners


def test_configured_members_stand_beside_those_that_are_found():
    world = World()
    assert world.layer.members == (a_member(2), OTHER)
    assert world.layer.get_member(OTHER) == OTHER
    assert world.layer.is_static(OTHER)
    assert not world.layer.is_static(a_member(2))


def test_a_configured_member_is_forgotten_and_recalled():
    world = World()
    world.reactor.run()
    assert world.layer.forget_configured(OTHER)
    assert not world.layer.forget_configured(OTHER)
    assert world.layer.members == (a_member(2),)
    assert not world.layer.is_static(OTHER)
    world.layer.recall_configured(a_member(5))
    world.layer.recall_configured(OTHER)
    world.reactor.run()
    assert world.layer.members == (a_member(2), OTHER)
    assert world.top.events == [("added", OTHER), ("added", OTHER)]


def test_the_layers_above_are_told_about_configured_members():
    world = World()
    world.reactor.run()
    assert world.top.events == [("added", OTHER)]


def test_the_notices_are_tomcats():
    sent = cases("interceptors", "static_membership")[0]["sent"]
    world = World()
    world.listeners[0].member_added(OTHER)
    world.layer.stop(15)
    assert [[message.options, message.data.hex()] for message in world.sent] == sent
    assert world.listeners == []


def test_only_configured_members_are_greeted():
    world = World()
    world.listeners[0].member_added(a_member(2))
    world.listeners[0].member_disappeared(OTHER)
    assert world.sent == []


def test_a_start_notice_brings_and_a_stop_notice_takes_the_member():
    world = World()
    world.receive(world.message(MEMBER_START, sender=OTHER))
    world.receive(world.message(MEMBER_STOP, sender=OTHER))
    assert [kind for kind, _ in world.top.events] == ["added", "gone"]
    assert not world.top.events[1][1].is_leaving, "anybody can send it, so the layer above looks into it"
    assert world.delivered == []


def test_notices_of_strangers_are_not_believed():
    world = World()
    for data in (MEMBER_START, MEMBER_STOP):
        world.receive(world.message(data, sender=a_member(66)))
    assert world.top.events == []


def test_other_messages_pass():
    world = World()
    world.receive(world.message(MEMBER_START + b"!"))
    assert world.delivered == [MEMBER_START + b"!"]


def test_the_configured_identity_is_used_at_the_receivers_address():
    layer = StaticMembershipInterceptor()
    layer.set_local_member(StaticMember(unique_id=b"u" * 16, domain=b"shop"))
    stack = Stack(layer)
    assert layer.local_member.unique_id == b"u" * 16
    assert layer.local_member.domain == b"shop"
    assert layer.local_member.host == stack.bottom.local.host
    assert layer.local_member is layer.local_member


def test_the_transport_is_started_before_the_members_are_announced():
    world = World()
    assert world.bottom.levels == [3, 12]


def test_missing_layers_are_warned_about(caplog):
    World()
    assert "There is no TcpFailureDetector" in caplog.text
    assert "There is no TcpPingInterceptor" in caplog.text


def test_a_notice_that_cannot_be_sent_is_logged(caplog, monkeypatch):
    world = World()

    def refuse(to: Any, message: Any, delivery: Any) -> None:
        raise ChannelError("no")

    monkeypatch.setattr(world.bottom, "send_message", refuse)
    world.listeners[0].member_added(OTHER)
    assert "Local member notification failed. no" in caplog.text


def static_pair():
    """Two channels that know each other by configuration only; nothing is announced."""
    ports = [free_port() for _ in range(2)]
    ids = [bytes([number]) * 16 for number in (1, 2)]
    made = []
    for mine, other in ((0, 1), (1, 0)):
        layer = StaticMembershipInterceptor()
        layer.add_static_member(StaticMember(host=LOOPBACK, port=ports[other], unique_id=ids[other]))
        layer.set_local_member(StaticMember(unique_id=ids[mine]))
        channel, seen = make_channel(1, TcpPingInterceptor(), TcpFailureDetector(), layer)
        channel.coordinator.receiver.port = ports[mine]
        made.append((channel, seen))
    return made


def test_members_find_each_other_without_multicast_and_say_goodbye():
    (one, seen), (two, _) = static_pair()
    one.start(3)
    try:
        two.start(3)
        try:
            until(lambda: one.members and two.members)
            one.send(one.members, b"hello", 6)
        finally:
            leaving = two.local_member
            two.stop(3)
        until(lambda: seen.gone == [leaving])
    finally:
        one.stop(3)


def test_members_of_another_segment_stand_beside_those_that_multicast_finds():
    """Two groups that do not hear each other, bridged by configuration between one member of each."""
    here, there = free_udp_port(), free_udp_port()
    ports = [free_port() for _ in range(2)]
    bridges = []
    for number, mcast in ((0, here), (1, there)):
        layer = StaticMembershipInterceptor()
        other = 1 - number
        layer.add_static_member(StaticMember(host=LOOPBACK, port=ports[other], unique_id=bytes([other + 1]) * 16))
        layer.set_local_member(StaticMember(unique_id=bytes([number + 1]) * 16))
        channel, seen = make_channel(mcast, TcpPingInterceptor(), TcpFailureDetector(), layer)
        channel.coordinator.receiver.port = ports[number]
        bridges.append((channel, seen))
    (one, _), (two, seen_by_two) = bridges
    neighbour, seen_by_neighbour = make_channel(here)
    running = [one, two, neighbour]
    try:
        for channel in running:
            channel.start()
        until(lambda: len(one.members) == 2, "the neighbour by multicast, the other bridge by configuration")
        until(lambda: len(two.members) == 1)
        one.send(one.members, b"to both segments", 6)
        assert seen_by_two.messages == seen_by_neighbour.messages == [b"to both segments"]
        assert len(neighbour.members) == 1
    finally:
        for channel in running:
            channel.stop()
