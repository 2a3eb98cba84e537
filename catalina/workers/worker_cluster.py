"""Replaces the ``<Cluster>`` in a worker: the keeper is the member of the group."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.ha.request_deliveries import note
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import copy_component
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.lifecycle import Lifecycle
from catalina.session.manager_base import ManagerBase
from catalina.tribes.channel import EVERYTHING, SEND_OPTIONS_ASYNCHRONOUS
from catalina.tribes.ledger.record import bare_id
from catalina.workers.keeper_channel import LeftSessions
from catalina.workers.peers import KEEPER
from catalina.workers.services import MAY_FORGET, MAY_MAKE_SESSION, MAY_TELL_END, SESSION_LISTENERS
from catalina.workers.worker_manager import WorkerManager

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.channel import Delivery
    from catalina.tribes.member import Member
    from catalina.workers.keeper_channel import KeeperChannel
    from catalina.workers.keeper_queries import Answer, KeeperQueries

__all__ = ["KeeperGroup", "WorkerCluster"]

log = logging.getLogger("org.apache.catalina.workers.WorkerCluster")


class KeeperGroup:
    """The group as the manager of one application in a worker sees it: the keeper is its only other member.

    Args:
        declared: the element of server.xml, or one with the defaults; it is not started here.
        key: by which keeper and worker know the application's manager.
        send_options: those of the keeper's messages to the group, if they are not the cluster's.
    """

    def __init__(
        self,
        declared: SimpleTcpCluster,
        channel: KeeperChannel,
        queries: KeeperQueries,
        key: bytes,
        send_options: int | None = None,
    ) -> None:
        self.channel = channel
        self.missed = MissedMessages()
        #: Bare ids of sessions of which another worker has a copy. A client that has an answer from here may ask the
        #: other worker next, so an answer waits until that worker has been shown the change.
        self.shared: set[str] = set()
        self._declared = declared
        self._queries = queries
        self._key = key
        self._send_options = send_options

    @property
    def name(self) -> str:
        """As the element is called in the keeper."""
        return self._declared.name

    @property
    def under_engine(self) -> bool:
        """True when the element stands in the Engine."""
        return self._declared.under_engine

    @property
    def channel_send_options(self) -> int:
        """The options with which the keeper sends; answers wait for it accordingly."""
        return self._declared.channel_send_options if self._send_options is None else self._send_options

    @property
    def members(self) -> Sequence[Member]:
        """The keeper alone; it has every session."""
        return (KEEPER,)

    def post_bytes(
        self,
        data: bytes,
        to: Sequence[Member],
        options: int | None = None,
        key: str | None = None,
        *,
        even_silent: bool = False,
    ) -> Delivery | None:
        """Post one message."""
        return self.post_all(((data, key),), to, options, even_silent=even_silent)

    def post_all(
        self,
        messages: Sequence[tuple[bytes, str | None]],
        to: Sequence[Member],
        options: int | None = None,
        *,
        even_silent: bool = False,
    ) -> Delivery:
        """Post messages as one. A request's answer waits until the death of this process can no longer lose them, or as
        long as the options say.
        """
        options = self.channel_send_options if options is None else options
        waits = not options & SEND_OPTIONS_ASYNCHRONOUS or (bool(self.shared) and self._are_shared(messages))
        delivery = self.channel.post(self._key, [data for data, _ in messages], waits)
        if not delivery.done:
            note(delivery)
        return delivery

    def _are_shared(self, messages: Sequence[tuple[bytes, str | None]]) -> bool:
        shared = self.shared
        return any(key is None or key == EVERYTHING or bare_id(key) in shared for _, key in messages)

    def ask(self, question: bytes, *, may_go: bool = False) -> Answer:
        """The keeper's answer; see :meth:`KeeperQueries.ask`."""
        return self._queries.ask(self._key, question, may_go=may_go)

    def may_make_session(self) -> bool:
        """False when the node has as many sessions as maxActiveSessions allows. Raises KeeperGoneError."""
        return bool(self._queries.call(MAY_MAKE_SESSION, self._key.decode()))

    def may_forget(self, sessions: Sequence[str]) -> set[str]:
        """The ids of those sessions of which this worker may drop its copies. Raises KeeperGoneError."""
        granted: Any = self._queries.call(MAY_FORGET, [self._key.decode(), list(sessions)])
        return set(granted)

    def may_tell_end(self, session_id: str) -> bool:
        """True when this worker tells its listeners that a session ends. Without a keeper each worker does."""
        if not self.channel.is_up:
            return True
        try:
            return bool(self._queries.call(MAY_TELL_END, [self._key.decode(), session_id]))
        except CatalinaError as error:
            log.debug("The keeper does not say who tells the end of a session: %s", error)
            return True

    def listen(self) -> None:
        """Tell the keeper that somebody in the application wants to hear of the ends of sessions. The next keeper hears
        that when it gets the sessions.

        Raises:
            KeeperGoneError: it does not answer.
        """
        if self.channel.is_up:
            self._queries.call(SESSION_LISTENERS, self._key.decode())

    def leave(self, sessions: Sequence[str], messages: Sequence[bytes]) -> None:
        """The manager stops for a moment; the keeper goes on counting its copies of these sessions, and the next keeper
        gets them with these messages if this one dies meanwhile.
        """
        self.channel.leave(self._key, LeftSessions(sessions, messages))

    def left(self) -> Sequence[str]:
        """The ids that an earlier manager of the application has left."""
        left = self.channel.left.get(self._key)
        return () if left is None else left.ids

    def taken_up(self) -> None:
        """The manager has what an earlier one has left."""
        self.channel.left.pop(self._key, None)

    def forget(self, sessions: Sequence[tuple[str, int]]) -> None:
        """The manager has dropped copies; see :meth:`KeeperChannel.forget`."""
        self.channel.forget(self._key, sessions)

    def join(self, manager: WorkerManager) -> None:
        """The manager takes messages from now on."""
        self.channel.managers[self._key] = manager

    def remove_manager(self, manager: WorkerManager) -> None:
        """The application stops: its manager takes no more messages."""
        if self.channel.managers.get(self._key) is manager:
            del self.channel.managers[self._key]


