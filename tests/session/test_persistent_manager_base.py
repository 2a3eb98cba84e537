from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import TooManyActiveSessionsError
from catalina.session.persistent_manager import PersistentManager
from tests.session.support import FakeClock, FakeContext
from tests.session.test_store_base import MemoryStore


def started(store: MemoryStore | None = None, **values: Any) -> tuple[PersistentManager, MemoryStore, FakeClock]:
    clock = FakeClock()
    manager = PersistentManager(clock=clock, process_expires_frequency=1, **values)
    manager.context = FakeContext()
    store = store or MemoryStore()
    manager.store = store
    store.manager = manager
    manager.start()
    return manager, store, clock


def test_an_idle_session_leaves_memory_and_comes_back_when_it_is_asked_for() -> None:
    manager, store, clock = started(max_idle_swap=60)
    session = manager.create_session("A")
    session.set_attribute("n", 1)
    clock.advance(59)
    manager.background_process()
    assert manager.active_sessions == 1
    clock.advance(1)
    manager.background_process()
    assert (manager.active_sessions, list(store.kept)) == (0, ["A"])
    back = manager.find_session("A")
    assert back is not None
    assert back.get_attribute("n") == 1
    assert manager.find_session("A") is back


def test_an_idle_session_is_backed_up_once_for_each_use() -> None:
    manager, store, clock = started(max_idle_backup=60)
    session = manager.create_session("A")
    session.set_attribute("n", 1)
    clock.advance(60)
    manager.background_process()
    assert store.kept["A"][2] == {"n": 1}
    store.kept.clear()
    manager.background_process()
    assert store.kept == {}
    session.access()
    session.end_access()
    clock.advance(60)
    manager.background_process()
    assert list(store.kept) == ["A"]
    assert manager.active_sessions == 1


def test_one_session_too_many_sends_the_most_idle_one_to_the_store() -> None:
    manager, store, clock = started(max_active_sessions=2, min_idle_swap=10)
    manager.create_session("A")
    clock.advance(10)
    manager.create_session("B")
    manager.create_session("C")
    assert list(store.kept) == ["A"]
    assert sorted(manager.sessions) == ["B", "C"]
    with pytest.raises(TooManyActiveSessionsError):
        manager.create_session("D")


def test_sessions_survive_a_restart_in_the_store() -> None:
    manager, store, _ = started()
    manager.create_session("A").set_attribute("n", 1)
    manager.stop()
    again, _, _ = started(store)
    back = again.find_session("A")
    assert back is not None
    assert back.get_attribute("n") == 1


def test_without_save_on_restart_the_store_is_emptied() -> None:
    manager, store, _ = started()
    manager.create_session("A")
    manager.stop()
    again, _, _ = started(store, save_on_restart=False)
    assert again.find_session("A") is None


def test_an_expired_session_is_gone_from_the_store_too() -> None:
    manager, store, _clock = started()
    session = manager.create_session("A")
    manager.write_session(session)
    session.expire()
    assert store.kept == {}


def test_an_id_change_leaves_nothing_under_the_old_id() -> None:
    manager, store, _ = started()
    session = manager.create_session("A")
    manager.write_session(session)
    manager.change_session_id(session, "B")
    assert store.kept == {}
    assert manager.find_session("A") is None


def test_a_stored_session_whose_time_is_up_is_not_found() -> None:
    manager, _, clock = started()
    manager.swap_out(manager.create_session("A"))
    clock.advance(1800)
    assert manager.find_session("A") is None


def test_a_store_that_fails_costs_no_session(caplog: pytest.LogCaptureFixture) -> None:
    manager, store, _clock = started(max_idle_swap=0)
    session = manager.create_session("A")
    store.fails = True
    manager.background_process()
    assert manager.find_session("A") is session
    assert manager.find_session("B") is None
    assert "Error serializing Session [A]: the disk is full" in caplog.text


def test_without_a_store_it_works_in_memory_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    manager = PersistentManager()
    manager.context = FakeContext()
    manager.start()
    session = manager.create_session()
    assert manager.find_session(session.id) is session
    assert "No Store configured, persistence disabled" in caplog.text
