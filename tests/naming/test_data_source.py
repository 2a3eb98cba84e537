"""DataSources on SQLite; the same on PostgreSQL in test_postgresql."""

import logging
import sys

import pytest
from sqlalchemy import text

from catalina.errors import NamingError
from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2


def make(**properties):
    return make_engine(ResourceSpec("jdbc/shop", "javax.sql.DataSource", properties), DBCP2)


def test_an_engine_answers_queries(tmp_path):
    engine = make(url=f"jdbc:sqlite:{tmp_path}/x.db", driverClassName="org.sqlite.JDBC", maxTotal="5")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_statements_of_each_new_connection_are_executed(tmp_path):
    engine = make(url=f"jdbc:sqlite:{tmp_path}/x.db", connectionInitSqls="CREATE TABLE IF NOT EXISTS t (x)")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    engine.dispose()


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "needs the attribute url"),
        ({"url": "jdbc:h2:x"}, "h2"),
        ({"url": "jdbc:mysql://db/x"}, "pymysql"),
        ({"url": "nothing://x"}, "nothing"),
        ({"url": "jdbc:sqlite:x", "maxTotal": "many"}, "maxTotal"),
    ],
)
def test_what_cannot_be_made_is_an_error_that_names_the_resource(properties, message):
    with pytest.raises(NamingError, match=rf"Resource \[jdbc/shop\].*{message}"):
        make(**properties)


def test_without_sqlalchemy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(NamingError, match='the extra sql: start with CATALINA_EXTRAS="sql"'):
        make(url="jdbc:sqlite:x")


def test_a_database_that_is_down_at_the_start_is_said_and_tried_again_later(caplog):
    with caplog.at_level(logging.ERROR):
        engine = make(url="jdbc:postgresql://127.0.0.1:9/x", initialSize="1", maxTotal="1")
    assert "Unable to create initial connections of pool" in caplog.text
    engine.dispose()


def test_attributes_without_effect_are_said(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        make(url=f"jdbc:sqlite:{tmp_path}/x.db", removeAbandoned="true").dispose()
    assert "removeAbandoned" in caplog.text
