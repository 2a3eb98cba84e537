"""Every interceptor with the real Tomcat's one on the other side, both directions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.domain_filter_interceptor import DomainFilterInterceptor
from catalina.tribes.group.interceptors.encrypt_interceptor import EncryptInterceptor
from catalina.tribes.group.interceptors.fragmentation_interceptor import FragmentationInterceptor
from catalina.tribes.group.interceptors.gzip_interceptor import GzipInterceptor
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.non_blocking_coordinator import NonBlockingCoordinator
from catalina.tribes.group.interceptors.order_interceptor import OrderInterceptor
from catalina.tribes.group.interceptors.simple_coordinator import SimpleCoordinator
from catalina.tribes.group.interceptors.static_membership_interceptor import StaticMembershipInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.group.interceptors.tcp_ping_interceptor import TcpPingInterceptor
from catalina.tribes.group.interceptors.throughput_interceptor import ThroughputInterceptor
from catalina.tribes.group.interceptors.two_phase_commit_interceptor import TwoPhaseCommitInterceptor
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.static_member import StaticMember
from catalina.tribes.membership.static_membership_service import StaticMembershipService
from catalina.tribes.transport.nio.nio_receiver import NioReceiver
from tests.interop.tribes_driver import TribesDriver, compile_driver, java_member
from tests.support.narrowing import of_type, there
from tests.support.needs import need_java_tomcat
from tests.support.ports import free_port, free_udp_port
from tests.tribes.groups import LOOPBACK, Recorder, make_channel, until

pytestmark = pytest.mark.interop

KEY = bytes(range(16))
#: Bytes that compress, bytes that do not, the empty message, and the lengths around a cut at 1000.
MESSAGES = [b"", b"x", b"a" * 5000, bytes(range(256)) * 10, b"b" * 999, b"c" * 1000, b"d" * 1001]


#: The first Tomcat whose EncryptInterceptor puts the time of a message into it.
SENDS_THE_TIME = (10, 1, 56)


@pytest.fixture(scope="module")
def class_path(tmp_path_factory):
    return compile_driver(tmp_path_factory.mktemp("tribes-driver"))


@contextlib.contextmanager
def group(
    class_path: str,
    java_stack: str,
    *ours: ChannelInterceptorBase,
    membership: dict[str, Any] | None = None,
    **java: Any,
) -> Iterator[tuple[TribesDriver, GroupChannel, Recorder]]:
    """A Java member and one of ours with the same stack, that see each other."""
    mcast = free_udp_port()
    with java_member(class_path, mcast=mcast, interceptors=java_stack, heartbeat=500, **java) as driver:
        channel, recorder = make_channel(mcast, *ours, frequency=100, drop_time=3000, **(membership or {}))
        channel.heartbeat_sleeptime = 500
        channel.start()
        try:
            until(lambda: channel.members, "our channel sees Java")
            driver.wait_for(f"added {channel.local_member.port}/{channel.local_member.unique_id.hex()}")
            yield driver, channel, recorder
        finally:
            channel.stop()


def check_both_ways(java: TribesDriver, channel: GroupChannel, seen: Recorder, options: int = 6) -> None:
    """Every message arrives as it was, in both directions."""
    for message in MESSAGES:
        channel.send(channel.members, message, options)
        java.wait_for(f"bytes {channel.local_member.port} {message.hex()}".rstrip())
        seen.messages.clear()
        assert java.ask(f"send {options} {message.hex() or '00'}", "sent") == "sent"
        until(partial(seen.messages.__contains__, message or b"\0"))


STACKS: dict[str, tuple[str, Callable[[], list[ChannelInterceptorBase]]]] = {
    "gzip": ("gzip:100", lambda: [GzipInterceptor(compression_min_size=100)]),
    "fragmentation": ("fragmentation:1000", lambda: [FragmentationInterceptor(max_size=1000)]),
    "order": ("order", lambda: [OrderInterceptor()]),
    "commit": ("commit", lambda: [TwoPhaseCommitInterceptor()]),
    "throughput": ("throughput", lambda: [ThroughputInterceptor()]),
    "encrypt": (f"encrypt:{KEY.hex()}", lambda: [EncryptInterceptor(encryption_key=KEY)]),
    "encrypt cbc": (
        f"encrypt:{KEY.hex()}:AES/CBC/PKCS5Padding",
        lambda: [
            EncryptInterceptor(
                encryption_key=KEY, encryption_algorithm="AES/CBC/PKCS5Padding", allow_insecure_algorithms=True
            )
        ],
    ),
    "all": (
        f"commit,order,gzip,encrypt:{KEY.hex()},fragmentation:1000",
        lambda: [
            TwoPhaseCommitInterceptor(),
            OrderInterceptor(),
            GzipInterceptor(),
            EncryptInterceptor(encryption_key=KEY),
            FragmentationInterceptor(max_size=1000),
        ],
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_messages_travel_both_ways_through(class_path, name):
    java_stack, make = STACKS[name]
    if "encrypt" in java_stack:
        need_java_tomcat(SENDS_THE_TIME)
    with group(class_path, f"{java_stack},tfd", *make(), TcpFailureDetector()) as (java, channel, seen):
        check_both_ways(java, channel, seen)


class Wiretap(ChannelInterceptorBase):
    """Keeps what goes down to the network."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[ChannelMessage] = []

    def send_message(self, to: Any, message: Any, delivery: Any) -> None:
        self.kept.append(message)
        super().send_message(to, message, delivery)


