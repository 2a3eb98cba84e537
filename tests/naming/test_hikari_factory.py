"""HikariCP's names."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from catalina.errors import NamingError
from catalina.naming.hikari_factory import HikariFactory
from catalina.naming.object_factory import ResourceSpec
from tests.support.narrowing import of_type


def test_its_properties_are_translated() -> None:
    properties = {
        "jdbcUrl": "jdbc:postgresql://db.example/x",
        "maximumPoolSize": "7",
        "dataSource.user": "ann",
        "autoCommit": "true",
    }
    spec = ResourceSpec("jdbc/x", "javax.sql.DataSource", properties)
    engine = of_type(Engine, HikariFactory().get_object(spec))
    assert (engine.url.host, engine.url.username) == ("db.example", "ann")
    assert of_type(QueuePool, engine.pool).size() == 7
    engine.dispose()


def test_errors_name_hikaris_properties():
    properties = {"jdbcUrl": "jdbc:sqlite:x.db", "maximumPoolSize": "${pool.size}"}
    with pytest.raises(NamingError, match=r"maximumPoolSize='\$\{pool.size\}': expected a whole number"):
        HikariFactory().get_object(ResourceSpec("jdbc/x", "javax.sql.DataSource", properties))