class WorkerCluster(Lifecycle):
    """The valves of a cluster, and its managers.

    Args:
        element: the element of server.xml, or one with the defaults.
        binds_routes: without valves of its own the element has a JvmRouteBinderValve.
    """

    def __init__(
        self, element: SimpleTcpCluster, channel: KeeperChannel, queries: KeeperQueries, *, binds_routes: bool = True
    ) -> None:
        super().__init__()
        self.element = element
        self.container: Any = element.container
        self.channel = channel
        self._queries = queries
        self._binds_routes = binds_routes
        self._registered = False

    def __str__(self) -> str:
        return f"WorkerCluster[{self.element.name}]"

    def manager_for(self, key: bytes, context: Any, template: object | None) -> WorkerManager:
        """A manager for an application, configured as the one that the keeper has for it.

        Args:
            template: what server.xml, context.xml or the cluster says; of another class it counts as far as it can.
        """
        manager = WorkerManager()
        if isinstance(template, ManagerBase):
            copy_component(template, manager)
        manager.resync_on_rejoin = False
        manager.context = context
        manager.name = self.element.manager_name(context.name, manager)
        options = template.map_send_options if isinstance(template, BackupManager) and context.distributable else None
        manager.cluster = KeeperGroup(self.element, self.channel, self._queries, key, options)
        return manager

    # -- as a container sees it ----------------------------------------------------------------------------------

    def create_manager(self, name: str) -> WorkerManager:
        """Not used: the role of a worker makes managers."""
        raise NotImplementedError

    def register_manager(self, manager: object) -> None:
        """Nothing: it was registered when it was made."""

    def remove_manager(self, manager: object) -> None:
        """Nothing: a manager that stops leaves by itself."""

    def background_process(self) -> None:
        """Nothing: the keeper's cluster has the group's work."""

    def _start(self) -> None:
        """Put the valves into the container's pipeline, as the element itself would do; they stay there."""
        if self._registered or self.container is None:
            return
        self._registered = True
        default: list[Any] = [ReplicationValve()]
        if self._binds_routes:
            default.insert(0, JvmRouteBinderValve())
        for valve in self.element.valves or default:
            if isinstance(valve, JvmRouteBinderValve | ReplicationValve):
                valve.cluster = self
            self.container.add_valve(valve)
