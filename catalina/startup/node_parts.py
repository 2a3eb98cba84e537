"""The processes of a node, and what each does around the start and stop of its components.

A node in one process is :class:`WholeNode`. One with several workers is a :class:`Keeper` and a :class:`WorkerPart` for
each worker.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from catalina.errors import CatalinaError
from catalina.jmx.jmx_remote import JmxRemote
from catalina.startup.control_socket import ControlSocket
from catalina.startup.host_config import HostConfig
from catalina.startup.node_life import NodeLife, PoolSeats, SharedCrew, Stage
from catalina.startup.pool_launch import PoolLaunches
from catalina.startup.worker_applications import WorkerApplications
from catalina.startup.worker_limits import RequestTimeout, WorkerLimits
from catalina.workers.roles import KeeperRole, WorkerRole
from catalina.workers.shared_parts import POOL_SEATS, worker_name

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.digester.xml_tree import XmlElement
    from catalina.workers.shared_parts import SharedParts, WorkerParts

__all__ = ["Keeper", "NodePart", "WholeNode", "WorkerPart"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds between two checks whether the keeper is ready, or whether the workers are gone.
LOOK_SECONDS = 0.05
#: Seconds between two looks at the limits of a worker.
LIMIT_SECONDS = 1.0
#: Seconds that the other requests of a worker have when one of them never ends.
STUCK_SECONDS = 5.0


class NodePart:
    """A process of a node.

    Attributes:
        reports: it tells ``catalina.sh start`` that the node serves.
    """

    reports = True

    def before_start(self) -> bool:
        """Wait for the processes that this one needs; False when the node ends instead."""
        return True

    def after_start(self) -> None:
        """The components run."""

    def before_stop(self) -> None:
        """The node got the command to stop."""

    def after_stop(self) -> None:
        """The components have stopped."""


class WholeNode(NodePart):
    """The node in one process."""


class Keeper(NodePart):
    """The member of the group, with all sessions and without applications."""

    reports = False

    def __init__(
        self, server: StandardServer, root: XmlElement, shared: SharedParts, life: NodeLife, workers: int
    ) -> None:
        self._life = life
        in_pools = sum(life.seat(number) > 0 for number in range(len(POOL_SEATS)))
        awaited = workers + in_pools if life.has_served else 0
        self._server = server
        self._role = KeeperRole(
            server, shared.listening, awaited, SharedCrew(life, shared.capacity), PoolSeats(life), shared.memory
        )
        server.role = self._role
        PoolLaunches(server, root, self._role)

    def before_start(self) -> bool:
        """Have the hosts that an earlier keeper had."""
        engines = (service.engine for service in self._server.services if service.engine is not None)
        self._role.elsewhere.hosts.restore(engines, lambda host: host.add_lifecycle_listener(HostConfig()))
        return True

    def after_start(self) -> None:
        """Let the workers in, when everything is as an earlier keeper had it."""
        self._role.beans.stop_again()
        self._role.links.open()
        self._role.elsewhere.opened()
        self._life.served()

    def before_stop(self) -> None:
        """End the workers first: the changes of their last requests must still arrive."""
        self._life.end()
        links = self._role.links
        links.stop_workers()
        while links.members:
            time.sleep(LOOK_SECONDS)

    def after_stop(self) -> None:
        """Close the links to the workers."""
        self._role.links.close()


class WorkerPart(NodePart):
    """One worker."""

    def __init__(self, server: StandardServer, parts: WorkerParts, life: NodeLife, index: int) -> None:
        self.reports = index == 0
        self._server = server
        self._life = life
        #: Another worker takes over in the pool.
        self._leaving = False
        self._role = WorkerRole(server, parts, index, server.stop_await)
        server.role = self._role
        self._applications = WorkerApplications(server, self._role)
        self._limits = WorkerLimits(server.properties, index)
        server.port = -1  # the keeper listens for the shutdown word
        for listener in tuple(server.lifecycle_listeners):
            if isinstance(listener, ControlSocket | JmxRemote):
                server.remove_lifecycle_listener(listener)

    def call_keeper(self, service: str, argument: object) -> object:
        """Call a service of the keeper. Raises KeeperGoneError or CallError."""
        return self._role.queries.call(service, argument)

    def before_start(self) -> bool:
        """Wait until the keeper has deployed everything."""
        self._role.open()
        while not self._role.channel.wait_ready(LOOK_SECONDS):
            if self._server.is_ending:
                return False
        self._applications.join()
        return True

    def after_start(self) -> None:
        """Take connections that other workers send, and follow the keeper's word about applications."""
        self._role.serve()
        self._applications.started()
        if not self._role.listens:
            self._watch_pool()
        if self._limits.is_set:
            self._server.utility.schedule(self._check_limits, LIMIT_SECONDS, repeat=LIMIT_SECONDS)

    def _watch_pool(self) -> None:
        """Watch the limits of a pool's one application."""
        context = self._applications.running()
        if context is not None:
            self._limits.override(context.max_memory, context.max_requests)
            if context.request_timeout > 0:
                watch = RequestTimeout(context, self._leave_stuck)
                self._server.utility.schedule(watch.look, LIMIT_SECONDS, repeat=LIMIT_SECONDS)

    def _leave_pool(self, why: str) -> None:
        """Let another worker take over; without one, come back in the same place."""
        self._leaving = True
        try:
            self._role.ask_to_be_replaced(why)
        except CatalinaError as error:
            log.error("No other worker takes over: %s", error)
            self._server.restart(f"Worker [{worker_name(self._role.index)}] is started again, as {why}", limited=False)

    def _leave_stuck(self, why: str) -> None:
        """Leave the pool, and end even if a thread never comes back; other requests have a moment for their end."""
        self._leave_pool(why)
        timer = threading.Timer(STUCK_SECONDS, self._end_at_once)
        timer.daemon = True
        timer.start()

    def _end_at_once(self) -> None:
        self._life.note(Stage.RESTARTING if self._server.restart_reason else Stage.STOPPED, 1 + self._role.index)
        logging.shutdown()
        os._exit(0)

    def _check_limits(self) -> None:
        connectors = [connector for service in self._server.services for connector in service.connectors]
        why = self._limits.exceeded(sum(connector.request_info.request_count for connector in connectors))
        if not self._role.listens:
            if why and not self._leaving and not self._server.is_ending:
                self._leave_pool(why)
        elif not why:
            self._role.stays()
        elif not self._server.is_ending and self._role.may_leave():
            self._server.restart(f"Worker [{self._role.index}] is replaced, as {why}", limited=False)

    def before_stop(self) -> None:
        """The other workers go on serving, unless the whole node ends."""
        self._role.leave(others_serve=not self._life.is_ending)

    def after_stop(self) -> None:
        """Leave the keeper: it has all changes of the requests."""
        self._role.close()