def test_a_replayed_or_foreign_message_is_refused_by_both(class_path):
    need_java_tomcat(SENDS_THE_TIME)
    ours, wiretap = EncryptInterceptor(encryption_key=KEY), Wiretap()
    with group(class_path, f"encrypt:{KEY.hex()},tfd", ours, wiretap, TcpFailureDetector()) as (java, channel, _):
        channel.send(channel.members, b"once", 6)
        sealed = tuple(wiretap.kept)
        java.wait_for(f"bytes {channel.local_member.port} {b'once'.hex()}")
        for message in (sealed[0], sealed[0].with_data(b"\0" * 40)):
            delivery = Delivery(1, message.unique_id, channel.reactor)
            there(ours.next).send_message(channel.members, message, delivery)
            assert delivery.wait(5)
            assert not delivery.faulty, "Java acknowledges what it refuses"
        until(lambda: any("replay attack detected" in line for line in java.log))
        until(lambda: any("Failed to decrypt message" in line for line in java.log))
        assert sum(line.startswith("bytes") for line in java.lines) == 1


def test_domains_keep_members_apart(class_path):
    with group(
        class_path,
        "domain:shop,tfd",
        DomainFilterInterceptor(domain=b"shop"),
        TcpFailureDetector(),
        membership={"domain": b"shop"},
        domain="shop",
    ) as (java, channel, seen):
        check_both_ways(java, channel, seen)
        mcast = of_type(McastService, channel.membership_service).port
        other, seen_by_other = make_channel(
            mcast, DomainFilterInterceptor(domain=b"blog"), TcpFailureDetector(), frequency=100, domain=b"blog"
        )
        other.start()
        try:
            until(lambda: other.membership_service.members)
            assert other.members == ()
            assert seen_by_other.added == []
            local = other.local_member
            until(lambda: any("was refused to join cluster" in line for line in java.log))
            assert f"{local.port}/" not in java.ask("members", "members")
        finally:
            other.stop()


@pytest.mark.parametrize(
    ("coordinator", "java_first"), [("coordinator", True), ("coordinator", False), ("simple", True)]
)
def test_both_elect_the_same_leader(class_path, coordinator, java_first):
    """The order of the ports says who leads: each of both in turn."""
    ours = NonBlockingCoordinator() if coordinator == "coordinator" else SimpleCoordinator()
    low, high = sorted(free_port() for _ in range(2))
    receiver = NioReceiver(address=LOOPBACK, port=high if java_first else low)
    with group(
        class_path,
        f"{coordinator},tfd",
        ours,
        TcpFailureDetector(),
        membership={"receiver": receiver},
        port=low if java_first else high,
    ) as (java, channel, _):
        assert java_first == (java.port < channel.local_member.port)
        until(lambda: len(ours.view) == 2, "a view of two here")
        leader = there(ours.coordinator)
        described = f"leader {leader.port}/{leader.unique_id.hex()}"
        until(lambda: java.ask("leader", "leader") == described, f"{described} in Java too")


def test_a_leader_is_elected_when_java_as_leader_dies(class_path):
    ours = NonBlockingCoordinator()
    with group(class_path, "coordinator,tfd", ours, TcpFailureDetector()) as (java, channel, _):
        until(lambda: len(ours.view) == 2)
        channel.send(channel.members, b"a connection", 6)
        java.kill()
        until(lambda: ours.view == (channel.local_member,))


def test_pings_of_both_are_taken_by_both(class_path):
    with group(class_path, "ping,throughput", TcpPingInterceptor(), ThroughputInterceptor()) as (java, channel, seen):
        count = next(layer for layer in channel.interceptors if isinstance(layer, ThroughputInterceptor))
        until(lambda: count.msg_rx_cnt >= 2, "pings of Java")
        assert seen.messages == []
        assert count.msg_tx_err == 0
        assert not any(line.startswith(("bytes", "object")) for line in java.lines)
        assert not any("SEVERE" in line for line in java.log)


