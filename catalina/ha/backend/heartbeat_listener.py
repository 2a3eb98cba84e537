"""Tells httpd's mod_proxy_balancer with lbmethod=heartbeat how busy this node is (Tomcat:
ha/backend/HeartbeatListener.java).

A heartbeat is the load of a connector in the format of mod_heartmonitor (Tomcat: CollectedInfo.java), sent as a
multicast datagram, or as a POST to each proxy (Tomcat: MultiCastSender.java, TcpSender.java).
"""

from __future__ import annotations

import http.client
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from catalina.attributes import Attribute, AttributeRefused, comma_list
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.errors import CatalinaError
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.object_name import ObjectName, quote

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_service import StandardService

__all__ = ["CollectedInfo", "HeartbeatListener", "MultiCastSender", "Sender", "TcpSender"]

log = logging.getLogger("org.apache.catalina.ha.backend.HeartbeatListener")
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


class CollectedInfo(NamedTuple):
    """The number of further requests that the connector could take, of running requests, and the balancer's port."""

    ready: int
    busy: int
    port: int

    def message(self) -> str:
        """The text of the heartbeat."""
        return f"v=1&ready={self.ready}&busy={self.busy}&port={self.port}"


def _proxies(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in comma_list(text):
        host, colon, port = item.rpartition(":")
        if not colon or not port.isdigit():
            raise AttributeRefused("host:port, separated by commas")
        found.append((host, int(port)))
    return tuple(found)


def _load_of(connector: Connector) -> tuple[int, int]:
    """The threads that its requests may have, and those that they have."""
    executor = connector.endpoint.executor
    return executor.max_threads, executor.busy


def _load_of_node(server: StandardServer, service: StandardService, connector: Connector) -> tuple[int, int]:
    """The same of all workers together."""
    domain = service.engine.name if service.engine is not None else "Catalina"
    pool = server.mbeans.find(ObjectName(domain, {"type": "ThreadPool", "name": quote(connector.name)}))
    return int(pool.get("maxThreads")), int(pool.get("currentThreadsBusy"))


class HeartbeatListener(LifecycleListener):
    """Sends on each ``periodic`` event of the server; logs an error when it begins and when it ends."""

    port = Attribute(int, 0, xml="Port", aliases=("port",), doc="Port that is reported; 0: the first connector's.")
    host = Attribute(str, None, xml="Host", aliases=("host",), doc="Address of the connector that is reported.")
    proxy_url = Attribute(
        str, "/HeartbeatListener", xml="proxyURL", aliases=("proxyURLString",), doc="Path for ProxyList."
    )
    proxy_list = Attribute(
        _proxies,
        _proxies(""),
        xml="ProxyList",
        aliases=("proxyList",),
        doc="host:port of each httpd, instead of multicast.",
    )
    group = Attribute(
        str, "224.0.1.105", xml="Group", aliases=("group",), doc="Multicast group; httpd's HeartbeatListen."
    )
    multiport = Attribute(int, 23364, xml="Multiport", aliases=("multiport",), doc="Port of the multicast group.")
    ttl = Attribute(int, 16, xml="Ttl", aliases=("ttl",), doc="Routers that a multicast datagram may pass.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._sender: Sender | None = None
        self._failing = False

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Send on ``periodic``."""
        if event.type != "periodic":
            return
        info = self.collect(event.source)  # type: ignore[arg-type]  # it listens to a server
        if info is not None:
            self._send(info)

    def collect(self, server: StandardServer) -> CollectedInfo | None:
        """The load of the connector that Port and Host choose; None while no such connector listens, and in a worker:
        the keeper tells the sum.
        """
        role = server.role
        if role is not None and role.serves:
            return None
        for service in server.services:
            for connector in service.connectors:
                if connector.local_port > 0 and self._is_chosen(connector):
                    most, busy = _load_of(connector) if role is None else _load_of_node(server, service, connector)
                    return CollectedInfo(max(0, most - busy), busy, connector.local_port)
        return None

    def _is_chosen(self, connector: Connector) -> bool:
        if self.port > 0 and connector.local_port != self.port:
            return False
        return self.host is None or connector.protocol_handler.address == self.host

    def _send(self, info: CollectedInfo) -> None:
        if self._sender is None:
            self._sender = self._make_sender()
        try:
            self._sender.send(info.message())
        except (OSError, CatalinaError) as error:
            if not self._failing:
                log.warning("Unable to send collected load information: %s", error)
            self._failing = True
        else:
            if self._failing:
                log.info("Collected load information is sent again")
            self._failing = False

    def _make_sender(self) -> Sender:
        if self.proxy_list:
            return TcpSender(self.proxy_list, self.proxy_url)
        return MultiCastSender(self.group, self.multiport, self.ttl, self.host)
