"""The lowest layer."""

from __future__ import annotations

import socket

import pytest

from catalina.errors import ChannelError
from catalina.tribes.group.channel_coordinator import ChannelCoordinator
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT
from tests.tribes.fakes import Stack
from tests.tribes.groups import LOOPBACK, free_port, make_channel, started


def test_a_failure_detectors_probe_reaches_no_interceptor():
    stack = Stack()
    coordinator = ChannelCoordinator()
    coordinator.previous = stack.top
    coordinator.message_received(stack.message(TCP_FAIL_DETECT, 1))
    coordinator.message_received(stack.message(TCP_FAIL_DETECT + b"!", 1))
    assert stack.delivered == [TCP_FAIL_DETECT + b"!"]


def test_a_level_is_started_once():
    one, _ = make_channel(free_port())
    one.start(3)
    try:
        with pytest.raises(ChannelError, match=r"already started for level:\[1\]"):
            one.start(1)
    finally:
        one.stop(3)


def test_a_started_channel_is_not_started_again():
    one, _ = make_channel(free_port())
    with started(one):
        one.start()
        assert one.coordinator.start_level == 15


def test_a_port_that_is_taken_stops_the_start_and_says_which():
    with socket.create_server((LOOPBACK, 0)) as taken:
        one, _ = make_channel(free_port())
        receiver = one.coordinator.receiver
        receiver.port, receiver.auto_bind = taken.getsockname()[1], 1
        with pytest.raises(ChannelError, match="in use"):
            one.start()
    assert one.reactor is None, "no thread is left"
    one.stop()


def test_every_service_is_stopped_whatever_happens_to_one(monkeypatch):
    one, _ = make_channel(free_port())
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
