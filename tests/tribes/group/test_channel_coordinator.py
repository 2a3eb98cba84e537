"""The lowest layer."""

from __future__ import annotations

import socket

import pytest

from catalina.errors import ChannelError
from catalina.place import Place
from catalina.tribes.group.channel_coordinator import ChannelCoordinator
from catalina.tribes.transport import receiver_base
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT
from tests.support.ports import free_udp_port
from tests.tribes.fakes import Stack
from tests.tribes.groups import LOOPBACK, make_channel, started


def test_a_failure_detectors_probe_reaches_no_interceptor():
    stack = Stack()
    coordinator = ChannelCoordinator()
    coordinator.previous = stack.top
    coordinator.message_received(stack.message(TCP_FAIL_DETECT, 1))
    coordinator.message_received(stack.message(TCP_FAIL_DETECT + b"!", 1))
    assert stack.delivered == [TCP_FAIL_DETECT + b"!"]


def test_a_level_is_started_once():
    one, _ = make_channel(free_udp_port())
    one.start(3)
    try:
        with pytest.raises(ChannelError, match=r"already started for level:\[1\]"):
            one.start(1)
    finally:
        one.stop(3)


def test_a_started_channel_is_not_started_again():
    one, _ = make_channel(free_udp_port())
    with started(one):
        one.start()
        assert one.coordinator.start_level == 15


def test_a_port_that_is_taken_stops_the_start_and_says_which():
    with socket.create_server((LOOPBACK, 0)) as taken:
        one, _ = make_channel(free_udp_port())
        receiver = one.coordinator.receiver
        receiver.port, receiver.auto_bind = taken.getsockname()[1], 1
        receiver.place = Place("server.xml", 12)
        words = f"server.xml:12: <Receiver address='127.0.0.1' port='{receiver.port}' autoBind='1'>: .*in use"
        with pytest.raises(ChannelError, match=words):
            one.start()
    assert one.reactor is None, "no thread is left"
    one.stop()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"address": "no.such.host.invalid"}, "<Receiver address='no.such.host.invalid'>: .*not known"),
        ({"address": "203.0.113.9"}, "<Receiver address='203.0.113.9' port='[0-9]+' autoBind='100'>: .*assign"),
        ({"bind": "203.0.113.9"}, "<Receiver bind='203.0.113.9' port='[0-9]+' autoBind='100'>: .*assign"),
    ],
)
def test_an_address_that_cannot_be_had_is_named_with_its_place(settings, words):
    one, _ = make_channel(free_udp_port())
    receiver = one.coordinator.receiver
    for name, value in settings.items():
        setattr(receiver, name, value)
    receiver.place = Place("server.xml", 12)
    with pytest.raises(ChannelError, match=f"server.xml:12: {words}"):
        one.start()
    one.stop()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"address": "no.such.group.invalid"}, "<Membership address='no.such.group.invalid'>: .*not known"),
        ({"address": "10.0.0.1"}, "<Membership address='10.0.0.1' port='[0-9]+' bind='127.0.0.1'>: .*not a multicast"),
        ({"bind": "203.0.113.9"}, "<Membership address='228.0.0.4' port='[0-9]+' bind='203.0.113.9'>: No such device"),
    ],
)
def test_a_group_that_cannot_be_joined_is_named_with_its_place(settings, words):
    one, _ = make_channel(free_udp_port(), **settings)
    one.membership_service.place = Place("server.xml", 9)
    with pytest.raises(ChannelError, match=f"server.xml:9: {words}"):
        one.start()
    one.stop()


def test_every_service_is_stopped_whatever_happens_to_one(monkeypatch):
    one, _ = make_channel(free_udp_port())
    one.start(3)
    stopped = []
    receiver_stop = one.coordinator.receiver.stop
    monkeypatch.setattr(one.coordinator.receiver, "stop", lambda: (receiver_stop(), stopped.append("receiver")))

    def fail() -> None:
        raise OSError("stuck")

    sender_stop = one.coordinator.sender.stop
    monkeypatch.setattr(one.coordinator.sender, "stop", fail)
    with pytest.raises(ChannelError, match="stuck"):
        one.stop()
    assert stopped == ["receiver"]
    sender_stop()
    one.running_reactor.stop()


def test_a_receiver_moves_only_when_the_route_brings_another_address(monkeypatch):
    one, _ = make_channel(free_udp_port())
    receiver = one.coordinator.receiver
    one.start(3)
    try:
        assert not one.coordinator.move_receiver(), "its address is configured"
        receiver.address = "auto"
        monkeypatch.setattr(receiver_base, "local_address", lambda _: LOOPBACK)
        assert not one.coordinator.move_receiver(), "there is no other address yet"
        monkeypatch.setattr(receiver_base, "local_address", lambda _: "127.0.0.2" if receiver.host else LOOPBACK)
        monkeypatch.setattr(receiver, "could_move", lambda _: True)
        before = one.local_member
        assert one.coordinator.move_receiver()
        assert one.local_member.address == "127.0.0.2"
        assert one.local_member.unique_id == before.unique_id
        socket.create_connection((one.local_member.address, one.local_member.port)).close()
    finally:
        one.stop()
    assert not one.coordinator.move_receiver(), "it is stopped"
