"""Turns the tree of components that the arbiter has loaded into a keeper or a worker."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from catalina.connector.stream import Stream
from catalina.core.container_base import ContainerBase
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.errors import CatalinaError, LifecycleError
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.workers.application_entry import manager_key
from catalina.workers.away_manager import AwayManager
from catalina.workers.connection_moves import ConnectionMoves
from catalina.workers.container_requests import ContainerRequests, RelayedServlet, is_own
from catalina.workers.followers import Followers
from catalina.workers.keeper_backup_manager import KeeperBackupManager
from catalina.workers.keeper_channel import KeeperChannel
from catalina.workers.keeper_queries import KeeperQueries
from catalina.workers.keeper_realm import KeeperLogins
from catalina.workers.node_beans import NodeBeans, WorkerBeans
from catalina.workers.node_drain import KeeperDrain, ask_drain, drain_worker, offer_drain
from catalina.workers.node_sign_ons import KeeperSignOns, join_sign_ons
from catalina.workers.node_states import KeeperStates, RemoteState
from catalina.workers.own_user_valve import OwnUserValve
from catalina.workers.relay_connection import RelayConnection
from catalina.workers.request_relay import RequestRelay
from catalina.workers.services import DISTRIBUTABLE, RELOAD, REPLACE_ME, SIGN_ON, STATE
from catalina.workers.shared_parts import POOL_SEATS
from catalina.workers.stored_sessions import keeping_manager
from catalina.workers.worker_affinity_valve import WorkerAffinityValve
from catalina.workers.worker_cluster import WorkerCluster
from catalina.workers.worker_links import WorkerLinks

if TYPE_CHECKING:
    from catalina.connector.handover import Handover
    from catalina.core.container_servlet import ContainerServlet
    from catalina.core.node_role import Elsewhere
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.node_state import NodeState
    from catalina.session.manager import Manager
    from catalina.workers.lasting_memory import LastingMemory
    from catalina.workers.pools import Seats
    from catalina.workers.shared_parts import WorkerParts

_State = TypeVar("_State", bound="NodeState")

__all__ = ["Crew", "KeeperRole", "WorkerRole"]

log = logging.getLogger("org.apache.catalina.workers.roles")

#: Seconds that the reload of an application in all workers may take.
RELOAD_SECONDS = 3600.0
#: Seconds that the keeper may take to get an application's sessions from the group.
FACT_SECONDS = 300.0


def _engines(server: StandardServer) -> list[StandardEngine]:
    return [service.engine for service in server.services if service.engine is not None]


def _containers(server: StandardServer) -> list[ContainerBase]:
    """Engines and hosts."""
    return [each for engine in _engines(server) for each in (engine, *engine.children)]


def _has_own_ports(engine: StandardEngine) -> bool:
    service = engine.service
    return service is not None and any(connector.has_own_port for connector in service.connectors)


def _say_ports(server: StandardServer) -> None:
    """Tell the operator what a balancer must know."""
    last = server.workers - 1
    for service in server.services:
        route = "" if service.engine is None else service.engine.jvm_route
        for connector in service.connectors:
            if connector.has_own_port:
                first = connector.port_with_offset
                routes = f", routes [{route}-0] to [{route}-{last}]" if route else "; the Engine has no jvmRoute"
                log.info("%s: the workers have ports [%d] to [%d]%s", connector, first, first + last, routes)


def _engine_of(context: StandardContext) -> ContainerBase:
    engine = context.host.parent
    if engine is None:
        raise LifecycleError(f"{context}: its host is in no engine")
    return engine


def _lone_cluster(container: ContainerBase) -> SimpleTcpCluster:
    """Stands for a cluster where there is none: it has no channel, and so no members."""
    cluster = SimpleTcpCluster()
    cluster.container = container
    return cluster


class Crew(Protocol):
    """The number of workers, as keeper and arbiter share it."""

    def count(self) -> int:
        """How many the node is to have, without those of pools."""

    def change(self, more: int) -> int:
        """Have so many more, or less; returns how many there are to be. Raises CatalinaError."""


class KeeperRole:
    """The member of the group, with every session; it runs no code of an application.

    Args:
        listening: where workers connect; bound by the arbiter.
        awaited: see :class:`WorkerLinks`.
        crew: how many workers the node is to have.
        seats: of the workers of pools.
        memory: what an earlier keeper has left, and this one leaves to the next.
    """

    index = 0
    serves = False
    listens = False
    runs_one = False
    others_serve = True
    deploys = True

    def accepts(self, worker: int) -> bool:
        """Not known here, where no request asks."""
        return False

    def note_connections(self) -> None:
        """Nothing: the keeper has no connections."""

    def may_accept(self) -> bool:
        """False: the keeper accepts none."""
        return False

    def __init__(
        self,
        server: StandardServer,
        listening: socket.socket,
        awaited: int,
        crew: Crew,
        seats: Seats,
        memory: LastingMemory,
    ) -> None:
        _say_ports(server)
        self._crew = crew
        self._reactor = server.reactor
        self.links = WorkerLinks(listening, server.reactor, awaited)
        self._states = KeeperStates(memory.section("states"))
        self.links.services.add(STATE, self._states.call, is_quick=True)
        self.links.on_lost.append(self._states.worker_lost)
        self.links.services.add(SIGN_ON, KeeperSignOns(_containers(server), memory.section("logins")).call)
        KeeperLogins(self.links.services, lambda key: self.elsewhere.context(key))
        self.beans = NodeBeans(server.mbeans, self.links, memory.section("stopped"))
        self._drain = KeeperDrain(self.links, memory.section("drain"))
        declared = {
            context
            for engine in _engines(server)
            for host in engine.children
            for context in host.children
            if isinstance(context, StandardContext)
        }
        self.elsewhere = Followers(self.links, server, declared, crew.count, seats, memory, self.beans.started)
        requests = ContainerRequests(self.links.services, self.elsewhere.context)
        self.links.on_lost.append(lambda worker: self._reactor.submit(partial(requests.worker_lost, worker)))
        self._lone: dict[ContainerBase, SimpleTcpCluster] = {}
        #: The managers, and if they are the group's.
        self._managers: dict[bytes, tuple[Any, bool]] = {}

    @property
    def is_draining(self) -> bool:
        """See :class:`NodeRole`."""
        return self._drain.is_draining

    def drain(self, draining: bool | None) -> int:
        """See :class:`NodeRole`."""
        return self._drain.drain(draining)

    def change_workers(self, more: int) -> int:
        """See :class:`NodeRole`."""
        return self._crew.change(more)

    def runs(self, context: StandardContext) -> bool:
        """Never: workers do."""
        return False

    def reload(self, context: StandardContext, by_command: bool) -> bool:
        """The keeper reloads, and workers follow."""
        return False

    def stand_in(self, wrapper: StandardWrapper, servlet: ContainerServlet) -> None:
        """None: what works on the container runs here."""

    def state(self, kind: type[_State], name: str) -> _State:
        """See :class:`NodeRole`."""
        return self._states.state(kind, name)

    def may_run_elsewhere(self, context: StandardContext) -> bool:
        """False: applications run elsewhere only, and the servlets of this software in the keeper only."""
        return False

    def has_group_manager(self, context: StandardContext) -> bool:
        """See :class:`NodeRole`."""
        known, is_group = self._managers.get(manager_key(context), (None, False))
        return is_group and known is not None and bool(known.state.available)

    def manager_for(self, context: StandardContext, declared: Manager | None) -> Manager:
        """A manager of the group for a distributable application of a node with a cluster, else one that keeps this
        node's sessions.

        The one of a context that is exchanged goes on: workers go on changing its sessions.
        """
        key = manager_key(context)
        cluster = context.cluster if context.distributable else None
        known, is_group = self._managers.get(key, (None, False))
        if known is not None and known.state.available:
            if is_group is (cluster is not None):
                known.context = context
                manager: Manager = known
                return manager
            known.stop()
        manager = self._make_manager(context, declared, cluster)
        self._managers[key] = manager, cluster is not None
        return manager

    def _make_manager(self, context: StandardContext, declared: Manager | None, cluster: Any) -> Manager:
        manager: Any = declared
        if cluster is None:
            engine = _engine_of(context)
            cluster = self._lone.get(engine)
            if cluster is None:
                cluster = self._lone[engine] = _lone_cluster(engine)
            manager = keeping_manager(declared, self._reactor)
            manager.name = context.name
        elif manager is None:
            manager = cluster.create_manager(context.name)
        if isinstance(manager, BackupManager):
            return self._join_map(context, cluster, manager)
        if not isinstance(manager, DeltaManager):
            raise LifecycleError(
                f"{context}: {type(manager).__name__} cannot be used in a node of several processes; expected "
                "DeltaManager or BackupManager, or catalina.workers=1 and catalina.keeper=false"
            )
        manager.context = context
        cluster.register_manager(manager)
        manager.copies = self.links.add(manager_key(context), manager)
        return manager

    def _join_map(self, context: StandardContext, cluster: SimpleTcpCluster, declared: BackupManager) -> Manager:
        manager = KeeperBackupManager(declared, self._reactor)
        manager.context = context
        manager.name = declared.name or context.name
        cluster.register_manager(manager)
        manager.join(self.links, manager_key(context))
        return manager


class WorkerRole:
    """Serves requests and runs the applications.

    Args:
        parts: that it shares with the node's other processes.
        index: of this worker, from 0.
        on_stop: called when the keeper says that the node stops.
    """

    serves = True
    deploys = False
    elsewhere: Elsewhere | None = None

    def __init__(self, server: StandardServer, parts: WorkerParts, index: int, on_stop: Callable[[], None]) -> None:
        self.index = index
        #: This process has a user of its own, and knows no application but its own.
        self.has_user = bool(parts.token)
        #: A pool's worker gets its requests from the others.
        self.listens = index not in POOL_SEATS
        self.runs_one = not self.listens
        self.others_serve = True
        #: The connections that other workers send here go on to others.
        self._passes_on = False
        self._server = server
        self.channel = KeeperChannel(parts.address, index, server.reactor, on_stop, parts.token)
        self.queries = KeeperQueries(parts.address, index, server.reactor, parts.token)
        self._beans = WorkerBeans(server.mbeans, self.channel.services)
        offer_drain(server, self.channel.services)
        join_sign_ons(_containers(server), self.queries.call)
        self.moves = ConnectionMoves(index, parts.pairs, server.reactor, self._adopt, self._serve_stream)
        self._relay = RequestRelay(self.moves, server.reactor)
        self._counts = parts.counts
        self._accepts = False
        self._connectors = [connector for service in server.services for connector in service.connectors]
        #: How often the keeper had an application started, as this worker knows it.
        self.serials: dict[str, int] = {}
        #: The workers of applications that do not run in all of them, as the keeper has chosen.
        self.placements: dict[str, tuple[int, ...]] = {}
        self._clusters: dict[ContainerBase, WorkerCluster] = {}
        for engine in _engines(server):
            engine.worker = index if _has_own_ports(engine) else None
            self._replace_clusters(engine)

    def _replace_clusters(self, engine: StandardEngine) -> None:
        """Replace the clusters, because the keeper joins the group. Each engine has one ReplicationValve, which works
        for all of its hosts.
        """
        hosts = [host for host in engine.children if isinstance(host, StandardHost)]
        declared = engine.own_cluster
        for host in hosts:
            in_host = host.own_cluster
            if isinstance(in_host, SimpleTcpCluster):
                host.cluster = None
                in_host.container = host
                self._clusters[host] = WorkerCluster(in_host, self.channel, self.queries)
                if declared is None:
                    declared = in_host
        element = declared if isinstance(declared, SimpleTcpCluster) else _lone_cluster(engine)
        container = element.container
        engine.cluster = None
        element.container = container or engine
        cluster = WorkerCluster(element, self.channel, self.queries, binds_routes=declared is not None)
        self._clusters[engine] = cluster
        engine.cluster = cluster
        # First: a request that another worker answers passes through the engine's valves there.
        engine.pipeline.add_first(
            WorkerAffinityValve(self.moves, self._relay, self._number_of, self._worker_of, self._runs_in)
        )

    def state(self, kind: type[_State], name: str) -> _State:
        """See :class:`NodeRole`."""
        remote: Any = RemoteState(self.queries.call, kind, name)
        found: _State = remote
        return found

    def runs(self, context: StandardContext) -> bool:
        """True unless the keeper has chosen other workers for it. A pool's worker runs nothing else."""
        return self._runs_in(context, self.index)

    def may_run_elsewhere(self, context: StandardContext) -> bool:
        """See :class:`NodeRole`. The node may get another worker at any time; a pool has as many as its application
        wants. The moment in which one is replaced by the next one does not count.
        """
        workers = self.placements.get(manager_key(context).decode())
        if workers is not None and all(index in POOL_SEATS for index in workers):
            return len(workers) > 1
        return context.workers != 1

    def _runs_in(self, context: Any, worker: int) -> bool:
        workers = self.placements.get(manager_key(context).decode())
        return worker not in POOL_SEATS if workers is None else worker in workers

    def _who_runs(self, key: str) -> tuple[int, ...]:
        """The workers to which a request for an application can go that this one does not run."""
        workers = self.placements.get(key)
        if workers is None:  # all but those of pools
            fewest = self._counts.fewest_beside(self.index)
            return () if fewest is None else (fewest,)
        return workers

    def reload(self, context: StandardContext, by_command: bool) -> bool:
        """The keeper has it done in all workers, this one too."""
        key = manager_key(context).decode()
        asked = {"key": key, "serial": self.serials.get(key, 0), "by_command": by_command}
        self.queries.call(RELOAD, asked, RELOAD_SECONDS)
        return True

    def stand_in(self, wrapper: StandardWrapper, servlet: ContainerServlet) -> RelayedServlet | None:
        """The keeper runs this software's servlets; those of an application run here, and work on this worker."""
        return RelayedServlet(wrapper, self.queries) if is_own(wrapper.servlet_class) else None

    def tell(self, context: StandardContext) -> None:
        """Tell the keeper of an application what only its code says. Its sessions are the group's accordingly.

        Raises:
            CatalinaError: the keeper does not answer.
        """
        fact = {"key": manager_key(context).decode(), "distributable": context.distributable}
        self.queries.call(DISTRIBUTABLE, fact, FACT_SECONDS)

    def has_group_manager(self, context: StandardContext) -> bool:
        """False: this process loads the code and asks it."""
        return False

    def manager_for(self, context: StandardContext, declared: Manager | None) -> Manager:
        """A manager that has what this worker serves; the keeper has the rest."""
        if not self.runs(context):
            key = manager_key(context).decode()
            away = AwayManager(key, partial(self._who_runs, key), self.queries.call)
            if context.user is not None:
                self._pass_on_to_its_user(context, away)
            return away
        self.tell(context)
        engine = _engine_of(context)
        of_host = self._clusters.get(context.host)
        cluster = of_host if of_host is not None and context.distributable else self._clusters[engine]
        template = declared if declared is not None else cluster.element.manager_template
        return cluster.manager_for(manager_key(context), context, template)

    def _pass_on_to_its_user(self, context: StandardContext, manager: AwayManager) -> None:
        for valve in context.pipeline.valves:
            if isinstance(valve, OwnUserValve):  # that of an earlier start
                context.pipeline.remove_valve(valve)
        context.pipeline.add_first(OwnUserValve(manager, self._relay, self._number_of))

    # -- connections ---------------------------------------------------------------------------------------------

    def note_connections(self) -> None:
        """Tell the other workers how many connections this one has."""
        if self._accepts:
            self._counts.note(self.index, sum(connector.connection_count for connector in self._connectors))

    def accepts(self, worker: int) -> bool:
        """See :class:`NodeRole`."""
        return self._counts.accepts(worker)

    def ask_to_be_replaced(self, why: str) -> None:
        """Have the keeper start another worker in the place of this one, which a pool has.

        Raises:
            CatalinaError: no other one starts.
        """
        self.queries.call(REPLACE_ME, why, RELOAD_SECONDS)

    def may_leave(self) -> bool:
        """True when this worker may end to be replaced; see :meth:`ConnectionCounts.may_leave`."""
        return self._counts.may_leave(self.index)

    def stays(self) -> None:
        """This worker need not be replaced, or no longer."""
        self._counts.stays(self.index)

    def may_accept(self) -> bool:
        """False while another worker has fewer connections."""
        return self._counts.has_fewest(self.index)

    def _worker_of(self, context: StandardContext, key: str) -> int | None:
        """The worker to which a key of an application belongs."""
        return self._counts.worker_of(key, self.placements.get(manager_key(context).decode()))

    def _number_of(self, connector: object) -> int:
        return next(number for number, each in enumerate(self._connectors) if each is connector)

    def _adopt(self, number: int, handover: Handover) -> None:
        if self._passes_on:
            self._hand_on(number, handover)
        else:
            self._connectors[number].adopt(handover)

    def _serve_stream(self, number: int, sock: socket.socket) -> None:
        if self._passes_on:
            sock.close()  # the other worker asks again who runs the application
            return
        connector = self._connectors[number]
        connector.serve(sock, lambda host: RelayConnection(host, Stream(host, sock, ("", 0)), connector))

    def tell_changes(self) -> None:
        """Tell a keeper that follows another one what was changed at run time."""
        self._beans.tell(self.queries.call)

    def serve(self) -> None:
        """The connectors run, and everything is as in the other workers: take connections."""
        if not self.has_user:  # changes of the server are none of its business, and may have passwords
            self._beans.catch_up(self.queries.call)
        self._accepts = self.listens
        self.note_connections()
        self.moves.open()
        ask_drain(self._server, self.queries)

    @property
    def is_draining(self) -> bool:
        """As this worker's connectors say."""
        return any(connector.draining for connector in self._connectors)

    def drain(self, draining: bool | None) -> int:
        """See :class:`NodeRole`; a worker can do so for itself only."""
        return drain_worker(self._server, draining)

    def change_workers(self, more: int) -> int:
        """Never: the keeper's bean does that."""
        raise CatalinaError(f"worker [{self.index}] cannot add or remove workers: the keeper does")

    def leave(self, *, others_serve: bool) -> None:
        """The connectors are about to stop. Other workers go on with the connections that can move.

        The next process in this place takes those that are on their way here. A pool's worker has no successor in its
        place: it passes them on.
        """
        self.others_serve = others_serve
        self._passes_on = others_serve and not self.listens
        if not self._passes_on:
            self.moves.close()
        self._accepts = False
        if self.listens:
            self._counts.leave(self.index)
        if others_serve:
            for number, connector in enumerate(self._connectors):
                connector.hand_on(partial(self._hand_on, number))

    def _hand_on(self, number: int, handover: Handover) -> None:
        worker = self._counts.fewest_beside(self.index)
        if worker is None:
            handover.sock.close()
        else:
            self.moves.give(worker, number, handover)

    def open(self) -> None:
        """Connect to the keeper."""
        self.channel.open()

    def close(self) -> None:
        """Close the link to the keeper."""
        if self._passes_on:
            self.moves.close_after()
        self._relay.close()
        self.channel.close()
        self.queries.close()
