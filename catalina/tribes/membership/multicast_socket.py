"""Opens a socket that is in a multicast group."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import struct

__all__ = ["is_no_route", "open_multicast_socket"]

log = logging.getLogger("org.apache.catalina.tribes.membership.McastServiceImpl")

_IP_MULTICAST_ALL = 49  # Linux: 0 passes only datagrams of groups that this very socket has joined


def open_multicast_socket(group: tuple[str, int], interface: str, ttl: int, loopback: bool) -> socket.socket:
    """Bind to the group's port, join the group, and send to it from the same socket; not blocking.

    Args:
        group: address and port.
        interface: address of the local interface, empty for the kernel's choice.
        ttl: hops, -1 for the system's default.
        loopback: True when other sockets of this machine get the datagrams that are sent.

    Raises:
        OSError: there is no such interface, no route to the group (:func:`is_no_route`), or multicast is not possible
            here.
    """
    address = ipaddress.ip_address(socket.getaddrinfo(group[0], None, type=socket.SOCK_DGRAM)[0][4][0])
    if not address.is_multicast:
        raise OSError(errno.EINVAL, f"{group[0]} is not a multicast address")
    log.info("Attempting to bind the multicast socket to [/%s:%d]", address, group[1])
    if address.version == 6:
        return _open_v6(str(address), group[1], interface, ttl, loopback)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, int(loopback))
        if ttl >= 0:
            log.info("Setting cluster mcast TTL to [%d]", ttl)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        sock.bind((str(address), group[1]))
        _join_v4(sock, address.packed, interface)
    except OSError:
        sock.close()
        raise
    return sock


def _join_v4(sock: socket.socket, group: bytes, interface: str) -> None:
    if interface:
        log.info("Setting multihome multicast interface to:[/%s]", interface)
    local = socket.inet_aton(interface) if interface else bytes(4)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + local)
        if interface:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
    except OSError as exc:
        if interface or not is_no_route(exc):
            log.error("Unable to join multicast group, make sure your system has multicasting enabled.")
        raise


def is_no_route(error: OSError) -> bool:
    """True when the kernel has no interface that leads to the group, because a cable is out or not yet in."""
    return error.errno in (errno.ENODEV, errno.ENETUNREACH)


def _open_v6(address: str, port: int, interface: str, ttl: int, loopback: bool) -> socket.socket:
    index = _interface_index(interface) if interface else 0
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, int(loopback))
        if ttl >= 0:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
        sock.bind((address, port, 0, index))
        request = socket.inet_pton(socket.AF_INET6, address) + struct.pack("@I", index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        if index:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    except OSError:
        sock.close()
        raise
    return sock


def _interface_index(address: str) -> int:
    """Index of the interface with the IPv6 address, which may name the interface as ``fe80::1%eth0`` does."""
    if "%" in address:
        return socket.if_nametoindex(address.split("%", 1)[1])
    scoped: tuple[object, ...] = socket.getaddrinfo(address, None, socket.AF_INET6, socket.SOCK_DGRAM)[0][4]
    return int(str(scoped[3]))
