"""The states of a host's applications, for ``catalina list`` and the report of a start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.core.standard_context import StandardContext
from catalina.startup.host_config import HostConfig

if TYPE_CHECKING:
    from catalina.core.node_role import PoolState
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationState", "application_states"]


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """One application.

    Args:
        name: path and version, in the form of the commands.
        runs: True when it serves.
        sessions: the number of its sessions, None without a running manager.
        directory: its document base, or the file from which deployment tried to make it.
        reason: why it does not run; empty when it runs, or somebody stopped it.
        workers: the indexes of the workers that run it; None for all, and in a node of one process.
        pool: its own processes; None without any.
    """

    name: str
    runs: bool
    sessions: int | None
    directory: str
    reason: str
    workers: tuple[int, ...] | None = None
    pool: PoolState | None = None

    @property
    def label(self) -> str:
        """``running``, ``failed`` or ``stopped``."""
        return "running" if self.runs else "failed" if self.reason else "stopped"


def application_states(host: StandardHost) -> list[ApplicationState]:
    """Applications with a context, and those whose deployment failed before there was one, by name."""
    return sorted([*_contexts(host), *_without_context(host)], key=lambda state: state.name)


def _contexts(host: StandardHost) -> Iterator[ApplicationState]:
    for context in host.children:
        if isinstance(context, StandardContext):
            runs, manager = context.state.available, context.manager
            sessions = manager.active_sessions if manager is not None and runs else None
            reason = "" if runs else context.failure
            elsewhere = context.elsewhere
            workers = None if elsewhere is None else elsewhere.workers_of(context)
            pool = None if elsewhere is None else elsewhere.pool_of(context)
            directory = str(context.doc_base or "")
            yield ApplicationState(context.name or "/", runs, sessions, directory, reason, workers, pool)


def _without_context(host: StandardHost) -> Iterator[ApplicationState]:
    config = HostConfig.of(host)
    for name, application in list(config.deployed.items()) if config is not None else ():
        if host.find_child(name) is None:
            source = application.archive.file if application.archive is not None else application.directory
            yield ApplicationState(name or "/", False, None, source, application.failure)
