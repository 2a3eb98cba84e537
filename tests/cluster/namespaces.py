"""Network namespaces for nodes of a test: a switch (a bridge in a namespace of its own), and one for each node.

Each node has an interface ``eth0`` with an address of 10.99.0.0/24 and the route for multicast, so the HOW-TO's XML
runs as it stands, with ``address="auto"`` and the group 228.0.0.4. Everything is taken away by :meth:`Switch.close`.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["MulticastRelay", "Namespace", "Switch"]

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*arguments: str) -> None:
    made = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert made.returncode == 0, f"ip {' '.join(arguments)}: {made.stderr}"


class Namespace:
    """One node's network."""

    def __init__(self, switch: Switch, name: str, address: str) -> None:
        self.name = f"{switch.prefix}-{name}"
        self.address = address
        port = f"p{address.rpartition('.')[2]}"
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("link", "add", "eth0", "netns", self.name, "type", "veth", "peer", "name", port, "netns", switch.name)
        _ip("-n", self.name, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", self.name, "link", "set", "eth0", "up")
        _ip("-n", self.name, "route", "add", "224.0.0.0/4", "dev", "eth0")
        _ip("-n", switch.name, "link", "set", port, "master", "br0", "up")
        self.switch = switch
        self.port = port

    @property
    def command(self) -> tuple[str, ...]:
        """The prefix of a command that shall run here."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """``ip link set down``: the cable is out."""
        _ip("-n", self.name, "link", "set", "eth0", "down")

    def mend(self) -> None:
        """The cable is in again; the multicast route went with it."""
        _ip("-n", self.name, "link", "set", "eth0", "up")
        _ip("-n", self.name, "route", "replace", "224.0.0.0/4", "dev", "eth0")

    def inside(self, call: Callable[[], T]) -> T:
        """Run ``call`` in a thread that is in this namespace; sockets made there stay there."""
        result: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                with open(f"/run/netns/{self.name}") as namespace:
                    if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(call())
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=run, name=f"in-{self.name}")
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]


class Switch:
    """The cable between the nodes, unique for each test process and use."""

    _count = 0

    def __init__(self) -> None:
        Switch._count += 1
        self.prefix = f"cat{os.getpid()}{Switch._count}"
        self.name = f"{self.prefix}-switch"
        self.namespaces: list[Namespace] = []
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        _ip("-n", self.name, "link", "set", "br0", "up")

    def add(self, name: str) -> Namespace:
        """A namespace with the next address."""
        namespace = Namespace(self, name, f"10.99.0.{len(self.namespaces) + 1}")
        self.namespaces.append(namespace)
        return namespace

    def drop_multicast(self, drop: bool, source: str | None = None) -> None:
        """Lose every datagram to the group on its way through the switch (of one node only), or let them through."""
        self._nft("add table bridge lossy")
        self._nft("add chain bridge lossy forward { type filter hook forward priority 0; }")
        self._nft("flush chain bridge lossy forward")
        if drop:
            match = f"ip saddr {source} " if source else ""
            self._nft(f"add rule bridge lossy forward {match}ip daddr 228.0.0.4 drop")

    def black_hole(self, source: Namespace, target: Namespace, both_ways: bool = True) -> None:
        """Swallow what one node sends to another, without a word to either."""
        self._nft("add table bridge hole")
        self._nft("add chain bridge hole forward { type filter hook forward priority 0; }")
        for one, other in ((source, target), (target, source))[: 2 if both_ways else 1]:
            self._nft(f"add rule bridge hole forward ip saddr {one.address} ip daddr {other.address} drop")
            self._nft(f"add rule bridge hole forward ip saddr {one.address} ip daddr 228.0.0.4 drop")

    def heal(self) -> None:
        """Let everything through again."""
        self._nft("delete table bridge hole")

    def _nft(self, rule: str) -> None:
        made = subprocess.run(["ip", "netns", "exec", self.name, "nft", rule], capture_output=True, text=True)
        assert made.returncode == 0, f"nft {rule}: {made.stderr}"

    def close(self) -> None:
        """Take all namespaces away; their interfaces go with them."""
        for name in [*(namespace.name for namespace in self.namespaces), self.name]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


class MulticastRelay:
    """Carries one node's datagrams to another one late, in place of the switch that loses them."""

    def __init__(self, source: Namespace, target: Namespace, port: int, delay: float) -> None:
        self.delay = delay
        self.relayed = 0
        self._source = source.inside(lambda: _group_socket(source.address, port))
        self._source.settimeout(0.1)
        self._target = target.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._target.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(target.address))
        self._to = ("228.0.0.4", port)
        self._from = source.address
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="multicast-relay")
        self._thread.start()

    def _run(self) -> None:
        waiting: list[tuple[float, bytes]] = []
        while not self._stopping.is_set():
            try:
                data, sender = self._source.recvfrom(65535)
                if sender[0] == self._from:
                    waiting.append((time.monotonic() + self.delay, data))
            except TimeoutError:
                pass  # only a chance to send what is due
            while waiting and waiting[0][0] <= time.monotonic():
                self._target.sendto(waiting.pop(0)[1], self._to)
                self.relayed += 1

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._source.close()
        self._target.close()


def _group_socket(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.setsockopt(
        socket.IPPROTO_IP,
        socket.IP_ADD_MEMBERSHIP,
        struct.pack("4s4s", socket.inet_aton("228.0.0.4"), socket.inet_aton(address)),
    )
    return sock
