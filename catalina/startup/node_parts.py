"""The processes of a node, and what each does around the start and stop of its components.

A node in one process is :class:`WholeNode`. One with several workers is a :class:`Keeper` and a :class:`WorkerPart` for
each worker.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from catalina.connector.request import ENVIRON_BASE
from catalina.jmx.jmx_remote import JmxRemote
from catalina.startup.control_socket import ControlSocket
from catalina.startup.node_life import NodeLife
from catalina.startup.worker_applications import WorkerApplications
from catalina.startup.worker_limits import WorkerLimits
from catalina.workers.roles import KeeperRole, WorkerRole

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.workers.shared_parts import SharedParts

__all__ = ["Keeper", "NodePart", "WholeNode", "WorkerPart"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds between two checks whether the keeper is ready, or whether the workers are gone.
LOOK_SECONDS = 0.05
#: Seconds between two looks at the limits of a worker.
LIMIT_SECONDS = 1.0


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

    def __init__(self, server: StandardServer, shared: SharedParts, life: NodeLife, workers: int) -> None:
        self._life = life
        awaited = workers if life.has_served else 0
        self._role = KeeperRole(server, shared.listening, awaited, lambda: life.workers)
        server.role = self._role

    def after_start(self) -> None:
        """Let the workers in."""
        self._role.links.open()
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

    def __init__(self, server: StandardServer, shared: SharedParts, life: NodeLife, index: int) -> None:
        self.reports = index == 0
        self._server = server
        self._life = life
        self._role = WorkerRole(server, shared, index, server.stop_await)
        server.role = self._role
        self._applications = WorkerApplications(server, self._role)
        self._limits = WorkerLimits(server.properties, index)
        ENVIRON_BASE["wsgi.multiprocess"] = True  # PEP 3333: other processes serve the same applications
        server.port = -1  # the keeper listens for the shutdown word
        for listener in tuple(server.lifecycle_listeners):
            if isinstance(listener, ControlSocket | JmxRemote):
                server.remove_lifecycle_listener(listener)

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
        if self._limits.is_set:
            self._server.utility.schedule(self._check_limits, LIMIT_SECONDS, repeat=LIMIT_SECONDS)

    def _check_limits(self) -> None:
        connectors = [connector for service in self._server.services for connector in service.connectors]
        why = self._limits.exceeded(sum(connector.request_info.request_count for connector in connectors))
        if not why:
            self._role.stays()
        elif not self._server.is_ending and self._role.may_leave():
            self._server.restart(f"Worker [{self._role.index}] is replaced, as {why}", limited=False)

    def before_stop(self) -> None:
        """The other workers go on serving, unless the whole node ends."""
        self._role.leave(others_serve=not self._life.is_ending)

    def after_stop(self) -> None:
        """Leave the keeper: it has all changes of the requests."""
        self._role.close()
