"""Users in a database; SQLite here, PostgreSQL in tests/naming."""

import sqlite3
import sys

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.errors import LifecycleError, NamingError
from catalina.realm.data_source_realm import DataSourceRealm
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from tests.realm.realms import check_realm
from tests.support.stand_in import stand_in

TABLES = {
    "user_table": "users", "user_name_col": "name", "user_cred_col": "pass",
    "user_role_table": "roles", "role_name_col": "role",
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "users.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (name, pass)")
    connection.execute("CREATE TABLE roles (name, role)")
    connection.execute("INSERT INTO users VALUES ('bob', ' secret '), ('ann', NULL)")
    connection.execute("INSERT INTO roles VALUES ('bob', ' user '), ('bob', NULL), ('bob', 'admin')")
    connection.commit()
    connection.close()
    return path


def with_resource(realm, path):
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    resources = stand_in(NamingResourcesImpl, lookup=lambda name: engine)
    realm.container = stand_in(
        StandardContext, server=stand_in(StandardServer, global_naming_resources=resources), lookup=lambda name: engine
    )
    return realm


def test_users_of_the_data_source_log_in(path):
    realm = with_resource(DataSourceRealm(data_source_name="jdbc/users", **TABLES), path)
    realm.start()
    check_realm(realm)
    assert realm.authenticate("bob", "secret").roles == ("admin", "user")
    assert realm.authenticate("ann", "") is None


def test_the_data_source_can_be_the_applications_own(path):
    realm = with_resource(DataSourceRealm(data_source_name="jdbc/users", local_data_source=True, **TABLES), path)
    realm.start()
    check_realm(realm)


def test_jdbc_realms_attributes_make_a_connection_of_their_own(path):
    realm = DataSourceRealm(**TABLES)
    realm.set_attribute("connectionURL", f"jdbc:sqlite:{path}")
    realm.set_attribute("driverName", "org.sqlite.JDBC")
    realm.start()
    check_realm(realm)
    realm.stop()


def test_credentials_are_compared_by_the_handler(path):
    handler = MessageDigestCredentialHandler(algorithm="SHA-256")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE users SET pass = ? WHERE name = 'bob'", (handler.mutate("secret"),))
    connection.commit()
    connection.close()
    realm = with_resource(DataSourceRealm(data_source_name="x", **TABLES), path)
    realm.set_credential_handler(handler)
    realm.start()
    check_realm(realm)


@pytest.mark.parametrize("username", ["' OR '1'='1", "bob'; DROP TABLE users; --", "bob\0"])
def test_a_user_name_is_never_a_statement(path, username):
    realm = with_resource(DataSourceRealm(data_source_name="x", **TABLES), path)
    realm.start()
    assert realm.authenticate(username, "secret") is None
    check_realm(realm)


def test_without_roles_table_a_user_has_no_roles(path):
    values = {**TABLES, "user_role_table": "", "role_name_col": ""}
    realm = with_resource(DataSourceRealm(data_source_name="x", all_roles_mode="authOnly", **values), path)
    realm.start()
    assert realm.authenticate("bob", "secret").roles == ()


def test_a_database_that_is_down_makes_logins_fail_and_the_realm_unavailable(path, caplog):
    def lookup(name):
        raise NamingError("not bound")

    realm = DataSourceRealm(data_source_name="x", **TABLES)
    realm.container = stand_in(
        StandardContext,
        server=stand_in(StandardServer, global_naming_resources=stand_in(NamingResourcesImpl, lookup=lookup)),
    )
    realm.start()
    assert realm.authenticate("bob", "secret") is None
    assert realm.get_password("bob") is None
    assert realm.authenticate_name("bob") is None
    assert not realm.is_available
    assert "Exception performing authentication" in caplog.text


def test_tables_that_are_not_there_make_logins_fail(path, caplog):
    realm = with_resource(DataSourceRealm(data_source_name="x", **{**TABLES, "user_table": "nothing"}), path)
    realm.start()
    assert realm.authenticate("bob", "secret") is None
    assert "Exception retrieving password for [bob]" in caplog.text
    realm = with_resource(DataSourceRealm(data_source_name="x", **{**TABLES, "user_role_table": "nothing"}), path)
    realm.start()
    assert realm.authenticate("bob", "secret").roles == ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"user_table": ""}, "userTable is missing"),
        ({"role_name_col": ""}, "both userRoleTable and roleNameCol"),
        ({"user_table": "users; DROP TABLE users"}, "no name of a table"),
    ],
)
def test_what_cannot_work_stops_the_start(changes, text):
    with pytest.raises(LifecycleError, match=text):
        DataSourceRealm(**{**TABLES, **changes}).start()


def test_a_driver_that_is_missing_keeps_everybody_out_and_not_the_server(caplog):
    realm = DataSourceRealm(**TABLES, connection_url="jdbc:h2:x")
    realm.start()
    assert "nobody can log in: " in caplog.text
    assert "jdbc:h2:" in caplog.text
    assert realm.authenticate("bob", "secret") is None
    assert realm.get_password("bob") is None
    assert not realm.is_available


def test_without_sqlalchemy_nobody_gets_in_and_the_extra_is_named(monkeypatch, caplog, path):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    realm = DataSourceRealm(**TABLES, connection_url=f"jdbc:sqlite:{path}")
    realm.start()
    assert 'start with CATALINA_EXTRAS="sql"' in caplog.text
    assert realm.authenticate("bob", "secret") is None
    assert realm.get_principal("bob") is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("mail",), {"mail": "bob@example.org"}), (("mail", "pass", "PASS"), {"mail": "bob@example.org"}), ((), {}),
     (("*",), {"name": "bob", "mail": "bob@example.org"}), (("none",), {})],
)  # fmt: skip
def test_the_principal_carries_what_user_attributes_names(path, names, expected):
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE users ADD mail")
    connection.execute("UPDATE users SET mail = 'bob@example.org' WHERE name = 'bob'")
    connection.commit()
    connection.close()
    realm = with_resource(DataSourceRealm(data_source_name="jdbc/users", user_attributes=names, **TABLES), path)
    realm.start()
    assert realm.authenticate("bob", "secret").attributes == expected
    assert realm.get_principal("bob").attributes == expected


def test_a_name_in_user_attributes_is_that_of_a_column(path):
    realm = with_resource(DataSourceRealm(data_source_name="jdbc/users", user_attributes=("a; DROP",), **TABLES), path)
    with pytest.raises(LifecycleError, match="no name of a table or column"):
        realm.start()


def test_a_resource_that_is_no_data_source_is_said(caplog):
    realm = DataSourceRealm(data_source_name="jdbc/users", **TABLES)
    realm.container = stand_in(
        StandardContext,
        server=stand_in(
            StandardServer, global_naming_resources=stand_in(NamingResourcesImpl, lookup=lambda name: "a text")
        ),
    )
    realm.start()
    assert realm.authenticate("bob", "secret") is None
    assert "[jdbc/users] is a str, expected a DataSource" in caplog.text
