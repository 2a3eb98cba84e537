"""Draining a node of several processes: the keeper tells the workers, which have the connections."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.workers.services import DRAIN

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.node_state import Kept
    from catalina.workers.keeper_queries import KeeperQueries
    from catalina.workers.services import Services
    from catalina.workers.worker_links import WorkerLinks

__all__ = ["KeeperDrain", "ask_drain", "drain_worker", "offer_drain"]

log = logging.getLogger("org.apache.catalina.workers.NodeDrain")

#: Seconds that a worker has to answer.
ANSWER_SECONDS = 2.0


def drain_worker(server: StandardServer, draining: bool | None) -> int:
    """Drain this worker, serve as before, or go on; returns the number of requests that run in it."""
    if draining is not None:
        server.drain_connectors(draining)
    return server.running_requests


def offer_drain(server: StandardServer, services: Services) -> None:
    """Let the keeper drain this worker."""
    services.add(DRAIN, lambda _, draining: drain_worker(server, draining))


def ask_drain(server: StandardServer, queries: KeeperQueries) -> None:
    """A worker that has started drains if the node does. Raises KeeperGoneError."""
    if queries.call(DRAIN, None):
        server.drain_connectors(True)


class KeeperDrain:
    """The keeper's knowledge that the node drains, and the way to tell the workers.

    Args:
        kept: the next keeper knows it, too.
    """

    def __init__(self, links: WorkerLinks, kept: Kept) -> None:
        self._links = links
        self._kept = kept
        self.is_draining = "draining" in kept.items()
        links.services.add(DRAIN, lambda _, __: self.is_draining, is_quick=True)

    def drain(self, draining: bool | None) -> int:
        """Drain, serve as before, or go on; returns the number of requests that run in all workers."""
        if draining is not None:
            self.is_draining = draining
            self._kept.put("draining", True if draining else None)
        running = 0
        for result in self._links.call_all(DRAIN, draining, ANSWER_SECONDS).values():
            if isinstance(result, CatalinaError):
                log.warning("%s", result)
            else:
                count: Any = result
                running += count
        return running
