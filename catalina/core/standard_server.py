"""The whole node: services, the shutdown port, global resources, utility threads (Tomcat: core/StandardServer.java)."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element
from catalina.core.container_base import thread_count
from catalina.core.standard_service import StandardService
from catalina.core.strict_compliance import say_strict_compliance
from catalina.core.utility_executor import ScheduledTask, UtilityExecutor
from catalina.errors import CatalinaError, LifecycleError
from catalina.lifecycle import LISTENER, Lifecycle, LifecycleState
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import Registry
from catalina.operations import operation, readable
from catalina.reactor import Reactor
from catalina.util.server_info import SERVER_INFO, server_built, server_number

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.node_role import NodeRole
    from catalina.deploy.naming_resources_impl import NamingResourcesImpl

__all__ = ["ShutdownPort", "StandardServer"]

log = logging.getLogger("org.apache.catalina.core.StandardServer")
#: Seconds of silence after which reading a command ends (Tomcat: setSoTimeout(10 * 1000)).
READ_TIMEOUT = 10.0
#: Bytes that are read of a command that does not end.
MAX_COMMAND = 1024


def _write(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.write(descriptor, b"\0")


def _close(*descriptors: int) -> None:
    for each in descriptors:
        os.close(each)


@contextlib.contextmanager
def _woken_by_signals(descriptor: int) -> Iterator[None]:
    """Let every signal write to ``descriptor``.

    The system may give a signal to any thread. Python's handler runs in the main thread, which learns of it at its next
    step; a wait for descriptors is none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)


