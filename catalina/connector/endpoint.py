"""The listening sockets and the connections of one connector (Tomcat: util/net/NioEndpoint.java)."""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import stat
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.connector.request_executor import RequestExecutor
from catalina.reactor import READ, Reactor, Timer

if TYPE_CHECKING:
    from catalina.connector.ajp_request import AjpRequestRules
    from catalina.connector.connector import Connector
    from catalina.connector.coyote_adapter import CoyoteAdapter
    from catalina.connector.http11_rules import Http11Rules

__all__ = ["Connection", "Endpoint"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: Connections accepted per call of the loop, so that a storm of them does not starve the others.
ACCEPTS_PER_ROUND = 64
#: Seconds between two looks for connections whose time is over; Tomcat's own precision.
SWEEP_SECONDS = 1.0
#: Seconds between two looks whether requests still run, while a stop waits for them.
DRAIN_SECONDS = 0.01
#: Seconds without accepting when the process has no descriptor left.
NO_DESCRIPTOR_SECONDS = 0.1
#: First descriptor that systemd passes (sd_listen_fds(3)).
LISTEN_FDS_START = 3


class Connection(Protocol):
    """What the endpoint asks of a connection, always in the loop's thread."""

    #: Monotonic time after which the connection has been silent for too long; infinite while a request runs.
    deadline: float
    #: Whether a request is being processed, held or its answer on the way.
    running: bool

    def start(self) -> None:
        """The connection was accepted: register it."""

    def time_out(self) -> None:
        """The deadline is over."""

    def close_when_idle(self) -> None:
        """The connector pauses: close now, or when the request that runs has been answered."""

    def close(self) -> None:
        """Close now, whatever runs."""


ConnectionFactory = Callable[["Endpoint", socket.socket, "tuple[str, int]"], Connection]


class Endpoint:
    """Binds, accepts up to maxConnections, watches deadlines, drains.

    Args:
        connector: whose attributes count.
    """

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.handler = connector.protocol_handler
        self.adapter: CoyoteAdapter
        self.executor: RequestExecutor
        self.connections: set[Connection] = set()
        self.sockets: list[socket.socket] = []
        self.paused = False
        #: What the connections of a protocol share; set at start.
        self.http11_rules: Http11Rules
        self.ajp_rules: AjpRequestRules
        self._adopted = False
        self._accepting = False
        self._sweeper: Timer | None = None
        self._make_connection: ConnectionFactory

    @property
    def reactor(self) -> Reactor:
        """The loop of the server."""
        return self.connector.reactor

    @property
    def local_port(self) -> int:
        """Port of the first listening socket, -1 without one or for a Unix socket."""
        if not self.sockets or self.sockets[0].family == socket.AF_UNIX:
            return -1
        port: int = self.sockets[0].getsockname()[1]
        return port

    @property
    def running(self) -> int:
        """Requests being processed, held, or whose answers are on the way."""
        return sum(connection.running for connection in tuple(self.connections))

    # Binding

    def bind(self) -> None:
        """Bind and listen.

        Raises:
            OSError: the address or port cannot be bound.
            ValueError: permissions or owner of the Unix socket's directory are not as configured.
        """
        if self.sockets or (self.connector.port < 0 and not self.handler.unix_domain_socket_path):
            return
        try:
            if self.handler.use_inherited_channel:
                self.sockets = [self._from_systemd()]
            elif self.handler.unix_domain_socket_path:
                self.sockets = [self._bind_unix(self.handler.unix_domain_socket_path)]
            else:
                self.sockets = [self._bind_port()]
        except OSError as exc:
            where = self.handler.unix_domain_socket_path or f"{self.handler.address or '*'}:{self._port()}"
            raise OSError(exc.errno, f"{exc.strerror}: {where}") from exc

    def adopt(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on sockets that the parent process has bound."""
        self.sockets = list(sockets)
        self._adopted = True

    def _port(self) -> int:
        return self.connector.port_with_offset

    def _bind_port(self) -> socket.socket:
        address = self.handler.address or "::"
        family, kind, proto, _, where = socket.getaddrinfo(address, self._port(), type=socket.SOCK_STREAM)[0]
        try:
            return self._listen(socket.socket(family, kind, proto), where, dual_stack=self.handler.address is None)
        except OSError as exc:
            if self.handler.address is None and exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return self._listen(socket.socket(socket.AF_INET), ("0.0.0.0", self._port()))  # noqa: S104 - a kernel without IPv6
            raise

    def _listen(self, sock: socket.socket, where: object, dual_stack: bool = False) -> socket.socket:
        try:
            reuse = self.handler.socket_so_reuse_address
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if reuse is None else int(reuse))
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual_stack))
            if self.handler.socket_rx_buf_size:  # before listen: it decides about the window scale
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.handler.socket_rx_buf_size)
            sock.bind(where)  # type: ignore[arg-type]  # what getaddrinfo gave
            sock.listen(self.handler.accept_count)
        except BaseException:
            sock.close()
            raise
        return sock

    def _bind_unix(self, path: str) -> socket.socket:
        self._check_parent(os.path.dirname(os.path.abspath(path)))
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)  # of a server that is gone
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        if self.handler.unix_domain_socket_path_permissions:
            os.chmod(path, permissions(self.handler.unix_domain_socket_path_permissions))
        sock.listen(self.handler.accept_count)
        return sock

    def _check_parent(self, parent: str) -> None:
        """The directory guards the socket, so it must be as the operator says.

        Raises:
            ValueError: it is not.
        """
        status = os.stat(parent)
        wanted = self.handler.unix_domain_socket_parent_permissions
        if wanted and stat.S_IMODE(status.st_mode) != permissions(wanted):
            raise ValueError(f"{parent}: permissions are {stat.filemode(status.st_mode)[1:]}, expected {wanted}")
        owner = self.handler.unix_domain_socket_parent_owner
        if owner:
            import pwd  # only where it is asked for

            name = pwd.getpwuid(status.st_uid).pw_name
            if name != owner:
                raise ValueError(f"{parent}: the owner is {name!r}, expected {owner!r}")

    @staticmethod
    def _from_systemd() -> socket.socket:
        if int(os.environ.get("LISTEN_FDS", "0")) < 1 or os.environ.get("LISTEN_PID") not in (None, str(os.getpid())):
            raise ValueError("useInheritedChannel is set, but systemd passed no socket (LISTEN_FDS)")
        return socket.socket(fileno=LISTEN_FDS_START)

    # Running

    def start(self, adapter: CoyoteAdapter) -> None:
        """Accept connections.

        Raises:
            OSError, ValueError: bindOnInit is false and :meth:`bind` fails.
        """
        self.adapter = adapter
        self.executor = self._find_executor()
        self._make_connection = self._choose_connection()
        self.bind()
        self.paused = False
        self._accept_on()

    def pause(self) -> None:
        """Accept no more; idle connections are closed, the others after the request that runs."""
        self.paused = True
        self._accept_off()
        self.reactor.call_soon(self._close_idle)

    def resume(self) -> None:
        """Undo :meth:`pause`."""
        self.paused = False
        self._accept_on()

    def await_drained(self, seconds: float) -> bool:
        """Wait until no request runs, at most so long; whether it is so."""
        deadline = time.monotonic() + seconds
        with self.reactor.blocking():
            while self.running:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(DRAIN_SECONDS)
        return True

    def stop(self) -> None:
        """Close every connection; requests that run get executorTerminationTimeoutMillis first."""
        if not self.paused:
            self.pause()
        if not self.await_drained(self.handler.executor_termination_timeout_millis / 1000):
            log.warning("%s: [%d] requests are still running", self.connector, self.running)
        done = threading.Event()
        self.reactor.call_soon(self._close_all)
        self.reactor.call_soon(done.set)
        with self.reactor.blocking():
            if not done.wait(5):
                log.warning("%s: the loop did not close the connections", self.connector)
        if not self.handler.bind_on_init:
            self.close()

    def close(self) -> None:
        """Close the listening sockets."""
        self._accept_off()
        for sock in self.sockets:
            sock.close()
        self.sockets = []
        path = self.handler.unix_domain_socket_path
        if path and not self._adopted and os.path.exists(path):
            os.unlink(path)

    def forget(self, connection: Connection) -> None:
        """A connection was closed; there may be room for another. Any thread."""
        self.connections.discard(connection)
        if not self._accepting and not self.paused:
            self.reactor.call_soon(self._accept_again)

    # Inside

    def _find_executor(self) -> RequestExecutor:
        name = self.handler.executor
        shared = None
        if name:
            shared = self.connector.service.find_executor(name)
            if shared is None:
                log.warning("No executor found with name [%s]; %s uses a thread pool of its own", name, self.connector)
        if shared is None:
            return RequestExecutor(self.reactor, self.handler.max_threads, self.handler.max_queue_size)
        executor: RequestExecutor | None = getattr(shared, "request_executor", None)
        if executor is None:
            executor = RequestExecutor(self.reactor, shared.max_threads, shared.max_queue_size)
            shared.request_executor = executor
        return executor

    def _choose_connection(self) -> ConnectionFactory:
        """The class of connections for the protocol."""
        if self.connector.is_ajp:
            from catalina.connector.ajp_connection import AjpConnection
            from catalina.connector.ajp_request import AjpRequestRules

            self.ajp_rules = AjpRequestRules(self.connector.ajp)
            return AjpConnection
        from catalina.connector.http11_rules import Http11Rules

        self.http11_rules = Http11Rules(self.connector)
        if self.connector.is_tls:
            from catalina.connector.tls_connection import TlsConnection

            return TlsConnection
        from catalina.connector.http11_connection import Http11Connection

        return Http11Connection

    def _has_room(self) -> bool:
        limit = self.handler.max_connections
        return limit < 0 or len(self.connections) < limit

    def _accept_on(self) -> None:
        if self._accepting:
            return
        self._accepting = True
        for sock in self.sockets:
            sock.setblocking(False)
            self.reactor.register(sock, READ, lambda _, sock=sock: self._accept(sock))  # type: ignore[misc]

    def _accept_again(self) -> None:
        if not self.paused and self._has_room():
            self._accept_on()

    def _accept_off(self) -> None:
        if self._accepting:
            self._accepting = False
            for sock in self.sockets:
                self.reactor.unregister(sock)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTS_PER_ROUND):
            if not self._has_room():
                self._accept_off()
                return
            try:
                sock, peer = listening.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                self._cannot_accept(exc)
                return
            self._add(sock, peer)

    def _cannot_accept(self, exc: OSError) -> None:
        """Out of descriptors or memory: try again a little later instead of spinning."""
        if exc.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            log.debug("Socket accept failed: %s", exc)
            return
        log.error("Socket accept failed: %s", exc)
        self._accept_off()
        self.reactor.call_later(NO_DESCRIPTOR_SECONDS, self._accept_again)

    def _add(self, sock: socket.socket, peer: object) -> None:
        try:
            sock.setblocking(False)
            self._set_options(sock)
            address = peer[0:2] if isinstance(peer, tuple) else ("", 0)  # Unix sockets have no peer address
            connection = self._make_connection(self, sock, address)
        except (OSError, ssl.SSLError) as exc:  # gone already
            log.debug("An accepted connection failed: %s", exc)
            sock.close()
            return
        self.connections.add(connection)
        connection.start()
        if self._sweeper is None:
            self._sweeper = self.reactor.call_later(SWEEP_SECONDS, self._sweep)

    def _set_options(self, sock: socket.socket) -> None:
        handler = self.handler
        if sock.family != socket.AF_UNIX:
            no_delay = handler.tcp_no_delay if handler.socket_tcp_no_delay is None else handler.socket_tcp_no_delay
            if no_delay:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if handler.socket_oo_b_inline:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        if handler.socket_so_keep_alive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if handler.socket_tx_buf_size:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, handler.socket_tx_buf_size)
        linger = handler.connection_linger
        if handler.socket_so_linger_on and handler.socket_so_linger_time is not None:
            linger = handler.socket_so_linger_time
        if linger >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, linger))

    def _sweep(self) -> None:
        """Close what has been silent for too long. No timer runs while there are no connections."""
        now = time.monotonic()
        for connection in tuple(self.connections):
            if connection.deadline < now:
                connection.time_out()
        self._sweeper = self.reactor.call_later(SWEEP_SECONDS, self._sweep) if self.connections else None

    def _close_idle(self) -> None:
        for connection in tuple(self.connections):
            connection.close_when_idle()

    def _close_all(self) -> None:
        for connection in tuple(self.connections):
            connection.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None


def permissions(text: str) -> int:
    """``rwxr-x---`` -> 0o750.

    Raises:
        ValueError: it has another form.
    """
    text = text.strip()
    if len(text) != 9 or any(c not in (wanted, "-") for c, wanted in zip(text, "rwxrwxrwx", strict=True)):
        raise ValueError(f"permissions {text!r}, expected nine characters such as rw-rw----")
    return int("".join("0" if c == "-" else "1" for c in text), 2)
