from __future__ import annotations

from typing import Any

from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_session import StandardSession
from catalina.session.store_base import StoreBase, StoreError
from tests.session.support import FakeClock, FakeContext, Recorder


class MemoryStore(StoreBase):
    """Keeps the attributes in a dictionary; fails when told to."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.kept: dict[str, tuple[int, int, dict[str, Any]]] = {}
        self.fails = False

    def _check(self) -> None:
        if self.fails:
            raise StoreError("the disk is full")

    def keys(self) -> list[str]:
        self._check()
        return list(self.kept)

    def load(self, session_id: str) -> StandardSession | None:
        self._check()
        if session_id not in self.kept or self.manager is None:
            return None
        session = self.manager.new_session(session_id)
        session.this_accessed_time_ms, session.max_inactive_interval, attributes = self.kept[session_id]
        for name, value in attributes.items():
            session.restore_attribute(name, self.manager.codec.encode(name, value))
        return session

    def save(self, session: StandardSession) -> None:
        self._check()
        attributes = {name: session.get_attribute(name) for name in session.attribute_names()}
        self.kept[session.id] = (session.this_accessed_time_ms, session.max_inactive_interval, attributes)

    def remove(self, session_id: str) -> None:
        self._check()
        self.kept.pop(session_id, None)


def check_store(manager: PersistentManager, store: StoreBase) -> None:
    """Check the behaviour that every store must have."""
    session = manager.create_session("A.node1")
    session.set_attribute("cart", [1, 2])
    session.max_inactive_interval = 77
    assert store.keys() == []
    assert store.load("A.node1") is None
    store.save(session)
    session.set_attribute("cart", [3])
    store.save(session)
    assert store.keys() == ["A.node1"]
    back = store.load("A.node1")
    assert back is not None
    assert back is not session
    assert back.get_attribute("cart") == [3]
    assert (back.id, back.max_inactive_interval) == ("A.node1", 77)
    assert back.this_accessed_time_ms == session.this_accessed_time_ms
    store.remove("unknown")
    store.remove("A.node1")
    assert store.keys() == []
    store.save(session)
    store.save(manager.create_session("B"))
    store.clear()
    assert store.keys() == []


def test_the_contract_holds_for_the_store_of_these_tests() -> None:
    manager = PersistentManager()
    manager.context = FakeContext()
    store = MemoryStore()
    store.manager = manager
    check_store(manager, store)


def test_a_stored_session_expires_and_its_listener_is_told() -> None:
    clock = FakeClock()
    manager = PersistentManager(clock=clock)
    recorder = Recorder()
    manager.context = FakeContext(listeners=[recorder])
    store = MemoryStore()
    store.manager = manager
    manager.store = store
    manager.start()
    session = manager.create_session("A")
    session.set_attribute("n", 1)
    manager.swap_out(session)
    clock.advance(1799)
    store.process_expires()
    assert list(store.kept) == ["A"]
    clock.advance(1)
    store.process_expires()
    assert store.kept == {}
    assert ("destroyed", "A", {"n": 1}) in recorder.heard
