"""Users, groups and roles in tables; SQLite here, PostgreSQL in tests/naming."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from catalina.errors import ConfigurationError
from catalina.users.data_source_user_database import DataSourceUserDatabase

TABLES = {
    "user_table": "users", "user_name_col": "name", "user_cred_col": "pass", "user_full_name_col": "full_name",
    "user_role_table": "user_roles", "role_name_col": "role", "user_group_table": "user_groups",
    "group_name_col": "grp", "group_role_table": "group_roles", "group_table": "groups", "role_table": "roles",
    "role_and_group_description_col": "about",
}  # fmt: skip

SCHEMA = (
    "create table users (name text primary key, pass text, full_name text)",
    "create table user_roles (name text, role text)",
    "create table user_groups (name text, grp text)",
    "create table group_roles (grp text, role text)",
    "create table groups (grp text, about text)",
    "create table roles (role text, about text)",
    "insert into users values ('bob', ' secret ', 'Bob B.'), ('ann', null, null)",
    "insert into user_roles values ('bob', 'user')",
    "insert into user_groups values ('bob', 'staff')",
    "insert into group_roles values ('staff', 'admin')",
    "insert into groups values ('staff', 'All of us')",
    "insert into roles values ('user', null), ('admin', 'May do all')",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    made = create_engine(f"sqlite:///{tmp_path}/users.db")
    with made.begin() as connection:
        for statement in SCHEMA:
            connection.execute(text(statement))
    yield made
    made.dispose()


def opened(engine: Any, **values: Any) -> DataSourceUserDatabase:
    database = DataSourceUserDatabase(engine, "UserDatabase", **{**TABLES, **values})
    database.open()
    return database


def test_a_user_has_his_own_roles_and_those_of_his_groups(engine: Any) -> None:
    database = opened(engine)
    bob = database.find_user("bob")
    assert bob is not None
    assert (bob.password, bob.full_name, bob.groups, bob.roles) == ("secret", "Bob B.", ["staff"], ["user"])
    assert database.roles_of("bob") == ("admin", "user")
    assert database.roles_of("nobody") == ()
    assert database.find_user("nobody") is None


def test_a_change_in_a_table_holds_at_once(engine: Any) -> None:
    database = opened(engine)
    with engine.begin() as connection:
        connection.execute(text("delete from user_groups"))
    assert database.roles_of("bob") == ("user",)


def test_all_are_listed(engine: Any) -> None:
    database = opened(engine)
    assert [user.name for user in database.users] == ["ann", "bob"]
    assert [(group.name, group.description, group.roles) for group in database.groups] == [
        ("staff", "All of us", ["admin"])
    ]
    assert [(role.name, role.description) for role in database.roles] == [("admin", "May do all"), ("user", None)]


def test_users_and_passwords_alone_suffice(engine: Any) -> None:
    database = DataSourceUserDatabase(engine, user_table="users", user_name_col="name", user_cred_col="pass")
    database.open()
    assert database.find_user("bob") is not None
    assert database.roles_of("bob") == ()
    assert (database.groups, database.roles) == ((), ())


def test_what_is_saved_is_in_the_tables_and_nothing_before(engine: Any) -> None:
    database = opened(engine, readonly=False)
    eve = database.create_user("eve", "hush", "Eve")
    assert eve is not None
    eve.roles.append("user")
    eve.groups.append("staff")
    database.remove_user("ann")
    database.remove_group("staff")
    assert database.create_user("bob", "x") is None
    assert opened(engine).find_user("eve") is None
    database.save()
    again = opened(engine)
    assert [user.name for user in again.users] == ["bob", "eve"]
    assert again.roles_of("eve") == ("user",)
    assert again.find_group("staff") is None


def test_a_read_only_database_is_never_written(engine: Any, caplog: pytest.LogCaptureFixture) -> None:
    database = opened(engine)
    database.create_user("eve", "hush")
    database.save()
    assert "has been configured to be read only" in caplog.text
    assert opened(engine).find_user("eve") is None


def test_a_database_that_fails_lets_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = opened(create_engine(f"sqlite:///{tmp_path}/no/such/directory"))
    assert database.find_user("bob") is None
    assert not database.is_available
    assert "the table [users] cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"user_table": ""}, "userTable is missing"),
        ({"user_cred_col": "pass from users; --"}, "userCredCol='pass from users; --' is no name of a table or column"),
    ],
)
def test_names_that_are_none_are_refused(engine: Any, values: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        opened(engine, **values)
