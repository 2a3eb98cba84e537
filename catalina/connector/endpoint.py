"""The listening sockets and the connections of one connector (Tomcat: util/net/NioEndpoint.java)."""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.connector.connection import LAST_REQUEST_SECONDS, Adapter, Connection, ConnectionFactory
from catalina.connector.listening import bind_socket
from catalina.connector.request_executor import RequestExecutor
from catalina.errors import LifecycleError
from catalina.reactor import READ, Reactor, Timer
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from catalina.connector.carried import Role, Service
    from catalina.connector.handover import Handover, Taker
    from catalina.connector.request import Request
    from catalina.coyote.abstract_protocol import AbstractProtocol

__all__ = ["Endpoint"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: Connections accepted per call of the loop, so that a storm of them does not starve the others.
ACCEPTS_PER_ROUND = 64
#: Seconds for which a connection is left to a process of the node that has fewer; then it is taken all the same.
LEFT_SECONDS = 0.002
#: Seconds between two looks for connections whose time is over; Tomcat's own precision.
SWEEP_SECONDS = 1.0
#: Seconds between two looks for running requests, while a stop waits for them.
DRAIN_SECONDS = 0.01
#: Seconds that the loop gets for a stop's tasks.
LOOP_SECONDS = 5.0
#: Seconds without accepting when the process has no descriptor left.
NO_DESCRIPTOR_SECONDS = 0.1


class EndpointConnector(Protocol):
    """The connector, as far as it says what to listen on."""

    @property
    def protocol_handler(self) -> AbstractProtocol: ...

    @property
    def listening_port(self) -> int: ...

    @property
    def has_own_port(self) -> bool: ...

    @property
    def service(self) -> Service | None: ...

    @property
    def reactor(self) -> Reactor: ...

    @property
    def others_accept(self) -> bool: ...

    @property
    def process_is_restarted(self) -> bool: ...

    @property
    def role(self) -> Role | None: ...


class Endpoint:
    """Binds, accepts up to maxConnections, watches deadlines, drains.

    Args:
        connector: has the attributes.
    """

    def __init__(self, connector: EndpointConnector) -> None:
        self.connector = connector
        self.handler = connector.protocol_handler
        self.adapter: Adapter
        self.executor: RequestExecutor
        self.connections: set[Connection] = set()
        self.sockets: list[socket.socket] = []
        self.paused = False
        #: True when each connection ends with its next answer, because the connector is or will soon be paused.
        self.ending = False
        #: Lines that clients of this connector may cause to be logged.
        self.messages = RepeatedMessages(log)
        #: Takes the connections that are idle while the connector pauses; None when they end.
        self.taker: Taker | None = None
        #: The role of this process in a node of several processes.
        self._role: Role | None = None
        self._was_left = False
        self._inherited = False
        self._accepting = False
        self._started = False
        self._sweeper: Timer | None = None
        self._factory: ConnectionFactory

    def __str__(self) -> str:
        return str(self.connector)

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

    def running_requests(self) -> list[Request]:
        """The requests that run now, the oldest first."""
        found = [request for connection in tuple(self.connections) for request in connection.running_requests()]
        return sorted(found, key=lambda request: request.start_time_ns)

    @property
    def running(self) -> int:
        """The number of requests that are processed or held, or whose answers are on the way."""
        return sum(connection.is_running for connection in tuple(self.connections))

    # Binding

    def bind(self) -> None:
        """Bind, so that a taken port shows before anything runs.

        Raises:
            OSError: the address or port cannot be bound.
            ValueError: there is no such port, or permissions or owner of the Unix socket's directory are not as
                configured.
        """
        self.sockets = [self._bind(self.connector.listening_port)]

    def _bind(self, port: int) -> socket.socket:
        if not (0 <= port <= 65535 or self.handler.unix_domain_socket_path or self.handler.use_inherited_channel):
            raise ValueError(f"port out of range:{port}")
        return bind_socket(self.handler, port)

    def try_ports(self, ports: Iterable[int]) -> None:
        """Find out if the ports that the workers of this node will bind are free.

        A process that holds a port for its worker would let clients wait for one that is dead; so they are refused, and
        a balancer goes to another worker.

        Raises:
            OSError, ValueError: as :meth:`bind` does.
        """
        for sock in [self._bind(port) for port in ports]:
            sock.close()

    def listen(self) -> None:
        """Listen, even after :meth:`stop_listening` in this process or in an earlier child of the same parent.

        Listening is a state of the socket, which the parent keeps, so clients wait while a killed child is replaced.

        Raises:
            OSError: another process has begun to listen there after :meth:`bind`.
        """
        for sock in self.sockets:
            if not _listens(sock):
                try:
                    _bind_again(sock)
                    sock.listen(self.handler.accept_count)
                except OSError as exc:
                    raise OSError(exc.errno, f"{exc.strerror}: {sock.getsockname()}") from exc

    def inherit(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on sockets that the parent process has bound."""
        self.sockets = list(sockets)
        self._inherited = True

    # Running

    def start(self, adapter: Adapter, factory: ConnectionFactory) -> None:
        """Accept connections.

        Args:
            adapter: runs their requests.
            factory: makes the connections.

        Raises:
            OSError, ValueError: bindOnInit is false and :meth:`bind` fails.
        """
        self.adapter = adapter
        self.executor = self._find_executor()
        self._factory = factory
        self._role = self.connector.role
        if not self.sockets and (self._role is None or self._role.listens):
            self.bind()
        self.listen()
        self.paused = False
        self._started = True
        self._accept_on()

    def stop_listening(self) -> None:
        """Take the connections that the kernel has accepted, then let it refuse new ones, because a refused client can
        go elsewhere at once.

        Other processes have the socket, too, so closing it would leave clients in a queue that nobody empties. A Unix
        socket, and one of systemd, stays open, because it could not be opened again.
        """
        if not self.sockets:
            return
        self.ending = True
        if not self._started:
            self._shut()
            return
        self._in_loop(self._accept_rest, "accept the last connections")

    def _accept_rest(self) -> None:
        for sock in () if self.connector.others_accept else self.sockets:
            for _ in range(self.handler.accept_count + ACCEPTS_PER_ROUND):
                if not (self._has_room() and self._accept_one(sock)):
                    break
        self._accept_off()
        self._shut()

    def _shut(self) -> None:
        for sock in self.sockets:
            stays = self.connector.others_accept
            stays |= sock.family == socket.AF_UNIX or self.handler.use_inherited_channel or self._inherited
            # A second shutdown would mark the socket for good, and every later connection would end at once.
            if not stays and _listens(sock):
                sock.shutdown(socket.SHUT_RDWR)

    def await_accepted(self) -> None:
        """Wait a moment for the requests of connections that have been accepted; after :meth:`pause`.

        The engine stops next, and a request that comes to it later finds no application. So the loop looks, which sees
        no connection between a request that it has read and the call that runs it, and which has first dealt with all
        that came before :meth:`pause`.
        """
        if not self._started:
            return
        deadline = time.monotonic() + LAST_REQUEST_SECONDS
        busy: list[bool] = [True]

        def look() -> None:
            busy[0] = any(connection.is_unread or connection.is_running for connection in self.connections)

        with self.reactor.blocking():
            while busy[0] and self._in_loop(look, "look for requests") and time.monotonic() < deadline:
                time.sleep(DRAIN_SECONDS)

    def pause(self) -> None:
        """Accept no more connections; close idle ones now, the others after their running request."""
        self.paused = self.ending = True
        self._accept_off()
        self.reactor.call_soon(self._close_idle)

    def resume(self) -> None:
        """Undo :meth:`pause`."""
        self.paused = self.ending = False
        self._accept_on()

    def await_drained(self, seconds: float) -> bool:
        """Wait until no request runs, for at most that long; returns True if none runs."""
        deadline = time.monotonic() + seconds
        with self.reactor.blocking():
            while self.running:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(DRAIN_SECONDS)
        return True

    def stop(self) -> None:
        """Close every connection; running requests first get executorTerminationTimeoutMillis."""
        self.stop_listening()
        if not self.paused:
            self.pause()
        self.await_accepted()
        if not self.await_drained(self.handler.executor_termination_timeout_millis / 1000):
            log.warning("%s: [%d] requests are still running", self.connector, self.running)
        self._in_loop(self._close_all, "close the connections")
        if not self.handler.bind_on_init:
            self.close()

    def close(self) -> None:
        """Close the listening sockets."""
        self._accept_off()
        for sock in self.sockets:
            sock.close()
        self.sockets = []
        path = self.handler.unix_domain_socket_path if self._role is None or self._role.listens else ""
        if path and not self._inherited and not self.connector.process_is_restarted and os.path.exists(path):
            os.unlink(path)

    def adopt(self, handover: Handover) -> None:
        """Continue a connection that another process has begun. Any thread; the connection starts in the loop's.

        It counts towards maxConnections but is never refused, because the other process has accepted it.

        Raises:
            LifecycleError: no connections are served now; the caller keeps it.
            ValueError: connections of this connector cannot be taken up in the middle (TLS, AJP); the caller keeps it.
        """
        if not self._started:
            raise LifecycleError(f"{self.connector} does not run: expected to go on with a connection")
        resume = self._factory.resume
        if resume is None:
            raise ValueError(f"{self.connector}: expected a plain HTTP/1.1 connector to go on with a connection")
        self.serve(handover.sock, lambda: resume(self, handover))

    def serve(self, sock: socket.socket, make: Callable[[], Connection]) -> None:
        """Begin a connection that was accepted elsewhere. Any thread; the connection starts in the loop's.

        Raises:
            LifecycleError: no connections are served now; the caller keeps it.
        """
        if not self._started:
            raise LifecycleError(f"{self.connector} does not run: expected to serve a connection")
        self.reactor.call_soon(lambda: self._add(sock, make))

    def forget(self, connection: Connection) -> None:
        """A connection was closed, so there may be room for another. Any thread."""
        self.connections.discard(connection)
        if self._role is not None:
            self._role.note_connections()
        if not self._accepting and not self.paused:
            self.reactor.call_soon(self._accept_again)

    # Inside

    def _in_loop(self, task: Callable[[], None], purpose: str) -> bool:
        """Have the loop do something, and wait until it has; returns False when it takes too long."""
        done = threading.Event()
        self.reactor.call_soon(task)
        self.reactor.call_soon(done.set)
        with self.reactor.blocking():
            if done.wait(LOOP_SECONDS):
                return True
        log.warning("%s: the loop did not %s within [%g] seconds", self.connector, purpose, LOOP_SECONDS)
        return False

    def _find_executor(self) -> RequestExecutor:
        name = self.handler.executor
        service = self.connector.service
        shared = service.find_executor(name) if name and service is not None else None
        if shared is None:
            if name:
                log.warning("No executor found with name [%s]; %s uses a thread pool of its own", name, self.connector)
            handler = self.handler
            self.reactor.keep_threads(handler.min_spare_threads, handler.threads_max_idle_time / 1000)
            return RequestExecutor(self.reactor, handler.max_threads, handler.max_queue_size)
        if shared.request_executor is None:
            self.reactor.keep_threads(shared.min_spare_threads, shared.max_idle_time / 1000)
            shared.request_executor = RequestExecutor(
                self.reactor, shared.max_threads, shared.max_queue_size, shared.name_prefix
            )
        return shared.request_executor

    def _has_room(self) -> bool:
        limit = self.handler.max_connections
        return limit < 0 or len(self.connections) < limit

    def _accept_on(self) -> None:
        if self._accepting or not self._started or (self._role is not None and not self._role.listens):
            return
        self._accepting = True
        for sock in self.sockets:
            sock.setblocking(False)
            self.reactor.register(sock, READ, lambda _, sock=sock: self._accept(sock))  # type: ignore[misc]
        if self.paused:  # another thread has paused it meanwhile, perhaps before there was anything to unregister
            self._accept_off()

    def _accept_again(self) -> None:
        if not self.paused and self._has_room():
            self._accept_on()

    def _accept_off(self) -> None:
        if not (self._accepting or self._started):
            return
        # Whatever _accepting says: another thread may be between that and the registration.
        self._accepting = False
        for sock in self.sockets:
            self.reactor.unregister(sock)

    def _accept(self, listening: socket.socket) -> None:
        role = self._role
        is_shared = role is not None and not self.connector.has_own_port
        if role is not None and is_shared and not self._was_left and not role.may_accept():
            self._was_left = True
            self._accept_off()
            self.reactor.call_later(LEFT_SECONDS, self._accept_again)
            return
        self._was_left = False
        for _ in range(ACCEPTS_PER_ROUND if role is None else 1):
            if not self._has_room():
                self._accept_off()
                return
            if not self._accept_one(listening):
                return

    def _accept_one(self, listening: socket.socket) -> bool:
        """Accept a connection; returns False when there is none, or it cannot be accepted."""
        try:
            sock, peer = listening.accept()
        except BlockingIOError:
            return False
        except OSError as exc:
            self._cannot_accept(exc)
            return False
        address = peer[0:2] if isinstance(peer, tuple) else ("", 0)  # Unix sockets have no peer address
        self._add(sock, lambda: self._factory.connect(self, sock, address))
        return True

    def _cannot_accept(self, exc: OSError) -> None:
        """The process is out of descriptors or memory: try again a little later instead of spinning."""
        if exc.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            log.debug("Socket accept failed: %s", exc)
            return
        self.messages.log(logging.ERROR, "failures to accept a socket", "Socket accept failed: %s", exc)
        self._accept_off()
        self.reactor.call_later(NO_DESCRIPTOR_SECONDS, self._accept_again)

    def _add(self, sock: socket.socket, make: Callable[[], Connection]) -> None:
        """Begin a connection for the socket, unless the client has already gone."""
        if not self._started:
            log.debug("%s: a connection came after the end", self.connector)
            sock.close()
            return
        try:
            sock.setblocking(False)
            self._set_options(sock)
            connection = make()
        except (OSError, ssl.SSLError) as exc:  # the client has already gone
            log.debug("An accepted connection failed: %s", exc)
            sock.close()
            return
        self.connections.add(connection)
        if self._role is not None:
            self._role.note_connections()
        try:
            connection.start()
        except BaseException:  # noqa: BLE001 - our own fault, which log_fault logs: it costs this connection only
            self.log_fault(connection)
            connection.close()
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
        """Close connections that were silent for too long. No timer runs while there are no connections."""
        now = time.monotonic()
        self._flush_messages()
        for connection in tuple(self.connections):
            if connection.stream.deadline < now:
                connection.time_out()
        self._sweeper = self.reactor.call_later(SWEEP_SECONDS, self._sweep) if self.connections else None

    def _flush_messages(self) -> None:
        self.messages.flush()
        self._factory.flush_messages()

    def log_fault(self, connection: object) -> None:
        """Log the current exception as a fault of ours, or of foreign code, that affects only ``connection``."""
        self.messages.log(
            logging.ERROR, "errors in the processing of connections", "Error processing %r", connection, exc_info=True
        )

    def _close_idle(self) -> None:
        for connection in tuple(self.connections):
            connection.close_when_idle()

    def _close_all(self) -> None:
        self._started = False
        for connection in tuple(self.connections):
            connection.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None


def _bind_again(sock: socket.socket) -> None:
    """Bind anew: a port that the kernel chose is given back when the socket is shut down."""
    if sock.family == socket.AF_UNIX:
        return
    try:
        sock.bind(sock.getsockname())
    except OSError as exc:
        if exc.errno != errno.EINVAL:  # it is still bound
            raise


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
