"""The whole node: services, the shutdown port, global resources, utility threads (Tomcat: core/StandardServer.java)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element
from catalina.core.container_base import thread_count
from catalina.core.shutdown_port import ShutdownPort
from catalina.core.standard_service import StandardService
from catalina.core.strict_compliance import say_strict_compliance
from catalina.core.utility_executor import ScheduledTask, UtilityExecutor
from catalina.errors import LifecycleError
from catalina.lifecycle import LISTENER, Lifecycle, LifecycleState
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import Registry
from catalina.operations import readable
from catalina.reactor import Reactor
from catalina.util.server_info import SERVER_INFO, server_built, server_number

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.node_role import NodeRole
    from catalina.deploy.naming_resources_impl import NamingResourcesImpl

__all__ = ["StandardServer"]

log = logging.getLogger("org.apache.catalina.core.StandardServer")


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
