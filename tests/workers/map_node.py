"""A node with a keeper and workers, and a node in one process, which share a map over a network that a test drives."""

from __future__ import annotations

from typing import Any

from catalina.ha.session.backup_manager import BackupManager
from catalina.session.standard_session import StandardSession
from tests.ha.session.maps import FakeCluster, Group
from tests.workers.small_node import SmallNode

__all__ = ["MapNodes"]


class MapNodes:
    """One of each.

    Args:
        make_node: the fixture.
        others: how many nodes in one process.
        values: of the BackupManager.
    """

    def __init__(self, make_node: Any, others: int = 1, **values: Any) -> None:
        self.group = Group(others)
        self.cluster = FakeCluster(self.group.network.add(others + 1))
        self.node: SmallNode = make_node(
            cluster=self.cluster, declared=lambda: BackupManager(map_send_options=8, **values)
        )
        self.settle()
        other: Any = self.group.managers[0].map
        assert other.members

    def settle(self) -> None:
        """Deliver all messages between the two nodes, and let the keeper tell its workers."""
        self.group.network.settle()
        self.node.keeper.read_all()

    def request(self, worker: int, session_id: str | None = None, **changes: object) -> StandardSession | None:
        """A request at a worker, and what it causes."""
        session = self.node.workers[worker].request(session_id, **changes)
        self.node.keeper.read_all()
        self.settle()
        return session

    def other(self, session_id: str, **changes: Any) -> dict[str, Any] | None:
        """A request at the other node, and what it causes."""
        found = self.group.request(0, session_id, **changes)
        self.settle()
        return found
