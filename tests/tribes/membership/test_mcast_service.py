"""McastService on the loopback interface."""

from __future__ import annotations

import socket
import time

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER
from tests.support.narrowing import of_type
from tests.support.ports import free_udp_port
from tests.tribes.groups import make_channel, started, until


def test_the_defaults_are_tomcats():
    service = McastService()
    assert (service.address, service.port, service.frequency, service.drop_time) == ("228.0.0.4", 45564, 500, 3000)
    assert (service.recovery_counter, service.recovery_sleep_time, service.recovery_enabled) == (10, 5000, True)


def test_the_domain_is_text_or_bytes():
    service = McastService()
    assert service.set_attribute("domain", "{1,2,3}")
    assert service.domain == b"\1\2\3"
    assert service.set_attribute("domain", "shop")
    assert service.domain == b"shop"


def test_the_start_waits_twice_for_twice_the_frequency():
    one, _ = make_channel(free_udp_port(), frequency=40)
    began = time.monotonic()
    with started(one):
        waited = time.monotonic() - began
    assert 0.16 <= waited < 1.0


def test_who_started_first_is_the_oldest():
    port = free_udp_port()
    (one, _), (two, _), (three, _) = (make_channel(port) for _ in range(3))
    with started(one, two, three):
        until(lambda: three.members == (one.local_member, two.local_member))
        assert one.members == (two.local_member, three.local_member)


def test_domain_and_payload_are_announced_and_changes_too():
    port = free_udp_port()
    (one, _), (two, _) = make_channel(port), make_channel(port, domain=b"shop")
    two.membership_service.set_payload(b"first")
    with started(one, two):
        assert one.members[0].domain == b"shop"
        assert one.members[0].payload == THIS_PEER + b" first"
        two.membership_service.set_payload(b"second")
        until(lambda: one.membership_service.members[0].payload == THIS_PEER + b" second")
        of_type(McastService, two.membership_service).set_domain(b"other")
        assert two.local_member.domain == b"other"


def test_it_says_how_long_a_member_has_been_silent():
    port = free_udp_port()
    (one, _), (two, _) = make_channel(port), make_channel(port)
    with started(one, two):
        until(lambda: one.members)
        silence = one.membership_service.silence_of(two.local_member)
        assert silence is not None
        assert 0 <= silence < 30
        assert one.membership_service.silence_of(one.local_member) is None
    assert one.membership_service.silence_of(two.local_member) is None


def test_the_group_is_reached_from_the_bound_interface():
    assert McastService(bind="10.0.0.1", port=7).route_hint() == ("10.0.0.1", 7)
    assert McastService().route_hint() == ("228.0.0.4", 45564)


def test_a_stopped_service_has_no_members_and_cannot_broadcast():
    one, _ = make_channel(free_udp_port())
    with started(one):
        pass
    assert one.membership_service.members == ()
    assert one.membership_service.get_member(one.membership_service.local_member) is None
    with pytest.raises(ChannelError, match="not started"):
        one.membership_service.broadcast(ChannelMessage(b"x", 0, 1, bytes(16), Member(bytes(4), 1)))


def test_listening_without_announcing():
    port = free_udp_port()
    (quiet, _), (loud, _) = make_channel(port), make_channel(port)
    quiet.start(7)
    try:
        loud.start()
        try:
            until(lambda: quiet.members)
            assert loud.members == ()
        finally:
            loud.stop()
    finally:
        quiet.stop()


def test_a_name_of_the_group_is_looked_up_once(monkeypatch):
    looked_up = []
    real = socket.getaddrinfo

    def look_up(host, *rest, **named):
        looked_up.append(host)
        return real("228.0.0.4" if host == "group.example.org" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    port = free_udp_port()
    (one, _), (two, _) = make_channel(port, address="group.example.org"), make_channel(port)
    with started(one, two):
        pass
    assert looked_up.count("group.example.org") == 1


def test_an_address_that_is_no_group_stops_the_start():
    one, _ = make_channel(free_udp_port(), address="10.0.0.1")
    try:
        with pytest.raises(ChannelError, match="not a multicast address"):
            one.start()
    finally:
        one.stop()