def test_datagrams_travel_both_ways(class_path):
    """On fresh connections only: Java cannot send datagrams to a member it has a TCP connection to."""
    mcast = free_udp_port()
    with java_member(class_path, mcast=mcast, interceptors="dispatch", udp=free_udp_port()) as java:
        receiver = NioReceiver(address=LOOPBACK, port=free_port(), udp_port=free_udp_port())
        channel, seen = make_channel(mcast, MessageDispatchInterceptor(), receiver=receiver, frequency=100)
        channel.start()
        try:
            until(lambda: channel.members)
            java.wait_for("added")
            channel.send(channel.members, b"by datagram", 0x20)
            java.wait_for(f"bytes {channel.local_member.port} {b'by datagram'.hex()}")
            channel.send(channel.members, b"and acknowledged", 0x22)
            java.wait_for(f"bytes {channel.local_member.port} {b'and acknowledged'.hex()}")
            assert java.ask(f"send 32 {b'from java'.hex()}", "sent") == "sent"
            until(lambda: b"from java" in seen.messages)
        finally:
            channel.stop()


def test_static_members_find_each_other_and_say_goodbye(class_path):
    ports = [free_port() for _ in range(2)]
    java_id, our_id = ("{" + ",".join([number] * 16) + "}" for number in "12")
    layer = StaticMembershipInterceptor()
    layer.add_static_member(StaticMember(host=LOOPBACK, port=ports[0], unique_id=bytes([1]) * 16))
    layer.set_local_member(StaticMember(unique_id=bytes([2]) * 16))
    channel, seen = make_channel(1, TcpPingInterceptor(), TcpFailureDetector(), layer)
    channel.coordinator.receiver.port = ports[1]
    channel.heartbeat_sleeptime = 500
    channel.start(3)
    try:
        with java_member(
            class_path,
            port=ports[0],
            interceptors="ping,tfd,static",
            local=java_id,
            static=f"{ports[1]}/{our_id}",
            level=3,
            heartbeat=500,
        ) as java:
            until(lambda: channel.members, "we see Java")
            java.wait_for(f"added {ports[1]}/{'02' * 16}")
            channel.send(channel.members, b"to java", 6)
            java.wait_for(f"bytes {ports[1]} {b'to java'.hex()}")
            assert java.ask(f"send 6 {b'from java'.hex()}", "sent") == "sent"
            until(lambda: b"from java" in seen.messages)
            member = channel.members[0]
            java.ask("stop 3", "stopped")
            until(lambda: seen.gone == [member], "Java's farewell")
    finally:
        channel.stop(3)


def test_static_membership_services_ask_each_other(class_path):
    ports = [free_port() for _ in range(2)]
    java_id, our_id = ("{" + ",".join([number] * 16) + "}" for number in "12")
    service = StaticMembershipService()
    service.add_static_member(StaticMember(host=LOOPBACK, port=ports[0], unique_id=bytes([1]) * 16))
    service.set_local_member(StaticMember(unique_id=bytes([2]) * 16))
    channel, seen = make_channel(1, MessageDispatchInterceptor())
    channel.set_membership_service(service)
    channel.name = "localhost-Channel"
    channel.coordinator.receiver.port = ports[1]
    channel.heartbeat_sleeptime = 500
    channel.start()
    try:
        with java_member(
            class_path,
            port=ports[0],
            service="static",
            interceptors="dispatch",
            local=java_id,
            static=f"{ports[1]}/{our_id}",
            name="localhost-Channel",
            heartbeat=500,
        ) as java:
            until(lambda: channel.members, "Java told us that it has started")
            java.wait_for(f"added {ports[1]}/{'02' * 16}")
            channel.send(channel.members, b"to java", 6)
            java.wait_for(f"bytes {ports[1]} {b'to java'.hex()}")
            assert java.ask(f"send 6 {b'from java'.hex()}", "sent") == "sent"
            until(lambda: b"from java" in seen.messages)
            java.ask("stop", "stopped")
            until(lambda: seen.gone, "Java's farewell")
            assert seen.gone[0].is_leaving
        with java_member(
            class_path,
            port=ports[0],
            service="static",
            interceptors="dispatch",
            local=java_id,
            static=f"{ports[1]}/{our_id}",
            name="localhost-Channel",
            heartbeat=500,
        ) as java:
            until(lambda: len(channel.members) == 1, "Java is back")
            java.wait_for("added")
            local = channel.local_member
            channel.stop()
            java.wait_for(f"gone {local.port}/{local.unique_id.hex()}")
    finally:
        channel.stop()
