"""Pools by users; SQLite has no users, so the pools' database is chosen by the user's name here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from catalina.errors import NamingError
from catalina.naming.data_source_by_user import MAX_USERS, DataSourceByUser, make_data_source_by_user
from catalina.naming.object_factory import ResourceSpec
from catalina.tomcat.dbcp.dbcp2.cpdsadapter.driver_adapter_cpds import DriverAdapterCPDS


def by_user(tmp_path: Path, made: list[str | None] | None = None) -> DataSourceByUser:
    def make(username: str | None, password: str | None) -> Any:
        if made is not None:
            made.append(username)
        where = "no/such/directory" if password == "wrong" else f"{username}.db"
        return create_engine(f"sqlite:///{tmp_path}/{where}")

    return DataSourceByUser(make)


def test_each_user_has_a_pool_of_his_own_that_is_made_once(tmp_path: Path) -> None:
    made: list[str | None] = []
    source = by_user(tmp_path, made)
    for user in ("ann", "bob", "ann", None):
        with source.connect(user, "secret") as connection:
            assert connection.execute(text("select 1")).scalar() == 1
    assert made == ["ann", "bob", None]
    source.dispose()


def test_who_comes_with_another_password_is_asked_for_by_the_database(tmp_path: Path) -> None:
    source = by_user(tmp_path)
    first = source.engine("ann", "old")
    with pytest.raises(OperationalError):
        source.engine("ann", "wrong")
    assert source.engine("ann", "old") is first
    assert source.engine("ann", "new") is not first
    source.dispose()


def test_pools_are_bounded_in_number(tmp_path: Path) -> None:
    made: list[str | None] = []
    source = by_user(tmp_path, made)
    for number in range(MAX_USERS + 1):
        source.engine(f"user{number}", "x")
    source.engine("user0", "x")
    assert made.count("user0") == 2
    source.dispose()


def spec(tmp_path: Path, source: object, **properties: str) -> ResourceSpec:
    given = {"dataSourceName": "jdbc/source", **properties}
    return ResourceSpec("jdbc/shop", "", given, lookup=lambda name: source if name == "jdbc/source" else None)


def test_the_connections_come_from_the_named_adapter(tmp_path: Path) -> None:
    made = make_data_source_by_user(spec(tmp_path, DriverAdapterCPDS(f"jdbc:sqlite:{tmp_path}/shop.db")))
    with made.begin() as connection:
        connection.execute(text("create table t (x)"))
    made.dispose()
    assert (tmp_path / "shop.db").exists()


def test_the_users_of_a_shared_pool_share_its_limit(tmp_path: Path) -> None:
    adapter = DriverAdapterCPDS(f"jdbc:sqlite:{tmp_path}/shop.db")
    made = make_data_source_by_user(spec(tmp_path, adapter, maxTotal="2", maxWaitMillis="10"), shared=True)
    first, second = made.connect(), made.connect()
    with pytest.raises(PoolTimeoutError, match="all 2 connections are in use"):
        made.connect()
    first.close()
    made.connect().close()
    second.close()
    made.dispose()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [(None, "is a NoneType, expected a DriverAdapterCPDS"), (DriverAdapterCPDS(), "expected a DriverAdapterCPDS")],
)
def test_what_is_no_source_of_connections_is_refused(tmp_path: Path, source: object, complaint: str) -> None:
    with pytest.raises(NamingError, match=complaint):
        make_data_source_by_user(spec(tmp_path, source))


def test_without_a_source_it_says_what_is_missing() -> None:
    with pytest.raises(NamingError, match="needs the attribute dataSourceName"):
        make_data_source_by_user(ResourceSpec("jdbc/shop", "", {}))
