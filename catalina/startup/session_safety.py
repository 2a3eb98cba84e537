"""Reports where the sessions of each application are, and if they outlive this node, for ``drain`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.core.standard_context import StandardContext
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.persistent_manager_base import PersistentManagerBase
from catalina.session.standard_manager import StandardManager

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.session.manager import Manager

__all__ = ["SessionSafety", "clusters_of", "contexts_of", "session_safety", "unsent"]


@dataclass(frozen=True, slots=True)
class SessionSafety:
    """The sessions of one application.

    Args:
        name: ``localhost/shop``.
        sessions: the number that this node has; with a BackupManager, the number that it owns.
        safe: how many of them another node or a store has, too, or will have at a stop.
        where: these places in words, or the reason why the sessions are nowhere else.
    """

    name: str
    sessions: int
    safe: int
    where: str


def contexts_of(server: StandardServer) -> Iterator[StandardContext]:
    """The applications of all hosts."""
    for service in server.services:
        for host in service.engine.children if service.engine is not None else ():
            for context in host.children:
                if isinstance(context, StandardContext):
                    yield context


def clusters_of(server: StandardServer) -> list[SimpleTcpCluster]:
    """The clusters of engines and hosts, each once."""
    found: dict[int, SimpleTcpCluster] = {}
    for service in server.services:
        engine = service.engine
        for container in (engine, *engine.children) if engine is not None else ():
            if isinstance(container.cluster, SimpleTcpCluster):
                found[id(container.cluster)] = container.cluster
    return list(found.values())


def session_safety(server: StandardServer) -> list[SessionSafety]:
    """An entry for each application that runs and has a manager."""
    return [
        _of_manager(f"{context.host.name}{context.name or '/'}", context.manager)
        for context in contexts_of(server)
        if context.state.available and context.manager is not None
    ]


def _of_manager(name: str, manager: Manager) -> SessionSafety:
    count = manager.active_sessions
    if isinstance(manager, DeltaManager):
        members = len(manager.cluster.members) if manager.cluster is not None else 0
        if members:
            return SessionSafety(name, count, count, f"on {_counted(members, 'other node')}")
        return SessionSafety(name, count, 0, "no other member of the cluster is there")
    if isinstance(manager, BackupManager):
        return _of_map(name, manager, count)
    if isinstance(manager, PersistentManagerBase) and manager.store is not None:
        if manager.save_on_restart:
            return SessionSafety(name, count, count, f"stored at a stop, by {type(manager.store).__name__}")
        return SessionSafety(name, count, 0, 'saveOnRestart="false"')
    if isinstance(manager, StandardManager) and manager.pathname:
        return SessionSafety(name, count, count, f"stored at a stop, in {manager.pathname}")
    return SessionSafety(name, count, 0, f"only here ({type(manager).__name__})")


def _of_map(name: str, manager: BackupManager, count: int) -> SessionSafety:
    replicated = manager.map
    if replicated is None or not replicated.members:
        return SessionSafety(name, count, 0, "no other member of the cluster is there")
    owned = [entry for entry in replicated.entries() if entry.is_primary]
    safe = sum(bool(entry.nodes) and not entry.pending for entry in owned)
    return SessionSafety(name, count, min(count, safe), "each with a backup on another node")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def unsent(server: StandardServer) -> int:
    """Bytes for other nodes that have not left or are not acknowledged, plus one for each change that is owed."""
    waiting = 0
    for cluster in clusters_of(server):
        waiting += sum(max(0, given - done) for given, done in cluster.traffic().values())
        for manager in tuple(cluster.managers.values()):
            waiting += manager.owed_changes
    return waiting
