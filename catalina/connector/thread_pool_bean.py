"""``type=ThreadPool``: connections and threads of a connector (Tomcat: the bean of util/net/NioEndpoint.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.operations import Long, operation, readable

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.connector.endpoint import Endpoint

__all__ = ["ThreadPoolBean"]


class ThreadPoolBean(Component):
    """The connections of a connector, and the threads that run its requests."""

    bean_class = "org.apache.tomcat.util.net.NioEndpoint"

    def __init__(self, connector: Connector) -> None:
        super().__init__()
        self._connector = connector
        self._handler = connector.protocol_handler

    def __str__(self) -> str:
        return self._connector.name

    @property
    def _endpoint(self) -> Endpoint | None:
        return self._connector.endpoint if self._connector.state.available else None

    @property
    @readable("name", doc="Protocol, address and port.")
    def label(self) -> str:
        return self._connector.name

    @property
    def connection_count(self) -> Long:
        """Connections that are open."""
        return len(self._endpoint.connections) if self._endpoint is not None else 0

    @property
    def keep_alive_count(self) -> int:
        """Connections on which no request runs."""
        endpoint = self._endpoint
        return max(0, len(endpoint.connections) - endpoint.running) if endpoint is not None else 0

    @property
    def current_threads_busy(self) -> int:
        """Requests that run outside the loop, each in a thread."""
        return self._endpoint.executor.busy if self._endpoint is not None else 0

    @property
    def current_thread_count(self) -> int:
        """Threads of the loop, which all connectors share."""
        return self._connector.reactor.thread_count if self._endpoint is not None else 0

    @property
    def queue_size(self) -> int:
        """Requests that wait for a thread."""
        return self._endpoint.executor.waiting if self._endpoint is not None else 0

    @property
    def max_threads(self) -> int:
        """Requests that may run at the same time."""
        return self._connector.thread_limit

    @property
    def min_spare_threads(self) -> int:
        """Threads that are kept."""
        return self._handler.min_spare_threads

    @property
    def max_connections(self) -> int:
        """Connections that may be open; more wait in the kernel."""
        return self._handler.max_connections

    @property
    def accept_count(self) -> int:
        """Connections that may wait in the kernel."""
        return self._handler.accept_count

    @property
    def connection_timeout(self) -> int:
        """The time that a client may be silent, in ms."""
        return self._handler.connection_timeout

    @property
    def keep_alive_timeout(self) -> int:
        """The time that a connection may wait for its next request, in ms."""
        timeout = self._handler.keep_alive_timeout
        return self._handler.connection_timeout if timeout is None else timeout

    @property
    @readable("sSLEnabled", doc="True when it speaks TLS.")
    def ssl_enabled(self) -> bool:
        return self._connector.is_tls

    @property
    def port(self) -> int:
        """The configured port."""
        return self._connector.port

    @property
    def port_with_offset(self) -> int:
        """The port with the Server's portOffset."""
        return self._connector.port_with_offset

    @property
    def local_port(self) -> int:
        """The port that it listens on, -1 when it does not."""
        return self._connector.local_port

    @property
    def paused(self) -> bool:
        """True while it accepts no connections."""
        return self._endpoint is not None and self._endpoint.paused

    @property
    def running(self) -> bool:
        """True while it serves."""
        return self._connector.state.available

    @operation(lasting="pause")
    def pause(self) -> None:
        """Accept no more connections; requests in flight continue."""
        self._connector.pause()

    @operation(lasting="pause")
    def resume(self) -> None:
        """Accept connections again."""
        self._connector.resume()

    @operation
    def reload_ssl_host_configs(self) -> None:
        """Read keys and certificates anew; connections that are open stay."""
        self._connector.reload_ssl_host_configs()
