"""The access log in a database; SQLite here."""

import logging
import sqlite3

import pytest

from catalina.errors import LifecycleError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.valves.jdbc_access_log_valve import JDBCAccessLogValve
from tests.valves.exchange import make_request

COLUMNS = "remoteHost, userName, timestamp, query, status, bytes, virtualHost, method, referer, userAgent"


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "log.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE access ({COLUMNS})")
    connection.commit()
    yield path, connection
    connection.close()


def make(path, **values):
    valve = JDBCAccessLogValve(connection_url=f"jdbc:sqlite:{path}", **values)
    valve.start()
    return valve


def log_one(valve):
    request, response = make_request(
        "/shop", headers=[("Referer", "r'"), ("User-Agent", "u")], principal=GenericPrincipal("bob")
    )
    response.write(b"12345")
    valve.log(request, response, 1)


def test_a_row_is_written_on_the_background_tick(database):
    path, connection = database
    valve = make(path)
    log_one(valve)
    assert connection.execute("SELECT count(*) FROM access").fetchone() == (0,)
    valve.background_process()
    row = connection.execute("SELECT remoteHost, userName, query, status, bytes, method FROM access").fetchone()
    assert row == ("192.0.2.1", "bob", "/shop", 200, 5, None)
    valve.stop()


def test_combined_has_more_columns_and_the_stop_writes_the_rest(database):
    path, connection = database
    valve = make(path, pattern="combined")
    log_one(valve)
    valve.stop()
    row = connection.execute("SELECT virtualHost, method, referer, userAgent FROM access").fetchone()
    assert row == ("shop.example.org", "GET", "r'", "u")


def test_rows_wait_for_a_database_that_does_not_take_them(database, caplog):
    path, connection = database
    connection.execute("DROP TABLE access")
    connection.commit()
    valve = make(path)
    log_one(valve)
    with caplog.at_level(logging.ERROR):
        valve.background_process()
    assert "Exception performing insert access entry" in caplog.text
    connection.execute(f"CREATE TABLE access ({COLUMNS})")
    connection.commit()
    valve.stop()
    assert connection.execute("SELECT count(*) FROM access").fetchone() == (1,)


def test_names_that_are_no_names_stop_the_start(database):
    with pytest.raises(LifecycleError, match="no name of a table"):
        make(database[0], table_name="access; DROP TABLE access")


def test_a_url_without_a_driver_stops_the_start():
    valve = JDBCAccessLogValve(connection_url="jdbc:h2:mem:x")
    with pytest.raises(LifecycleError, match="h2"):
        valve.start()
