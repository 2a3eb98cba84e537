"""Sessions that outlive a restart of a node with a keeper and workers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalina.realm.generic_principal import GenericPrincipal
from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_manager import StandardManager
from catalina.workers import worker_manager
from catalina.workers.stored_sessions import FileKeepingManager, StoreKeepingManager
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


def with_file(make_node: MakeNode, directory: Path, **values: Any) -> SmallNode:
    return make_node(
        declared=lambda: StandardManager(pathname="SESSIONS.ser", **values), work_dir=directory, distributable=False
    )


def with_store(make_node: MakeNode, directory: Path, **values: Any) -> SmallNode:
    def declared() -> PersistentManager:
        manager = PersistentManager(process_expires_frequency=1, **values)
        store = FileStore(directory="stored")
        manager.store, store.manager = store, manager
        return manager

    return make_node(declared=declared, work_dir=directory, distributable=False)


def test_the_file_of_a_standard_manager_keeps_sessions_over_a_restart(make_node: MakeNode, tmp_path: Path) -> None:
    node = with_file(make_node, tmp_path)
    session = node.workers[0].request(cart=["apple"])
    assert session is not None
    node.restart()
    assert isinstance(node.keeper.manager, FileKeepingManager)
    there = node.workers[1].request(session.id)
    assert there is not None
    assert there.get_attribute("cart") == ["apple"]
    assert there.creation_time_ms == session.creation_time_ms
    assert list(tmp_path.iterdir()) == []


def test_a_login_comes_back_if_it_is_to(make_node: MakeNode, tmp_path: Path) -> None:
    node = with_file(make_node, tmp_path, persist_authentication=True)
    session = node.workers[0].request(count=1)
    assert session is not None
    session.principal, session.auth_type = GenericPrincipal("ann", ("user",)), "FORM"
    node.workers[0].request(session.id)
    node.restart()
    there = node.workers[1].request(session.id)
    assert there is not None
    assert there.principal is not None
    assert there.principal.name == "ann"
    assert there.auth_type == "FORM"


def test_the_store_of_a_persistent_manager_keeps_sessions_over_a_restart(make_node: MakeNode, tmp_path: Path) -> None:
    node = with_store(make_node, tmp_path)
    session = node.workers[0].request(count=1)
    assert session is not None
    node.restart()
    assert isinstance(node.keeper.manager, StoreKeepingManager)
    assert not node.keeper.manager.sessions
    there = node.workers[1].request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 1
    assert node.workers[0].request("0" * 32) is None


def test_an_idle_session_leaves_the_keeper_for_the_store_unless_a_worker_has_it(
    make_node: MakeNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    node = with_store(make_node, tmp_path, max_idle_swap=0)
    session = node.workers[0].request(count=1)
    assert session is not None
    node.keeper.read_all()
    node.keeper.manager.background_process()
    assert session.id in node.keeper.manager.sessions
    node.workers[0].manager.background_process()
    wait_until(lambda: not len(node.keeper.copies), "nobody has a copy")
    node.keeper.manager.background_process()
    assert not node.keeper.manager.sessions
    there = node.workers[1].request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 1


def test_a_session_that_has_ended_is_in_no_store(make_node: MakeNode, tmp_path: Path) -> None:
    node = with_store(make_node, tmp_path, max_idle_backup=0)
    session = node.workers[0].request(count=1)
    assert session is not None
    node.keeper.read_all()
    node.keeper.manager.background_process()
    file = tmp_path / "stored" / f"{session.id}.session"
    assert file.exists()
    session.expire()
    wait_until(lambda: not file.exists(), "the file goes")
    node.restart()
    assert node.workers[0].request(session.id) is None


def test_a_session_that_no_worker_has_a_copy_of_is_stored(
    make_node: MakeNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_manager, "IDLE_MS", 0)
    node = with_store(make_node, tmp_path)
    session = node.workers[0].request(count=1)
    assert session is not None
    node.workers[0].manager.background_process()
    wait_until((tmp_path / "stored" / f"{session.id}.session").exists, "the file")
    node.kill_keeper()
    node.start_keeper()
    there = node.workers[1].request(session.id)
    assert there is not None
    assert there.get_attribute("count") == 1
