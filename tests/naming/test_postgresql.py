"""DataSources, DataSourceRealm and the database access log on a real PostgreSQL."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.naming.data_source import make_engine
from catalina.naming.data_source_by_user import make_data_source_by_user
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2
from catalina.realm.data_source_realm import DataSourceRealm
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler
from catalina.session.data_source_store import DataSourceStore
from catalina.session.persistent_manager import PersistentManager
from catalina.tomcat.dbcp.dbcp2.cpdsadapter.driver_adapter_cpds import DriverAdapterCPDS
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.users.data_source_user_database import DataSourceUserDatabase
from catalina.valves.jdbc_access_log_valve import JDBCAccessLogValve
from tests.realm.realms import check_realm
from tests.session.support import FakeClock, FakeContext, FakeEngine, FakeHost
from tests.session.test_store_base import check_store
from tests.support.narrowing import there
from tests.support.postgresql import PASSWORD, USER, postgresql
from tests.valves.exchange import make_request

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def port():
    with postgresql() as port:
        yield port


def url(port, parameters=""):
    return f"jdbc:postgresql://127.0.0.1:{port}/shop{parameters}"


def make(port, parameters="", **properties):
    values = {"url": url(port, parameters), "username": USER, "password": PASSWORD, **properties}
    return make_engine(ResourceSpec("jdbc/shop", "javax.sql.DataSource", values), DBCP2)


def test_a_resource_is_looked_up_and_queried_as_an_application_does(port):
    resource = ContextResource(name="jdbc/shop", type="javax.sql.DataSource")
    for name, value in (("url", url(port)), ("username", USER), ("password", PASSWORD), ("maxTotal", "2")):
        resource.set_attribute(name, value)
    resources = NamingResourcesImpl()
    resources.add(resource)
    resources.start()
    engine = resources.lookup("java:comp/env/jdbc/shop")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS article (name text)"))
        connection.execute(text("INSERT INTO article VALUES (:name)"), {"name": "tea"})
        assert "tea" in connection.execute(text("SELECT name FROM article")).scalars()
    resources.stop()
    assert engine.pool.checkedin() == 0


def test_the_pool_has_the_size_that_was_asked_for(port):
    engine = make(port, maxTotal="2", maxIdle="1", maxWaitMillis="200")
    first, second = engine.connect(), engine.connect()
    with pytest.raises(PoolTimeoutError):
        engine.connect()
    first.close()
    third = engine.connect()
    second.close()
    third.close()
    assert engine.pool.checkedin() == 1
    engine.dispose()


def test_waiting_for_a_connection_ends_when_one_comes_back(port):
    engine = make(port, maxTotal="1")
    held = engine.connect()
    got = threading.Event()

    def wait():
        with engine.connect():
            got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not got.is_set()
    held.close()
    assert got.wait(10)
    thread.join(10)
    engine.dispose()


def test_a_connection_that_the_server_has_cut_is_replaced(port):
    engine = make(port, maxTotal="2")
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    other = make(port, maxTotal="1")
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    other.dispose()


def test_initial_connections_are_open_before_anybody_asks(port):
    engine = make(port, initialSize="3", maxTotal="5")
    assert engine.pool.checkedin() == 3
    engine.dispose()


def test_settings_reach_the_connection(port):
    engine = make(
        port, "?ApplicationName=catalina&currentSchema=pg_catalog", connectionInitSqls="SET statement_timeout = 1234",
        defaultTransactionIsolation="SERIALIZABLE", defaultReadOnly="true",
    )  # fmt: skip
    with engine.connect() as connection:

        def show(name):
            return connection.execute(text(f"SHOW {name}")).scalar()

        assert show("application_name") == "catalina"
        assert show("search_path") == "pg_catalog"
        assert show("statement_timeout") == "1234ms"
        assert show("transaction_isolation") == "serializable"
        assert show("transaction_read_only") == "on"
    engine.dispose()


def test_autocommit_needs_no_commit(port):
    engine = make(port, defaultAutoCommit="true")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE auto (x int)"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM auto")).scalar() == 0
        connection.execute(text("DROP TABLE auto"))
    engine.dispose()


def test_users_of_the_database_log_in(port):
    handler = SecretKeyCredentialHandler(iterations=100)
    engine = make(port)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (name varchar(20), pass varchar(200))"))
        connection.execute(text("CREATE TABLE roles (name varchar(20), role char(10))"))
        connection.execute(text("INSERT INTO users VALUES ('bob', :pass)"), {"pass": handler.mutate("secret")})
        connection.execute(text("INSERT INTO roles VALUES ('bob', 'user')"))
    engine.dispose()
    realm = DataSourceRealm(
        connection_url=url(port), connection_name=USER, connection_password=PASSWORD, user_table="users",
        user_name_col="name", user_cred_col="pass", user_role_table="roles", role_name_col="role",
    )  # fmt: skip
    realm.set_credential_handler(handler)
    realm.start()
    check_realm(realm)
    realm.stop()


def test_users_of_the_database_log_in_through_a_user_database(port):
    engine = make(port)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (name varchar(20), pass varchar(200))"))
        connection.execute(text("CREATE TABLE people_roles (name varchar(20), role char(10))"))
        connection.execute(text("INSERT INTO people VALUES ('bob', 'secret')"))
        connection.execute(text("INSERT INTO people_roles VALUES ('bob', 'user')"))
    database = DataSourceUserDatabase(
        engine, user_table="people", user_name_col="name", user_cred_col="pass", user_role_table="people_roles",
        role_name_col="role", readonly=False,
    )  # fmt: skip
    database.open()
    assert database.roles_of("bob") == ("user",)
    there(database.create_user("eve", "hush")).roles.append("admin")
    database.save()
    assert [user.name for user in database.users] == ["bob", "eve"]
    assert database.roles_of("eve") == ("admin",)
    engine.dispose()


def test_each_user_of_a_pool_signs_on_as_himself(port):
    engine = make(port)
    with engine.begin() as connection:
        for user, password in (("ann", "of ann"), ("eve", "of eve")):
            connection.execute(text(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'"))
    engine.dispose()
    adapter = DriverAdapterCPDS(url(port), USER, PASSWORD)
    spec = ResourceSpec("jdbc/people", "", {"dataSourceName": "x", "maxTotal": "2"}, lookup=lambda _name: adapter)
    source = make_data_source_by_user(spec, shared=True)
    people: list[tuple[str, str] | tuple[None, None]] = [(None, None), ("ann", "of ann"), ("eve", "of eve")]
    for name, secret in people:
        with source.connect(name, secret) as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == (name or USER)
    with pytest.raises(OperationalError):
        source.connect("ann", "of eve")
    source.dispose()


def test_sessions_are_rows_that_another_node_reads(port):
    engine = make(port)
    with engine.begin() as connection:
        connection.execute(text(
            'CREATE TABLE "tomcat$sessions" (id varchar(100) primary key, app varchar(255), data bytea,'
            " valid char(1), maxinactive int, lastaccess bigint)"
        ))  # fmt: skip
    engine.dispose()
    stores = []
    for _node in range(2):
        manager = PersistentManager(clock=FakeClock())
        manager.context = FakeContext("/app", parent=FakeHost(parent=FakeEngine()))
        store = DataSourceStore(connection_url=url(port), connection_name=USER, connection_password=PASSWORD)
        manager.store, store.manager = store, manager
        store.start()
        stores.append((manager, store))
    (manager, first), (_, second) = stores
    check_store(manager, first)
    session = manager.create_session("shared")
    session.set_attribute("cart", [1, 2])
    first.save(session)
    assert there(second.load("shared")).get_attribute("cart") == [1, 2]
    for _, store in stores:
        store.stop()


def test_the_access_log_is_written_to_a_table(port):
    engine = make(port)
    with engine.begin() as connection:
        connection.execute(text(
            "CREATE TABLE access"
            " (remoteHost text, userName text, timestamp timestamptz, query text, status int, bytes int)"
        ))  # fmt: skip
    valve = JDBCAccessLogValve(connection_url=url(port), connection_name=USER, connection_password=PASSWORD)
    valve.start()
    request, response = make_request("/shop")
    valve.log(request, response, 1)
    valve.stop()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT query, status FROM access")).one() == ("/shop", 200)
    engine.dispose()
