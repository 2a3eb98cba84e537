"""Tells httpd's mod_proxy_balancer with lbmethod=heartbeat how busy this node is (Tomcat:
ha/backend/HeartbeatListener.java).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused, comma_list
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.errors import CatalinaError
from catalina.ha.backend.collected_info import CollectedInfo
from catalina.ha.backend.senders import MultiCastSender, Sender, TcpSender
from catalina.lifecycle import LifecycleEvent

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_server import StandardServer

__all__ = ["HeartbeatListener"]

log = logging.getLogger("org.apache.catalina.ha.backend.HeartbeatListener")


def _proxies(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in comma_list(text):
        host, colon, port = item.rpartition(":")
        if not colon or not port.isdigit():
            raise AttributeRefused("host:port, separated by commas")
        found.append((host, int(port)))
    return tuple(found)


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
        """The load of the connector that Port and Host choose; None while no such connector listens."""
        for service in server.services:
            for connector in service.connectors:
                if connector.local_port > 0 and self._is_chosen(connector):
                    executor = connector.endpoint.executor
                    return CollectedInfo(
                        max(0, executor.max_threads - executor.busy), executor.busy, connector.local_port
                    )
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
