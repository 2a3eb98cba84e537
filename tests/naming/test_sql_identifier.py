from __future__ import annotations

import pytest

from catalina.naming.sql_identifier import is_sql_identifier


@pytest.mark.parametrize("name", ["users", "shop.users", '"Users"', "`user`", "tomcat$sessions", "db.dbo.users"])
def test_names_of_tables_and_columns_pass(name: str) -> None:
    assert is_sql_identifier(name)


@pytest.mark.parametrize("name", ["", "users;drop table x", "a b", "1a", 'a"b', "users--", "a.b.c.d", "users\n"])
def test_what_is_more_than_a_name_does_not(name: str) -> None:
    assert not is_sql_identifier(name)
