"""Looks at the network of a group, on this machine's loopback."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from catalina.startup.group_network import group_mtu, listen, reach
from catalina.tribes.member import BEGIN, Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.multicast_socket import open_multicast_socket
from catalina.tribes.transport.tribes_ssl_context import TribesSslContext
from tests.cluster.node import free_port, free_udp_port
from tests.tribes.transport.nio.test_tls_channel import KEY, a_node, alone

LOOPBACK = bytes((127, 0, 0, 1))


@pytest.fixture
def group():
    return McastService(address="228.0.0.4", port=free_udp_port(), bind="127.0.0.1")


def test_whoever_announces_himself_is_heard_and_noise_is_counted(group):
    member = Member(LOOPBACK, 4000, unique_id=b"m" * 16)
    done = threading.Event()

    def announce():
        with contextlib.closing(open_multicast_socket((group.address, group.port), group.bind, -1, True)) as sock:
            while not done.wait(0.02):
                for data in (member.encode(), BEGIN + b"broken", b"a broadcast"):
                    sock.sendto(data, (group.address, group.port))

    announcing = threading.Thread(target=announce)
    announcing.start()
    try:
        heard = listen(group, 1.0)
    finally:
        done.set()
        announcing.join()
    assert heard.members == {member: "127.0.0.1"}
    assert heard.broken > 0
    assert heard.datagrams > heard.broken + 1


def test_silence_is_heard_as_such(group):
    heard = listen(group, 0.05)
    assert (heard.members, heard.datagrams) == ({}, 0)


def test_a_group_that_is_none_cannot_be_joined():
    with pytest.raises(OSError, match="not a multicast address"):
        listen(McastService(address="127.0.0.1", port=4567), 0.05)


def test_a_receiver_takes_a_connection_or_refuses_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = reach(Member(LOOPBACK, server.getsockname()[1]), 5.0)
    assert found.seconds is not None
    assert found.mtu >= 1280
    assert reach(Member(LOOPBACK, free_port()), 5.0).error == "refused"


def test_a_receiver_that_does_not_answer():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with contextlib.ExitStack() as waiting:
            for _ in range(2):  # datagrams that the system has queued
                sock = waiting.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(address)
            assert reach(Member(LOOPBACK, address[1]), 0.2).error == "timeout"


def test_the_system_says_how_long_a_packet_to_the_group_may_be(group):
    assert group_mtu(group) >= 1280
    assert group_mtu(McastService(address="ff02::4", port=4567)) == 0


@pytest.mark.parametrize(("key", "error"), [(KEY, ""), (bytes(32), "key: ")])
def test_a_receiver_over_tls_is_reached_by_who_has_its_key(key, error):
    channel, _ = a_node(free_udp_port())
    with alone(channel):
        found = reach(channel.local_member, 5.0, TribesSslContext("cluster", key))
    assert (found.seconds is None) is bool(error)
    assert found.error.startswith(error)


def test_a_node_without_a_secure_port_is_not_reached_over_tls():
    assert reach(Member(LOOPBACK, 4000), 5.0, TribesSslContext("cluster", KEY)).error == "no securePort"
