"""Ports for the servers of tests.

They lie below those that the kernel gives to clients, so that no connection takes one between the moment when it was
found free and the moment when a server listens there. Each process of a test run has a part of them to itself.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections.abc import Iterator
from itertools import count

__all__ = ["free_port", "free_ports", "free_udp_port"]

#: The first port, and the number of them that each of the run's processes has.
_FIRST, _EACH = 11_000, 2_600
#: The run's processes that have a part of their own.
_PARTS = 8
#: From one to the next, which leaves room for servers that take several in a row. It has no factor of _EACH.
_STRIDE = 37


def _numbers() -> Iterator[int]:
    """Ports of this process, again and again; another run on this machine probably begins elsewhere."""
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
    for step in count(random.randrange(_EACH)):
        yield _FIRST + part * _EACH + step * _STRIDE % _EACH


_ports = _numbers()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has now."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket(type=kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # the ports do not end


def free_ports(count: int) -> int:
    """The first of so many TCP ports of loopback in a row that nobody has now."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in range(first, first + count):
                probes.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


def free_udp_port() -> int:
    """A port for a multicast group of one test's own."""
    return free_port(socket.SOCK_DGRAM)
