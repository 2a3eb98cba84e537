"""PersistentManager, the HOW-TO's second way: nodes that do not know each other share a store, and one is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.node import Node
from tests.support.narrowing import there
from tests.support.needs import need_module
from tests.support.postgresql import PASSWORD, USER, postgresql

pytestmark = pytest.mark.cluster

#: One context of each node. JvmRouteBinderValve gives a session that moves the route of its new node.
CONTEXT = """
<Context>
  {resource}
  <Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
  <Valve className="org.apache.catalina.valves.PersistentValve"/>
  <Manager className="org.apache.catalina.session.PersistentManager" maxIdleBackup="-1">
    {store}
  </Manager>
</Context>
"""
#: Tomcat's own table, as its documentation describes it.
TABLE = """
create table tomcat_sessions (
  session_id varchar(100) not null primary key, valid_session char(1) not null, max_inactive int not null,
  last_access bigint not null, app_name varchar(255), session_data bytea)
"""
COLUMNS = (
    'sessionTable="tomcat_sessions" sessionIdCol="session_id" sessionValidCol="valid_session" '
    'sessionMaxInactiveCol="max_inactive" sessionLastAccessedCol="last_access" sessionAppCol="app_name" '
    'sessionDataCol="session_data"'
)


@pytest.fixture(scope="module")
def database() -> Iterator[int]:
    """The port of a PostgreSQL that has the table."""
    need_module("sqlalchemy")
    from sqlalchemy import create_engine, text

    with postgresql() as port:
        engine = create_engine(f"postgresql+psycopg://{USER}:{PASSWORD.replace('@', '%40')}@127.0.0.1:{port}/shop")
        with engine.begin() as connection:
            connection.execute(text(TABLE))
        engine.dispose()
        yield port


def file_store(directory: Path) -> tuple[str, str]:
    """A directory that both nodes have, as on a file server."""
    return "", f'<Store className="org.apache.catalina.session.FileStore" directory="{directory}"/>'


def data_source_store(port: int) -> tuple[str, str]:
    """The database of a <Resource>."""
    resource = (
        '<Resource name="jdbc/sessions" type="javax.sql.DataSource" driverClassName="org.postgresql.Driver" '
        f'url="jdbc:postgresql://127.0.0.1:{port}/shop" username="{USER}" password="{PASSWORD}"/>'
    )
    store = (
        '<Store className="org.apache.catalina.session.DataSourceStore" dataSourceName="jdbc/sessions" '
        f'localDataSource="true" {COLUMNS}/>'
    )
    return resource, store


def jdbc_store(port: int) -> tuple[str, str]:
    """The HOW-TO's form up to Tomcat 9: user and password stand in the URL."""
    url = f"jdbc:postgresql://127.0.0.1:{port}/shop?user={USER}&amp;password={PASSWORD.replace('@', '%40')}"
    store = (
        '<Store className="org.apache.catalina.session.JDBCStore" driverName="org.postgresql.Driver" '
        f'connectionURL="{url}" {COLUMNS}/>'
    )
    return "", store


def check_that_the_count_goes_on(make_node: Callable[..., Node], resource: str, store: str) -> None:
    """A session counts on over the death of each of two nodes, and ends for both."""
    context = CONTEXT.format(resource=resource, store=store)
    a, b = (make_node(name, context_xml=context, workers=1) for name in ("p1", "p2"))  # workers refuse PersistentValve
    for node in (a, b):
        node.start(wait=False)
    for node in (a, b):
        node.wait_started()

    first = a.get("/count")
    a.get("/cart?owner=ann", first.session_id)
    a.kill()
    moved = b.get("/count", first.session_id)
    assert moved.values == {"count": 2, "cart": {"items": [], "owner": "ann"}}
    assert moved.session_id == there(first.session_id).replace(".p1", ".p2")
    b.get("/add?item=pear", moved.session_id)

    a.start()
    b.kill()
    back = a.get("/count", moved.session_id)
    assert back.values == {"count": 3, "cart": {"items": ["pear"], "owner": "ann"}}
    assert back.session_id == first.session_id

    b.start()
    a.get("/invalidate", back.session_id)
    a.kill()
    assert b.get("/show", back.session_id).json["id"] is None
    assert "Traceback" not in a.log + b.log


def test_with_a_directory_that_both_nodes_have(make_node: Callable[..., Node], tmp_path: Path) -> None:
    check_that_the_count_goes_on(make_node, *file_store(tmp_path / "sessions"))


@pytest.mark.interop
@pytest.mark.parametrize("make_store", [data_source_store, jdbc_store])
def test_with_a_table_of_postgresql(
    make_node: Callable[..., Node], database: int, make_store: Callable[[int], tuple[str, str]]
) -> None:
    check_that_the_count_goes_on(make_node, *make_store(database))
