from __future__ import annotations

from pathlib import Path

import pytest

from catalina.realm.generic_principal import GenericPrincipal
from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.store_base import StoreError
from catalina.tribes.io.java import EncodedValue
from tests.session.support import FakeContext
from tests.session.test_store_base import check_store
from tests.tribes.io.java import hostile


def store(tmp_path: Path) -> tuple[PersistentManager, FileStore]:
    manager = PersistentManager()
    manager.context = FakeContext(work_dir=tmp_path)
    found = FileStore(directory="sessions")
    manager.store = found
    found.manager = manager
    return manager, found


def test_it_keeps_the_contract_of_a_store(tmp_path: Path) -> None:
    check_store(*store(tmp_path))


def test_one_file_for_each_session_below_the_work_directory(tmp_path: Path) -> None:
    manager, found = store(tmp_path)
    found.save(manager.create_session("ABC.node1"))
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.session")] == [
        "sessions/ABC.node1.session"
    ]


@pytest.mark.parametrize("session_id", ["../x", "/etc/passwd", "a/b", "", ".", "..", ".hidden", "x\0", "a" * 300])
def test_an_id_that_is_no_plain_name_finds_nothing_and_touches_nothing(tmp_path: Path, session_id: str) -> None:
    manager, found = store(tmp_path)
    (tmp_path / "x.session").write_bytes(b"other")
    assert found.load(session_id) is None
    found.remove(session_id)
    assert (tmp_path / "x.session").exists()
    session = manager.new_session(session_id)
    with pytest.raises(StoreError, match="cannot be a file's name"):
        found.save(session)


def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    manager, found = store(tmp_path)
    found.save(manager.create_session("ABC"))
    file = next(tmp_path.rglob("*.session"))
    file.write_bytes(b"rubbish")
    with pytest.raises(StoreError, match=r"ABC\.session: not a session"):
        found.load("ABC")


def test_a_file_that_nobody_can_read_goes_at_the_next_look(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager, found = store(tmp_path)
    found.save(manager.create_session("ABC"))
    found.save(manager.create_session("DEF"))
    (tmp_path / "sessions/ABC.session").write_bytes(b"rubbish")
    manager.sessions.clear()
    found.process_expires()
    assert found.keys() == ["DEF"]
    assert "Error processing session expiration for key [ABC]" in caplog.text


def test_a_file_that_only_exceeds_a_limit_of_this_node_stays(tmp_path: Path) -> None:
    manager, found = store(tmp_path)
    session = manager.create_session("ABC")
    session.restore_attribute("deep", EncodedValue(hostile.deep_arrays(200), 400))
    found.save(session)
    manager.sessions.clear()
    with pytest.raises(StoreError, match="nested more than 100 deep"):
        found.load("ABC")
    found.process_expires()
    assert found.keys() == ["ABC"]


def test_a_session_whose_principal_cannot_be_read_is_kept_without_him(tmp_path: Path) -> None:
    manager, found = store(tmp_path)
    manager.persist_authentication = True
    session = manager.create_session("ABC")
    session.set_attribute("n", 1)
    session.principal = GenericPrincipal("joe", ("admin",))
    found.save(session)
    file = tmp_path / "sessions/ABC.session"
    data = file.read_bytes()
    assert b"GenericPrincipal" in data
    file.write_bytes(data.replace(b"python.Object", b"python.\xff\xff\xff\xff\xff\xff"))
    back = found.load("ABC")
    assert back is not None
    assert back.principal is None
    assert back.get_attribute("n") == 1


def test_a_file_under_another_sessions_name_is_refused(tmp_path: Path) -> None:
    manager, found = store(tmp_path)
    found.save(manager.create_session("ABC"))
    file = next(tmp_path.rglob("*.session"))
    file.rename(file.with_name("OTHER.session"))
    with pytest.raises(StoreError, match="expected session 'OTHER', got 'ABC'"):
        found.load("OTHER")
