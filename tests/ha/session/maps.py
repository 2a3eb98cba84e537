"""Nodes with a BackupManager each, on the fake network of the maps."""

from __future__ import annotations

from typing import Any

from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.map_session import MapSession
from tests.session.support import FakeClock, FakeContext
from tests.tribes.tipis.network import FakeChannel, Network


class FakeCluster:
    """The part of its cluster that the manager uses."""

    def __init__(self, channel: FakeChannel | None) -> None:
        self.channel = channel
        self.removed: list[object] = []

    def remove_manager(self, manager: object) -> None:
        self.removed.append(manager)


class Group:
    """Nodes that run the same application."""

    def __init__(self, size: int, **values: Any) -> None:
        self.network = Network()
        self.clock = FakeClock()
        self.managers: list[BackupManager] = []
        for number in range(size):
            manager = BackupManager(clock=self.clock, **values)
            manager.name = "localhost#/app"
            manager.context = FakeContext()
            manager.cluster = FakeCluster(self.network.add(number + 1))  # type: ignore[assignment]
            self.managers.append(manager)
        for manager in self.managers:
            manager.start()
            self.network.settle()

    def request(self, number: int, session_id: str, **values: Any) -> dict[str, Any] | None:
        """A request that sets attributes; the session's attributes afterwards, None when there is no session."""
        manager = self.managers[number]
        session = manager.find_session(session_id)
        if not isinstance(session, MapSession) or not session.is_valid:
            return None
        session.access()
        for name, value in values.items():
            session.set_attribute(name, value)
        found = {name: session.get_attribute(name) for name in session.attribute_names()}
        manager.request_completed(session, None)
        session.end_access()
        self.network.settle()
        return found

    def create(self, number: int, **values: Any) -> str:
        session = self.managers[number].create_session()
        self.network.settle()
        self.request(number, session.id, **values)
        return session.id
