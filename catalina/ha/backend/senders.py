"""Sends a heartbeat as a multicast datagram, or as a POST to each proxy (Tomcat: MultiCastSender.java,
TcpSender.java).
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Sequence
from typing import Protocol

from catalina.errors import CatalinaError

__all__ = ["MultiCastSender", "Sender", "TcpSender"]

#: Seconds that a proxy may take to answer; heartbeats come every few seconds.
TIMEOUT = 5.0


class Sender(Protocol):
    """Sends one message, or raises OSError or CatalinaError."""

    def send(self, message: str) -> None: ...


class MultiCastSender:
    """Sends one datagram to httpd's multicast group.

    Args:
        group: address of the group.
        port: port of the group.
        ttl: the number of routers that the datagram may pass.
        interface: the local address that it leaves from, None for the system's choice.
    """

    def __init__(self, group: str, port: int, ttl: int, interface: str | None = None) -> None:
        self.group = group
        self.port = port
        self.ttl = ttl
        self.interface = interface

    def send(self, message: str) -> None:
        """Send a message. Raises OSError."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self.ttl)
            if self.interface:
                datagrams.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self.interface))
            datagrams.sendto(message.encode("ascii"), (self.group, self.port))


class TcpSender:
    """Sends a POST to each proxy.

    Args:
        proxies: host and port of each.
        url: path of the handler at the proxies.
    """

    def __init__(self, proxies: Sequence[tuple[str, int]], url: str) -> None:
        self.proxies = proxies
        self.url = url

    def send(self, message: str) -> None:
        """Send to all proxies. Raises CatalinaError that names each proxy that did not accept the message."""
        failed = [f"{host}:{port}: {why}" for host, port in self.proxies if (why := self._post(host, port, message))]
        if failed:
            raise CatalinaError("; ".join(failed))

    def _post(self, host: str, port: int, message: str) -> str:
        """POST to one proxy; returns the reason of a failure, empty for none."""
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            connection.request("POST", self.url, message, {"User-Agent": "HeartbeatListener/1.0"})
            status = connection.getresponse().status
            return "" if status == http.client.OK else f"response error with code [{status}]"
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
