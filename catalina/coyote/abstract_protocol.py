"""The common part of the protocols of a Connector (Tomcat: coyote/AbstractProtocol.java)."""

from __future__ import annotations

from typing import Any

from catalina.attributes import Attribute
from catalina.coyote.socket_attributes import SocketAttributes
from catalina.operations import Long, operation, readable

__all__ = ["AbstractProtocol"]

_THREADS = "Python threads have no priority"


class AbstractProtocol(SocketAttributes):
    """The protocol half of a ``<Connector>``: its attributes and its name.

    A protocol has no socket; :class:`catalina.connector.endpoint.Endpoint` reads these values.
    """

    #: The first half of the name in logs and MBeans: ``http-nio-8080``.
    name_prefix = "nio"
    #: The Java class, whose name the log lines of start and stop carry.
    logger_name = "org.apache.coyote.AbstractProtocol"
    #: The Connector, for its bean; the Connector sets it.
    connector: Any = None

    accept_count = Attribute(
        int, 100, aliases=("backlog",), doc="Connections that the kernel queues while maxConnections is reached."
    )
    acceptor_thread_priority = Attribute(int, 5, inert=_THREADS)
    address = Attribute(str, None, doc="Address to listen on; without one all addresses.")
    bind_on_init = Attribute(
        bool,
        True,
        doc="Bind at init, before applications start. False binds when they are ready, and lets go at a stop.",
    )
    client_cert_provider = Attribute(
        str, None, doc="A security provider for client certificates.", inert="Python's ssl has no security providers"
    )
    connection_linger = Attribute(
        int, -1, unit="seconds", aliases=("soLinger",), doc="SO_LINGER of the sockets; negative switches it off."
    )
    connection_timeout = Attribute(
        int,
        60_000,
        unit="ms",
        aliases=("soTimeout",),
        doc="How long a request's head, and each portion of its body, may take. Lower frees slow clients' connections "
        "sooner; -1 waits for ever.",
    )
    executor = Attribute(str, None, doc="Name of an <Executor> whose maxThreads counts for this connector.")
    executor_termination_timeout_millis = Attribute(
        int, 5000, unit="ms", doc="How long a stop waits for requests that are still running."
    )
    listen_on_init = Attribute(
        bool,
        False,
        doc="Beyond Tomcat: true listens as soon as the socket is bound, as Tomcat does, and clients wait while "
        "applications start and fetch their sessions. False refuses them until then: a balancer takes another node.",
    )
    keep_alive_timeout = Attribute(
        int, None, unit="ms", doc="How long an idle connection is kept; connectionTimeout when not set; -1 for ever."
    )
    max_connections = Attribute(
        int, 8192, doc="Connections at the same time; further ones wait in the backlog of acceptCount. -1: no limit."
    )
    max_header_count = Attribute(int, 100, doc="Header fields per request; at most 256 whatever is set; more are 400.")
    max_threads = Attribute(
        int, 200, doc="Requests that may run at the same time; the others wait. Each costs a thread."
    )
    min_spare_threads = Attribute(int, 10, doc="Idle threads that are kept. Threads are made when they are needed.")
    max_queue_size = Attribute(
        int, 2_147_483_647, doc="Requests that may wait for a thread; the connection of one more is closed."
    )
    min_download_rate = Attribute(
        int,
        100,
        unit="bytes per second",
        doc="A client that takes a response slower than this is cut off, once it has been waited for for as long as "
        "connectionTimeout. 0 or less: no limit. Beyond Tomcat.",
    )
    min_upload_rate = Attribute(
        int,
        100,
        unit="bytes per second",
        doc="A request's body that comes slower than this is 408, once it has been waited for for as long as the time "
        "of one portion. 0 or less: no limit. Beyond Tomcat.",
    )
    poller_thread_priority = Attribute(int, 5, inert=_THREADS)
    processor_cache = Attribute(int, 200, inert="processors are not pooled")
    selector_timeout = Attribute(int, 1000, unit="ms", inert="the loop sleeps until something happens")
    tcp_no_delay = Attribute(bool, True, doc="TCP_NODELAY: small answers leave at once.")
    thread_priority = Attribute(int, 5, inert=_THREADS)
    threads_max_idle_time = Attribute(int, 60_000, unit="ms", doc="After this an idle surplus thread ends.")
    use_virtual_threads = Attribute(bool, False, inert="Python has one kind of thread")
    use_async_io = Attribute(bool, True, xml="useAsyncIO", inert="input and output never block a thread here")
    use_inherited_channel = Attribute(bool, False, doc="Take the listening socket from systemd (LISTEN_FDS).")
    unix_domain_socket_path = Attribute(str, None, doc="Listen on this Unix socket instead of a port.")
    unix_domain_socket_path_permissions = Attribute(
        str, None, doc="Permissions of the Unix socket, as rw-rw-rw- ; without them those of the umask."
    )
    unix_domain_socket_parent_owner = Attribute(str, None, doc="Owner that the Unix socket's directory must have.")
    unix_domain_socket_parent_permissions = Attribute(
        str, None, doc="Permissions that the Unix socket's directory must have, as rwx------."
    )

    @property
    def effective_connection_timeout_ms(self) -> int:
        """connectionTimeout, or socket.soTimeout where that is set."""
        return self.connection_timeout if self.socket_so_timeout is None else self.socket_so_timeout

    @property
    def effective_keep_alive_timeout_ms(self) -> int:
        """keepAliveTimeout, or connectionTimeout where it is not set."""
        return self.effective_connection_timeout_ms if self.keep_alive_timeout is None else self.keep_alive_timeout

    # -- for its bean

    @property
    @readable("name", doc="Protocol, address and port, in quotation marks.")
    def quoted_name(self) -> str | None:
        return None if self.connector is None else f'"{self.connector.name}"'

    @property
    @readable("port", doc="As configured.")
    def configured_port(self) -> int:
        return -1 if self.connector is None else int(self.connector.port)

    @property
    @readable("localPort", doc="That it listens on, -1 when it does not.")
    def bound_port(self) -> int:
        return -1 if self.connector is None else int(self.connector.local_port)

    @property
    @readable("portWithOffset", doc="With the Server's portOffset.")
    def offset_port(self) -> int:
        return -1 if self.connector is None else int(self.connector.port_with_offset)

    @property
    @readable("connectionCount", doc="Connections that are open.")
    def open_connections(self) -> Long:
        connector = self.connector
        return len(connector.endpoint.connections) if connector is not None and connector.state.available else 0

    @property
    @readable("paused", doc="True while it accepts no connections.")
    def is_paused(self) -> bool:
        connector = self.connector
        return bool(connector is not None and connector.state.available and connector.endpoint.paused)

    @operation(lasting="pause")
    def pause(self) -> None:
        """Accept no more connections; requests in flight continue."""
        if self.connector is not None:
            self.connector.pause()

    @operation(lasting="pause")
    def resume(self) -> None:
        """Accept connections again."""
        if self.connector is not None:
            self.connector.resume()

    @operation
    def reload_ssl_host_configs(self) -> None:
        """Read keys and certificates anew; connections that are open stay."""
        if self.connector is not None:
            self.connector.reload_ssl_host_configs()
