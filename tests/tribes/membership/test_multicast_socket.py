"""Sockets in a multicast group, on the loopback interface."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from catalina.tribes.membership import multicast_socket as module
from catalina.tribes.membership.multicast_socket import open_multicast_socket
from tests.support.narrowing import of_type
from tests.support.ports import free_udp_port
from tests.tribes.groups import LOOPBACK, until

GROUP = "228.0.0.4"


def receive(sock: socket.socket) -> bytes:
    def attempt() -> bytes:
        try:
            return sock.recv(100)
        except BlockingIOError:
            return b""

    return of_type(bytes, until(attempt))


def test_everybody_in_the_group_hears_it():
    port = free_udp_port()
    with (
        open_multicast_socket((GROUP, port), LOOPBACK, 1, True) as one,
        open_multicast_socket((GROUP, port), LOOPBACK, -1, True) as two,
    ):
        one.sendto(b"hello", (GROUP, port))
        assert receive(two) == b"hello"
        assert receive(one) == b"hello"


@pytest.mark.parametrize("loopback", [True, False])
def test_the_kernel_is_told_whether_this_machine_hears_it(loopback):
    # Not by listening: what goes out on the loopback interface comes back in any case.
    with open_multicast_socket((GROUP, free_udp_port()), LOOPBACK, 7, loopback) as sock:
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) == loopback
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 7


def test_other_groups_of_the_port_are_not_heard():
    port = free_udp_port()
    with (
        open_multicast_socket((GROUP, port), LOOPBACK, -1, True) as one,
        open_multicast_socket(("228.0.0.5", port), LOOPBACK, -1, True) as two,
    ):
        one.sendto(b"not for two", (GROUP, port))
        two.sendto(b"for two", ("228.0.0.5", port))
        assert receive(two) == b"for two"
        assert receive(one) == b"not for two"


def test_ipv6_groups_are_joined_on_the_interface_that_is_named():
    with open_multicast_socket(("ff01::114", free_udp_port()), "::1%lo", 3, False) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF) == socket.if_nametoindex("lo")
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS) == 3
        assert not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP)
        assert "ff010000000000000000000000000114" in Path("/proc/net/igmp6").read_text()


def test_an_address_that_is_no_group_is_refused():
    with pytest.raises(OSError, match="is not a multicast address"):
        open_multicast_socket(("10.0.0.1", 1), "", -1, True)


def test_an_interface_that_is_not_there_is_refused(caplog):
    with pytest.raises(OSError, match="No such device"):
        open_multicast_socket((GROUP, free_udp_port()), "203.0.113.9", -1, True)
    assert "Unable to join multicast group" in caplog.text


def test_without_a_route_the_caller_is_told(caplog):
    class Unroutable:
        def setsockopt(self, level: int, option: int, value: bytes) -> None:
            raise OSError(19, "No such device")

    sock: Any = Unroutable()
    with pytest.raises(OSError, match="No such device") as refused:
        module._join_v4(sock, socket.inet_aton(GROUP), "")
    assert module.is_no_route(refused.value)
    assert not module.is_no_route(OSError(1, "Operation not permitted"))
    assert caplog.text == ""
