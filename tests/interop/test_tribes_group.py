"""One group of the real Tomcat's Tribes and ours: who is there, and messages both ways."""

from __future__ import annotations

import time
from typing import Any

import pytest

from catalina.errors import ChannelError, RemoteProcessError
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.group.interceptors.throughput_interceptor import ThroughputInterceptor
from tests.interop.tribes_driver import compile_driver, java_member
from tests.support.ports import free_udp_port
from tests.tribes.groups import make_channel, started, until

pytestmark = pytest.mark.interop

STACK = "dispatch,tfd,throughput"


@pytest.fixture(scope="module")
def class_path(tmp_path_factory):
    return compile_driver(tmp_path_factory.mktemp("tribes-driver"))


def ours(mcast: int, **membership: Any) -> Any:
    return make_channel(
        mcast, MessageDispatchInterceptor(), TcpFailureDetector(), ThroughputInterceptor(), frequency=100, **membership
    )


@pytest.fixture(scope="module")
def group(class_path):
    """A Java member and one of ours that see each other."""
    mcast = free_udp_port()
    with java_member(class_path, mcast=mcast, interceptors=STACK) as java:
        channel, recorder = ours(mcast, drop_time=3000)
        channel.start()
        try:
            until(lambda: channel.members, "our channel sees Java")
            java.wait_for(f"added {channel.local_member.port}/{channel.local_member.unique_id.hex()}")
            yield java, channel, recorder
        finally:
            channel.stop()


def test_both_see_each_other_with_their_ids(group):
    java, channel, _ = group
    [member] = channel.members
    assert java.wait_for("started") == f"started {member.port}/{member.unique_id.hex()}"
    local = channel.local_member
    assert java.ask("members", "members") == f"members {local.port}/{local.unique_id.hex()}"


@pytest.mark.parametrize("options", [0, 2, 6, 8, 10])
def test_our_bytes_reach_java(group, options):
    java, channel, _ = group
    message = bytes([options]) * 300
    channel.send(channel.members, message, options)
    java.wait_for(f"bytes {channel.local_member.port} {message.hex()}")


@pytest.mark.parametrize("options", [0, 2, 6, 8, 10])
def test_javas_bytes_reach_us(group, options):
    java, _, seen = group
    message = bytes([options, 1]) * 300
    assert java.ask(f"send {options} {message.hex()}", "sent") == "sent"
    until(lambda: message in seen.messages)


def test_objects_travel_both_ways(group):
    java, channel, seen = group
    channel.send(channel.members, {"greeting": "hellö", "numbers": [1, 2**40, 2.5, None, True]}, 6)
    java.wait_for("object")
    expected = "java.util.LinkedHashMap {greeting=hellö, numbers=[1, 1099511627776, 2.5, null, true]}"
    assert java.wait_for("object").endswith(expected)
    assert java.ask("sendtext 6 grüße", "sent") == "sent"
    assert "grüße" in seen.messages


def test_many_synchronous_messages_keep_their_order_in_java(group):
    java, channel, _ = group
    first = len(java.lines)
    deliveries = [channel.post(channel.members, b"%05d" % number, 6) for number in range(500)]
    assert all(delivery.wait(20) and not delivery.faulty for delivery in deliveries)

    def numbers() -> list[bytes]:
        return [bytes.fromhex(line.split()[2]) for line in java.lines[first:] if line.startswith("bytes")]

    until(lambda: len(numbers()) >= 500)  # Java's output comes through a pipe
    assert numbers() == [b"%05d" % number for number in range(500)]


def test_many_asynchronous_messages_all_arrive_both_ways(group):
    java, channel, seen = group
    seen.messages.clear()
    java.ask("received", "received")
    for number in range(2000):
        channel.send(channel.members, b"%05d" % number * 60, 8)
    total = 0

    def arrived() -> bool:
        nonlocal total
        total += int(java.ask("received", "received").split()[1])
        return total >= 2000

    until(arrived, "2000 messages in Java", 20)
    java.ask("flood 8 2000 300", "flooded")
    until(lambda: len(seen.messages) >= 2000, "2000 messages from Java", 20)


def test_a_large_message_travels_both_ways(group):
    java, channel, seen = group
    large = bytes(range(256)) * 4096
    channel.send(channel.members, large, 6)
    assert java.wait_for(f"bytes {channel.local_member.port} {large.hex()[:200]}")
    seen.messages.clear()
    java.ask("flood 6 1 1048576", "flooded")
    assert seen.messages == [bytes(1048576)]


def test_a_broadcast_travels_both_ways(group):
    java, channel, seen = group
    channel.send(channel.members, b"to everybody", 0x40)
    java.wait_for(f"bytes {channel.local_member.port} {b'to everybody'.hex()}")
    java.ask(f"send 64 {b'from java'.hex()}", "sent")
    until(lambda: b"from java" in seen.messages)


