"""HikariCP's names."""

import pytest

from catalina.errors import NamingError
from catalina.naming.hikari_factory import HikariFactory
from catalina.naming.object_factory import ResourceSpec


def test_its_properties_are_translated(tmp_path):
    properties = {
        "jdbcUrl": f"jdbc:sqlite:{tmp_path}/x.db",
        "maximumPoolSize": "7",
        "dataSource.user": "",
        "autoCommit": "true",
    }
    engine = HikariFactory().get_object(ResourceSpec("jdbc/x", "javax.sql.DataSource", properties))
    assert str(engine.url).endswith("x.db")
    assert engine.get_execution_options() == {} or engine is not None
    engine.dispose()


def test_errors_name_hikaris_properties():
    properties = {"jdbcUrl": "jdbc:sqlite:x.db", "maximumPoolSize": "${pool.size}"}
    with pytest.raises(NamingError, match=r"maximumPoolSize='\$\{pool.size\}': expected a whole number"):
        HikariFactory().get_object(ResourceSpec("jdbc/x", "javax.sql.DataSource", properties))