class ShutdownPort:
    """Listens on ``address:port + offset`` for ``command``; nothing is ever sent back.

    Args:
        port: with -1 nothing listens, and :meth:`wait` only waits for :meth:`close`.
    """

    def __init__(self, address: str, port: int, offset: int, command: str) -> None:
        self.address = address
        self.port = port
        self.offset = offset
        self._command = command
        self._closed = False
        #: The two ends of a pipe, from the first wait on, for as long as this lives: a signal may come at any time.
        self._woken = self._wake = -1

    def close(self) -> None:
        """End :meth:`wait`, now or when it is called. A signal handler may call this."""
        self._closed = True  # before it looks for the descriptor: wait() looks in the other order
        if self._wake >= 0:
            _write(self._wake)

    def wait(self) -> None:
        """Return when the command has arrived, :meth:`close` was called, or the port cannot be bound (logged)."""
        if self._wake < 0:
            self._woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            weakref.finalize(self, _close, self._woken, wake)
            self._wake = wake
        with _woken_by_signals(self._wake):
            self._wait()

    def _wait(self) -> None:
        if self.port < 0:
            while not self._is_closed():
                self._ready()
            return
        listener = None if self._is_closed() else self._bind()
        if listener is None:
            return
        with listener:
            while not self._is_closed() and not self._one_command(listener):
                pass

    def _is_closed(self) -> bool:
        """True after :meth:`close`; forgets the bytes that signals have written."""
        if not self._closed:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 1024)
        return self._closed

    def _ready(self, *sockets: socket.socket, timeout: float | None = None) -> list[Any]:
        """The sockets, and the wake-up, that can be read now."""
        # poll, not select: with many clients the descriptors are beyond what select can take.
        waiting: dict[int, Any] = {sock.fileno(): sock for sock in sockets} | {self._woken: self._woken}
        poll = select.poll()
        for descriptor in waiting:
            poll.register(descriptor, select.POLLIN)
        return [waiting[descriptor] for descriptor, _ in poll.poll(None if timeout is None else timeout * 1000)]

    def _bind(self) -> socket.socket | None:
        port = self.port + self.offset
        try:
            family = socket.getaddrinfo(self.address, port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((self.address, port), family=family, backlog=1)
        except (OSError, OverflowError) as exc:
            log.error(
                "Failed to create server shutdown socket on address [%s] and port [%s] "
                "(base port [%s] and offset [%s])",
                self.address, port, self.port, self.offset, exc_info=exc,
            )  # fmt: skip
            return None

    def _one_command(self, listener: socket.socket) -> bool:
        """Serve one client; returns True when the command ends the wait."""
        if listener not in self._ready(listener):
            return False
        try:
            connection, _ = listener.accept()
            with connection:
                command = self._read_command(connection)
        except OSError as exc:
            log.warning("Reading a shutdown command failed: %s", exc)
            return False
        if command == self._command:
            log.info("A valid shutdown command was received via the shutdown port. Stopping the Server instance.")
            return True
        log.warning("Invalid shutdown command [%s] received", command)
        return False

    def _read_command(self, connection: socket.socket) -> str:
        """Read up to a control character, the end of the stream or ten seconds of silence."""
        limit = max(MAX_COMMAND, len(self._command) + 1)
        deadline = time.monotonic() + READ_TIMEOUT
        received = bytearray()
        while len(received) < limit:
            ready = self._ready(connection, timeout=max(0.0, deadline - time.monotonic()))
            if connection not in ready:
                if not ready or self._is_closed():
                    break
                continue  # a signal that is somebody else's
            byte = connection.recv(1)
            if not byte or byte[0] < 32 or byte[0] == 127:
                break
            received += byte
            deadline = time.monotonic() + READ_TIMEOUT
        return received.decode("latin-1")


def _set_naming_resources(server: StandardServer, resources: NamingResourcesImpl) -> None:
    server.global_naming_resources = resources
    resources.container = server


class StandardServer(Lifecycle):
    """The root of the tree that ``server.xml`` describes.

    ``reactor`` is the loop that connectors and the cluster's channel share; it exists before anything starts. The code
    that runs the server (the worker, or a test) starts and stops the loop.
    """

    port = Attribute(int, 8005, doc="Shutdown port; -1 switches it off. portOffset is added.")
    address = Attribute(str, "localhost", doc="Address the shutdown port binds to.")
    shutdown = Attribute(str, "SHUTDOWN", doc="The word that stops the server. Change it where others can connect.")
    port_offset = Attribute(int, 0, doc="Added to the shutdown port and to every connector's port.")
    utility_threads = Attribute(
        int, 2, doc="Threads for background work; 0 or less is processors plus that value. At least 2."
    )
    utility_threads_as_daemon = Attribute(
        bool, False, inert="the process never waits for a utility thread; an orderly stop ends them"
    )
    periodic_event_delay = Attribute(
        int, 10, unit="seconds", doc="Time between periodic events to the server's listeners; 0 or less: none."
    )

    elements = {
        "GlobalNamingResources": Element(
            add=_set_naming_resources, default="org.apache.catalina.deploy.NamingResourcesImpl"
        ),
        "Listener": LISTENER,
        "Service": Element(
            add=lambda server, service: server.add_service(service),
            default="org.apache.catalina.core.StandardService",
            role=StandardService,
        ),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.reactor = Reactor("catalina")
        #: The management beans; the code that loads the tree registers them.
        self.mbeans = Registry()
        self.services: list[StandardService] = []
        self.global_naming_resources: NamingResourcesImpl | None = None
        self.catalina_home = Path.cwd()
        self.catalina_base = self.catalina_home
        self._utility: UtilityExecutor | None = None
        self._periodic: ScheduledTask | None = None
        self._told_to_stop = False
        #: Starts another process in the place of this one when it has ended. It is told if the request counts against
        #: the limit, and returns True if it will. None: nobody would, so this process must go on.
        self.restarter: Callable[[bool], bool] | None = None
        #: The number of workers that the node begins with.
        self.workers = 1
        #: The role of this process in a node of several; None when it is the whole node.
        self.role: NodeRole | None = None
        #: The reason why this process ends and another begins; empty otherwise.
        self.restart_reason = ""

    def __str__(self) -> str:
        return f"StandardServer[{self.port}]"

    @property
    @readable("serverInfo", doc="Product and version.")
    def server_info(self) -> str:
        return SERVER_INFO

    @property
    @readable("serverNumber", doc="Version.")
    def number(self) -> str:
        return server_number()

    @property
    @readable("serverBuilt", doc="When it was installed.")
    def built(self) -> str:
        return server_built()

    @property
    @readable("serviceNames", doc="Names of the services' beans.")
    def service_names(self) -> list[ObjectName]:
        domains = [service.engine.name if service.engine is not None else "Catalina" for service in self.services]
        return [ObjectName(domain, {"type": "Service"}) for domain in domains]

    @property
    @readable("portWithOffset", doc="The shutdown port with portOffset; -1 for none.")
    def port_with_offset(self) -> int:
        return self.shutdown_port

    @property
    def utility(self) -> UtilityExecutor:
        """The threads for background work; they exist from the first use until :meth:`destroy`."""
        if self._utility is None:
            size = max(2, thread_count(self.utility_threads))
            self._utility = UtilityExecutor(size)
        return self._utility

    @property
    def shutdown_port(self) -> int:
        """The port that :meth:`await_shutdown` listens on, with the offset; -1 for none."""
        return self.port + self.port_offset if self.port > 0 else self.port

    def add_service(self, service: StandardService) -> None:
        """Add a service, and start it if the server runs."""
        service.server = self
        self.services.append(service)
        if self.state.available:
            service.start()

    def find_service(self, name: str) -> StandardService | None:
        """The service with that name, None when there is none."""
        return next((service for service in self.services if service.name == name), None)

    def await_shutdown(self) -> None:
        """Return when the shutdown command has arrived or :meth:`stop_await` was called.

        Returns at once when the shutdown port cannot be bound: the caller then stops the server, as Tomcat does.
        """
        self._waiting_room().wait()

    def stop_await(self) -> None:
        """End :meth:`await_shutdown`, even before it is called. Any thread, also a signal handler."""
        self._told_to_stop = True
        self._waiting_room().close()

    # -- draining ------------------------------------------------------------------------------------------------

    def drain_connectors(self, draining: bool) -> None:
        """Let the connectors of this process say that they end, or serve as before."""
        for connector in self._connectors:
            if draining:
                connector.drain()
            else:
                connector.undrain()

    def drain(self, draining: bool) -> None:
        """Let the node say that it ends, or serve as before: in all of its processes."""
        if self.role is not None:
            self.role.drain(draining)
        else:
            self.drain_connectors(draining)

    @operation(name="drain")
    def drain_by_command(self) -> None:
        """Answer DOWN to health checks, and end connections with their next answer."""
        self.drain(True)

    @operation(name="undrain")
    def undrain_by_command(self) -> None:
        """Serve as before."""
        self.drain(False)

    # -- workers -------------------------------------------------------------------------------------------------

    @operation
    def add_worker(self) -> int:
        """Serve with one process more, as TTIN does; the result is how many there are to be. A restart forgets it."""
        return self._change_workers(1)

    @operation
    def remove_worker(self) -> int:
        """Serve with one process less, as TTOU does; its requests end first. The result is how many there are to be."""
        return self._change_workers(-1)

    def _change_workers(self, more: int) -> int:
        if self.role is None:
            raise CatalinaError("this node is one process: workers can be added to one that has begun with at least 2")
        return self.role.change_workers(more)

    @property
    def draining(self) -> bool:
        """True while the node says that it ends."""
        if self.role is not None and not self.role.serves:
            return self.role.is_draining
        return any(connector.draining for connector in self._connectors)

    @property
    def running_requests(self) -> int:
        """The number of requests that run in this process."""
        return sum(connector.endpoint.running for connector in self._connectors if connector.state.available)

    @property
    def node_requests(self) -> int:
        """The number of requests that run in all processes of the node."""
        return self.running_requests if self.role is None else self.role.drain(None)

    @property
    def _connectors(self) -> list[Connector]:
        return [connector for service in self.services for connector in service.connectors]

    @property
    def is_ending(self) -> bool:
        """True when the server was told to stop, or is stopping: long work should then be left undone."""
        return self._told_to_stop or self.state in (LifecycleState.STOPPING_PREP, LifecycleState.STOPPING)

    def restart(self, why: str, limited: bool = True) -> bool:
        """End this process in order and start another one, for work that only a new process can do.

        Args:
            why: the reason, for the log.
            limited: refuse after a few times in a row (see ``NodeLife``).

        Returns:
            True when the process will be replaced.
        """
        if self.restart_reason:
            return True
        if self.restarter is None or not self.restarter(limited):
            log.warning("%s. This process goes on nevertheless; restart the server when the application fails", why)
            return False
        log.warning("%s: the node ends in order and is started again", why)
        self.restart_reason = why
        self.stop_await()
        return True

    def _waiting_room(self) -> ShutdownPort:
        """The same object for every thread and signal handler, whichever comes first: setdefault is atomic."""
        port: ShutdownPort | None = vars(self).get("_shutdown_port")
        if port is None:
            made = ShutdownPort(self.address, self.port, self.port_offset, self.shutdown)
            port = vars(self).setdefault("_shutdown_port", made)
        return port

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _init(self) -> None:
        if self.global_naming_resources is not None:
            self.global_naming_resources.init()
        for service in self.services:
            service.init()

    def _start(self) -> None:
        say_strict_compliance(self.properties)
        self.fire_lifecycle_event("configure_start")
        if self.global_naming_resources is not None:
            self.global_naming_resources.start()
        for service in self.services:
            service.start()
        if self.periodic_event_delay > 0:
            self._periodic = self.utility.schedule(
                lambda: self.fire_lifecycle_event("periodic"), self.periodic_event_delay, self.periodic_event_delay
            )

    def _stop(self) -> None:
        if self._periodic is not None:
            self._periodic.cancel()
            self._periodic = None
        self.fire_lifecycle_event("configure_stop")
        for part in (*self.services, self.global_naming_resources):
            try:
                if part is not None:
                    part.stop()
            except LifecycleError:
                log.exception("Failed to stop [%s]", part)
        self._waiting_room().close()
        self._told_to_stop = False

    def _destroy(self) -> None:
        for part in (*self.services, self.global_naming_resources):
            try:
                if part is not None:
                    part.destroy()
            except LifecycleError:
                log.exception("Failed to destroy [%s]", part)
        if self._utility is not None:
            self._utility.shutdown()
            self._utility = None
