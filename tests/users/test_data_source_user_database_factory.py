"""<Resource factory="org.apache.catalina.users.DataSourceUserDatabaseFactory"> beside its DataSource, and a realm."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.errors import NamingError
from catalina.naming.naming_context import NamingContext
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.resource_binder import ResourceBinder
from catalina.realm.user_database_realm import UserDatabaseRealm
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.users.data_source_user_database_factory import DataSourceUserDatabaseFactory
from tests.realm.realms import check_realm
from tests.support.stand_in import stand_in

ATTRIBUTES = {
    "factory": "org.apache.catalina.users.DataSourceUserDatabaseFactory", "dataSourceName": "jdbc/users",
    "readonly": "true", "userTable": "users", "userNameCol": "name", "userCredCol": "pass",
    "userRoleTable": "roles", "roleNameCol": "role",
}  # fmt: skip


def bound(tmp_path: Path, **changes: str) -> NamingContext:
    connection = sqlite3.connect(tmp_path / "users.db")
    connection.executescript(
        "drop table if exists users; drop table if exists roles;"
        "create table users (name, pass); create table roles (name, role);"
        "insert into users values ('bob', 'secret'); insert into roles values ('bob', 'user');"
    )
    connection.close()
    names = NamingContext()
    source = ContextResource(name="jdbc/users", type="javax.sql.DataSource")
    source.properties = {"url": f"jdbc:sqlite:{tmp_path}/users.db"}
    database = ContextResource(name="UserDatabase", type="org.apache.catalina.UserDatabase")
    database.properties = {**ATTRIBUTES, **changes}
    for entry in (source, database):
        ResourceBinder(names).bind(entry)
    return names


def test_users_of_the_tables_log_in(tmp_path: Path) -> None:
    names = bound(tmp_path)
    realm: Any = UserDatabaseRealm()
    realm.container = stand_in(StandardContext, server=stand_in(StandardServer, global_naming_resources=names))
    realm.start()
    check_realm(realm)
    principal = realm.authenticate("bob", "secret")
    assert principal is not None
    assert principal.roles == ("user",)
    realm.stop()
    names.close()


def test_a_name_that_is_none_is_refused_with_the_resource(tmp_path: Path) -> None:
    with pytest.raises(NamingError, match=r"Resource \[UserDatabase\]: userTable='a b' is no name"):
        bound(tmp_path, userTable="a b").lookup("UserDatabase")
    with pytest.raises(NamingError, match="readonly='perhaps': expected true or false"):
        bound(tmp_path / ".", readonly="perhaps").lookup("UserDatabase")


def test_it_needs_a_data_source() -> None:
    with pytest.raises(NamingError, match="needs the attribute dataSourceName"):
        DataSourceUserDatabaseFactory().get_object(ResourceSpec("UserDatabase", ""))
