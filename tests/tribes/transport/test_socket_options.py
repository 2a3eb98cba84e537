"""Options of TCP sockets."""

from __future__ import annotations

import socket

import pytest

from catalina.tribes.transport.socket_options import SocketOptions


@pytest.fixture
def sock():
    with socket.socket() as one:
        yield one


def test_tomcats_defaults_are_set(sock):
    SocketOptions().apply_socket_options(sock)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0x1C


def test_each_option_can_be_turned(sock):
    SocketOptions(tcp_no_delay=False, so_keep_alive=True, so_traffic_class=8).apply_socket_options(sock)
    assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 8


def test_buffers_are_sized_only_when_configured(sock):
    before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    SocketOptions().apply_socket_options(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
    SocketOptions(rx_buf_size=10_000, tx_buf_size=20_000).apply_socket_options(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 20_000  # the kernel doubles
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 40_000


def test_a_linger_of_zero_resets_the_connection(sock):
    SocketOptions(so_linger_on=True, so_linger_time=0).apply_socket_options(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] == 1


def test_other_lingers_never_make_a_close_wait(sock):
    SocketOptions(so_linger_on=True, so_linger_time=3).apply_socket_options(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] == 0


def test_ipv6_sockets_have_a_traffic_class():
    with socket.socket(socket.AF_INET6) as sock:
        SocketOptions().apply_socket_options(sock)
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 0x1C
