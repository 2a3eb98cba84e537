"""Attributes of Java's pools."""

import pytest

from catalina.errors import NamingError
from catalina.naming.pool_settings import DBCP2, JDBC_POOL, read_settings


def engine(properties, defaults=DBCP2):
    return read_settings(properties, defaults).engine


def test_dbcps_defaults_are_eight_connections_tested_and_waited_for():
    assert engine({}) == {
        "pool_size": 8, "max_overflow": 0, "pool_timeout": None, "pool_use_lifo": True, "pool_pre_ping": True,
        "pool_recycle": -1,
    }  # fmt: skip


def test_the_jdbc_pools_defaults_are_a_hundred_with_thirty_seconds():
    settings = read_settings({}, JDBC_POOL)
    assert settings.engine["pool_size"] == 100
    assert settings.engine["pool_timeout"] == 30.0
    assert settings.engine["pool_pre_ping"] is False
    assert settings.initial_size == 10


@pytest.mark.parametrize(
    ("properties", "size", "overflow"),
    [
        ({"maxTotal": "20", "maxIdle": "5"}, 5, 15),
        ({"maxActive": "20", "maxIdle": "5"}, 5, 15),
        ({"maxTotal": "4"}, 4, 0),
        ({"maxTotal": "-1", "maxIdle": "5"}, 5, -1),
        ({"maxIdle": "0"}, 1, 7),
        ({"maxIdle": "-1"}, 8, 0),
    ],
)
def test_idle_connections_are_kept_and_the_rest_overflows(properties, size, overflow):
    settings = engine(properties)
    assert (settings["pool_size"], settings["max_overflow"]) == (size, overflow)


def test_times_are_milliseconds():
    settings = engine({"maxWaitMillis": "1500", "maxConnLifetimeMillis": "60000"})
    assert settings["pool_timeout"] == 1.5
    assert settings["pool_recycle"] == 60
    assert engine({"maxWait": "100"})["pool_timeout"] == 0.1
    assert engine({"maxAge": "100"}, JDBC_POOL)["pool_recycle"] == 1


@pytest.mark.parametrize(
    ("properties", "level"),
    [
        ({"defaultTransactionIsolation": "READ_COMMITTED"}, "READ COMMITTED"),
        ({"defaultTransactionIsolation": "8"}, "SERIALIZABLE"),
        ({"defaultAutoCommit": "true"}, "AUTOCOMMIT"),
        ({"defaultAutoCommit": "false"}, None),
        ({}, None),
    ],
)
def test_isolation_and_autocommit(properties, level):
    assert engine(properties).get("isolation_level") == level


def test_the_rest_of_the_connection():
    settings = read_settings(
        {
            "connectionInitSqls": "SET x; SET y ;", "defaultReadOnly": "true", "connectionProperties": "a=1;b=x=y;c",
            "testOnBorrow": "false", "lifo": "false", "rollbackOnReturn": "false", "initialSize": "3", "minIdle": "5",
        },
        DBCP2,
    )  # fmt: skip
    assert settings.init_sql == ("SET x", "SET y")
    assert settings.read_only
    assert settings.connect_arguments == {"a": "1", "b": "x=y"}
    assert settings.engine["pool_pre_ping"] is False
    assert settings.engine["pool_use_lifo"] is False
    assert settings.engine["pool_reset_on_return"] is None
    assert settings.initial_size == 5


def test_what_has_no_effect_is_collected():
    settings = read_settings({"removeAbandoned": "true", "nonsense": "1", "url": "x", "driverClassName": "y"}, DBCP2)
    assert settings.ignored == {"removeAbandoned", "nonsense"}


def test_a_number_that_is_none_is_an_error():
    with pytest.raises(NamingError, match="maxTotal='many'"):
        read_settings({"maxTotal": "many"}, DBCP2)


def test_an_error_names_what_the_operators_file_says():
    with pytest.raises(NamingError, match=r"^maxActive='many': expected a whole number$"):
        read_settings({"maxActive": "many"}, DBCP2)
    with pytest.raises(NamingError, match=r"^maximumPoolSize='many'"):
        read_settings({"maxTotal": "many"}, DBCP2, {"maxTotal": "maximumPoolSize"})
