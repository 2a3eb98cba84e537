from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from catalina.naming.naming_context import NamingContext
from catalina.naming.resource_binder import ResourceBinder
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource

DBCP2 = "org.apache.tomcat.dbcp.dbcp2"


def assert_it_gives_connections(factory: str, tmp_path: Path) -> None:
    """A DataSource whose factory takes its connections from a DriverAdapterCPDS of another name."""
    names = NamingContext()
    binder = ResourceBinder(names)
    source = ContextResource(name="jdbc/source", type=f"{DBCP2}.cpdsadapter.DriverAdapterCPDS")
    source.properties = {"driver": "org.sqlite.JDBC", "url": f"jdbc:sqlite:{tmp_path}/x.db"}
    pool = ContextResource(name="jdbc/shop", type="javax.sql.DataSource")
    pool.properties = {
        "factory": f"{DBCP2}.datasources.{factory}",
        "dataSourceName": "java:comp/env/jdbc/source",
    }
    binder.bind(source)
    binder.bind(pool)
    found = names.lookup("jdbc/shop")
    with found.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    names.close()