def test_a_failing_listener_in_java_is_a_failure_here(group):
    java, channel, _ = group
    java.ask("fail true", "fail")
    try:
        with pytest.raises(ChannelError) as caught:
            channel.send(channel.members, b"x", 6)
    finally:
        java.ask("fail false", "fail")
    assert isinstance(next(iter(caught.value.faulty.values())), RemoteProcessError)
    assert channel.members, "a member that answers stays"


def test_a_failing_listener_here_is_a_failure_in_java(group):
    java, _, seen = group
    seen.fault = ValueError("told to fail")
    try:
        answer = java.ask("send 6 00", "sent")
    finally:
        seen.fault = None
    assert "RemoteProcessException" in answer


def test_a_java_member_that_leaves_and_comes_back(class_path):
    mcast = free_udp_port()
    channel, seen = ours(mcast, drop_time=60_000)
    with started(channel):
        with java_member(class_path, mcast=mcast, interceptors=STACK) as java:
            until(lambda: len(channel.members) == 1)
            first = channel.members[0]
            java.ask("stop", "stopped")
            until(lambda: seen.gone == [first], "an orderly leave is noticed without waiting for dropTime")
        with java_member(class_path, mcast=mcast, interceptors=STACK, port=java.port):
            until(lambda: len(channel.members) == 1)
            assert channel.members[0] != first


def test_a_killed_java_member_is_noticed_at_once_by_its_connection(class_path):
    mcast = free_udp_port()
    channel, seen = ours(mcast, drop_time=60_000)
    with started(channel), java_member(class_path, mcast=mcast, interceptors=STACK) as java:
        until(lambda: len(channel.members) == 1)
        channel.send(channel.members, b"a connection", 6)
        java.kill()
        began = time.monotonic()
        until(lambda: seen.gone)
        assert time.monotonic() - began < 2.0


def test_java_notices_that_we_leave_and_that_we_die(class_path, tmp_path):
    mcast = free_udp_port()
    with java_member(class_path, mcast=mcast, interceptors=STACK, drop=1000, heartbeat=500) as java:
        channel, _ = ours(mcast)
        with started():
            channel.start()
            local = channel.local_member
            name = f"{local.port}/{local.unique_id.hex()}"
            java.wait_for(f"added {name}")
            channel.stop()
            java.wait_for(f"gone {name}", timeout=2.0)


def test_a_crash_is_followed_by_a_farewell_for_the_member_before(class_path, tmp_path):
    """A process that comes up at the same port after a crash: Java must not keep both."""
    mcast = free_udp_port()
    with java_member(class_path, mcast=mcast, interceptors=STACK, drop=60_000) as java:
        crashed, _ = ours(mcast, state_dir=str(tmp_path))
        port = crashed.coordinator.receiver.port
        crashed.start()
        old = crashed.local_member
        java.wait_for(f"added {old.port}/{old.unique_id.hex()}")
        _crash(crashed)
        again, _ = ours(mcast, state_dir=str(tmp_path))
        again.coordinator.receiver.port = port
        again.start()
        try:
            new = again.local_member
            assert new.port == old.port
            assert new != old
            java.wait_for(f"gone {old.port}/{old.unique_id.hex()}")
            java.wait_for(f"added {new.port}/{new.unique_id.hex()}")
            assert java.ask("members", "members") == f"members {new.port}/{new.unique_id.hex()}"
        finally:
            again.stop()


def _crash(channel: Any) -> None:
    """Close the sockets as the kernel does for a dead process: no farewell, nothing stopped in order."""
    impl = channel.membership_service._impl
    impl.stop_sender()
    impl._close()
    impl._settings = impl._settings.__class__(
        **{name: getattr(impl._settings, name) for name in impl._settings.__slots__} | {"last_member": None}
    )
    channel.stop()


@pytest.mark.parametrize("options", [6, 8])
def test_messages_with_keys_keep_their_order_in_java_and_are_faster(group, options):
    java, channel, _ = group
    first = len(java.lines)
    deliveries = [
        channel.post(channel.members, b"%d/%04d" % (number % 20, number), options, key=number % 20)
        for number in range(1000)
    ]
    assert all(delivery.wait(20) and not delivery.faulty for delivery in deliveries)
    until(lambda: sum(line.startswith("bytes") for line in java.lines[first:]) == 1000, "all in Java")
    seen = [bytes.fromhex(line.split()[2]) for line in java.lines[first:] if line.startswith("bytes")]
    for key in range(20):
        of_key = [message for message in seen if message.startswith(b"%d/" % key)]
        assert of_key == sorted(of_key)
        assert len(of_key) == 50
