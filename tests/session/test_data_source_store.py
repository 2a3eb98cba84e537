from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_server import StandardServer
from catalina.errors import CatalinaError, LifecycleError
from catalina.session.data_source_store import DataSourceStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.store_base import StoreError
from tests.session.support import FakeClock, FakeContext, FakeEngine, FakeHost
from tests.session.test_store_base import check_store
from tests.support.needs import need_module
from tests.support.stand_in import stand_in


class Names:
    """GlobalNamingResources with one DataSource."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def lookup(self, name: str) -> Any:
        if name != "jdbc/sessions":
            raise CatalinaError(f"Name [{name}] is not bound in this Context")
        return self.engine


@pytest.fixture
def engine() -> Iterator[Any]:
    need_module("sqlalchemy")
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import StaticPool

    made = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with made.begin() as connection:
        connection.execute(
            text(
                'create table "tomcat$sessions" (id varchar(100) primary key, app varchar(255), data blob, '
                "valid char(1), maxinactive int, lastaccess bigint)"
            )
        )
    yield made
    made.dispose()


def store(engine: Any, name: str = "/app", clock: FakeClock | None = None) -> tuple[PersistentManager, DataSourceStore]:
    manager = PersistentManager(clock=clock or FakeClock())
    server = stand_in(StandardServer, global_naming_resources=Names(engine))
    manager.context = FakeContext(name, parent=FakeHost(parent=FakeEngine()), server=server)
    found = DataSourceStore(data_source_name="jdbc/sessions")
    manager.store = found
    found.manager = manager
    return manager, found


def test_it_keeps_the_contract_of_a_store(engine: Any) -> None:
    check_store(*store(engine))


def test_the_rows_are_tomcats(engine: Any) -> None:
    from sqlalchemy import text

    manager, found = store(engine)
    session = manager.create_session("A")
    found.save(session)
    with engine.begin() as connection:
        row = connection.execute(text('select id, app, valid, maxinactive, lastaccess from "tomcat$sessions"')).one()
    assert tuple(row) == ("A", "/Catalina/localhost/app", "1", 1800, session.this_accessed_time_ms)


def test_applications_share_the_table_and_not_the_sessions(engine: Any) -> None:
    manager, found = store(engine)
    _, other = store(engine, "/other")
    found.save(manager.create_session("A"))
    assert other.keys() == []
    assert other.load("A") is None
    other.clear()
    other.remove("A")
    assert found.keys() == ["A"]


def test_only_rows_whose_time_is_up_are_looked_at(engine: Any) -> None:
    clock = FakeClock()
    manager, found = store(engine, clock=clock)
    short, endless = manager.create_session("short"), manager.create_session("endless")
    short.max_inactive_interval = 10
    endless.max_inactive_interval = -1
    for session in (short, endless):
        found.save(session)
    clock.advance(9)
    assert found.expired_keys() == []
    clock.advance(1)
    assert found.expired_keys() == ["short"]


def test_names_that_are_not_bound_and_databases_that_fail_are_store_errors(engine: Any) -> None:
    from sqlalchemy import text

    manager, found = store(engine)
    with engine.begin() as connection:
        connection.execute(text('drop table "tomcat$sessions"'))
    with pytest.raises(StoreError, match="SQL Error"):
        found.keys()
    found.data_source_name = "jdbc/other"
    with pytest.raises(StoreError, match=r"Cannot open JNDI DataSource \[jdbc/other\]"):
        found.save(manager.create_session("A"))


def test_without_a_name_it_does_not_start(engine: Any) -> None:
    with pytest.raises(LifecycleError, match="No valid JNDI name"):
        DataSourceStore().start()


def jdbc_store(tmp_path: Path) -> tuple[PersistentManager, DataSourceStore]:
    """A store as Tomcat 9 and before wrote it, with a context that makes data sources."""
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        connection.execute(
            'create table "tomcat$sessions" (id varchar(100) primary key, app varchar(255), data blob, '
            "valid char(1), maxinactive int, lastaccess bigint)"
        )
    manager = PersistentManager(clock=FakeClock())
    manager.context = FakeContext("/app", parent=FakeHost(parent=FakeEngine()))
    found = DataSourceStore()
    for name, value in (("driverName", "org.sqlite.JDBC"), ("connectionURL", f"jdbc:sqlite:{tmp_path}/sessions.db")):
        assert found.set_attribute(name, value)
    manager.store = found
    found.manager = manager
    return manager, found


def test_jdbc_stores_attributes_make_a_connection_of_its_own(tmp_path: Path) -> None:
    manager, found = jdbc_store(tmp_path)
    found.start()
    check_store(manager, found)
    found.stop()


def test_a_database_that_has_no_driver_here_fails_the_start_with_the_reason(tmp_path: Path) -> None:
    _, found = jdbc_store(tmp_path)
    found.connection_url = "jdbc:derby:sessions"
    with pytest.raises(LifecycleError, match="jdbc:derby: is a Java database or one without a Python driver"):
        found.start()


def test_a_missing_package_is_said_at_the_start_and_not_with_the_first_session(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = store(engine)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(LifecycleError, match='start with CATALINA_EXTRAS="sql"'):
        found.start()
