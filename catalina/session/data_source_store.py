"""Keeps sessions as rows of a table (Tomcat: session/DataSourceStore.java).

The table is Tomcat's own, so a Java node may share it as far as the values are portable::

    create table tomcat$sessions (id varchar(100) primary key, app varchar(255), data bytea/blob,
                                  valid char(1), maxinactive int, lastaccess bigint)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import CatalinaError, NamingError
from catalina.extras import missing_package
from catalina.session.session_record import dump_session
from catalina.session.store_base import StoreBase, StoreError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from catalina.session.manager import ManagerContext
    from catalina.session.standard_session import StandardSession

__all__ = ["DataSourceStore"]

log = logging.getLogger("org.apache.catalina.session.DataSourceStore")


class DataSourceStore(StoreBase):
    """Keeps sessions in the database of a DataSource resource; several nodes may share the table."""

    packages = ("sqlalchemy",)

    driver_name = Attribute(str, None, doc="JDBCStore: a Java class.", inert="the URL says which driver")
    connection_url = Attribute(str, "", xml="connectionURL", doc="JDBCStore: the database, without a DataSource.")
    connection_name = Attribute(str, "", doc="JDBCStore: database user.")
    connection_password = Attribute(str, "", doc="JDBCStore: its password.")
    check_interval = Attribute(
        int, 60, unit="seconds", inert="the manager's background tick looks for expired sessions"
    )
    data_source_name = Attribute(str, None, doc="Name of the <Resource> that is the DataSource, as jdbc/sessions.")
    local_data_source = Attribute(bool, False, doc="Look it up in the Context instead of GlobalNamingResources.")
    session_table = Attribute(str, "tomcat$sessions", doc="The table's name.")
    session_app_col = Attribute(str, "app", doc="Column with /Engine/Host/Context.")
    session_data_col = Attribute(str, "data", doc="Column with the session's bytes.")
    session_id_col = Attribute(str, "id", doc="Column with the session's id.")
    session_valid_col = Attribute(str, "valid", doc="Column with 1, or 0 for a session that has ended.")
    session_max_inactive_col = Attribute(str, "maxinactive", doc="Column with the interval in seconds.")
    session_last_accessed_col = Attribute(str, "lastaccess", doc="Column with the time of the last use in ms.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._table: Table | None = None
        #: The engine for connectionURL; None with a DataSource.
        self._own_engine: Engine | None = None

    @property
    def name(self) -> str:
        """The content of the app column: ``/Catalina/localhost/shop``."""
        context = None if self.manager is None else self.manager.context
        if context is None:
            return ""
        path = context.name if context.name.startswith("/") else f"/{context.name}"
        return f"/{context.host_path}{path}"

    def _start(self) -> None:
        lacking = missing_package("sqlalchemy")
        if lacking:
            raise StoreError(f"DataSourceStore: {lacking}")
        if self.data_source_name:
            return
        if not self.connection_url:
            raise StoreError("DataSourceStore: No valid JNDI name was given, and no connectionURL")
        properties = {
            "url": self.connection_url,
            "username": self.connection_name,
            "password": self.connection_password,
        }
        self._own_engine = self._context().make_data_source(self.label, properties, self.place)

    def _stop(self) -> None:
        engine, self._own_engine = self._own_engine, None
        if engine is not None:
            engine.dispose()

    @property
    def label(self) -> str:
        """The name of the store in errors: the DataSource's name, or JDBCStore with the database's own."""
        return f"DataSourceStore [{self.data_source_name or 'connectionURL'}]"

    def _context(self) -> ManagerContext:
        context = None if self.manager is None else self.manager.context
        if context is None:
            raise StoreError("DataSourceStore: the manager has no context")
        return context

    def _engine(self) -> Engine:
        if self._own_engine is not None:
            return self._own_engine
        context = self._context()
        server = context.server
        where = context if self.local_data_source or server is None else server.global_naming_resources
        try:
            if where is None:
                raise NamingError("the server has no GlobalNamingResources")
            return where.lookup(self.data_source_name or "")  # type: ignore[return-value]  # what the operator named
        except CatalinaError as error:
            raise StoreError(f"Cannot open JNDI DataSource [{self.data_source_name}]: {error}") from error

    def _columns(self) -> Table:
        """The columns of the table, described once; SQLAlchemy quotes their names as the database wants."""
        if self._table is None:
            from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

            self._table = Table(
                self.session_table,
                MetaData(),
                Column(self.session_id_col, String(100), key="id", primary_key=True),
                Column(self.session_app_col, String(255), key="app"),
                Column(self.session_data_col, LargeBinary, key="data"),
                Column(self.session_valid_col, String(1), key="valid"),
                Column(self.session_max_inactive_col, Integer, key="max_inactive"),
                Column(self.session_last_accessed_col, BigInteger, key="last_accessed"),
            )
        return self._table

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Connection, Table]]:
        """A connection and the table; an error of the database becomes a StoreError."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine().begin() as connection:
                yield connection, self._columns()
        except SQLAlchemyError as error:
            raise StoreError(f"{self.label}: SQL Error: {error}") from error

    def keys(self) -> list[str]:
        """The ids of this application's rows."""
        return self._ids(lambda table: table.c.app == self.name)

    def expired_keys(self) -> list[str]:
        """The ids of the rows whose time is over, by the clock of this node."""
        now_ms = int(time.time() * 1000) if self.manager is None else self.manager.now_ms()

        def due(table: Table) -> ColumnElement[bool]:
            columns = table.c
            return (
                (columns.app == self.name)
                & (columns.max_inactive > 0)
                & (columns.last_accessed + columns.max_inactive * 1000 <= now_ms)
            )

        return self._ids(due)

    def _ids(self, condition: Callable[[Table], ColumnElement[bool]]) -> list[str]:
        from sqlalchemy import select

        with self._transaction() as (connection, table):
            return [str(row[0]) for row in connection.execute(select(table.c.id).where(condition(table)))]

    def load(self, session_id: str) -> StandardSession | None:
        """The stored session, None when there is no valid one."""
        from sqlalchemy import select

        if self.manager is None:
            return None
        with self._transaction() as (connection, table):
            wanted = (table.c.id == session_id) & (table.c.app == self.name)
            row = connection.execute(select(table.c.data, table.c.valid).where(wanted)).first()
        if row is None or str(row[1]) == "0":
            return None
        log.debug("Loading Session [%s] from database [%s]", session_id, self.session_table)
        return self._read(bytes(row[0]), session_id, f"{self.label}: row {session_id!r}")

    def save(self, session: StandardSession) -> None:
        """Write the session's row, replacing an older one."""
        log.debug("Saving Session [%s] to database [%s]", session.id, self.session_table)
        data = dump_session(session)
        with self._transaction() as (connection, table):
            connection.execute(table.delete().where((table.c.id == session.id) & (table.c.app == self.name)))
            connection.execute(
                table.insert().values(
                    id=session.id,
                    app=self.name,
                    data=data,
                    valid="1" if session.is_valid else "0",
                    max_inactive=session.max_inactive_interval,
                    last_accessed=session.this_accessed_time_ms,
                )
            )

    def remove(self, session_id: str) -> None:
        """Delete the session's row."""
        with self._transaction() as (connection, table):
            connection.execute(table.delete().where((table.c.id == session_id) & (table.c.app == self.name)))

    def clear(self) -> None:
        """Delete all rows of this application."""
        with self._transaction() as (connection, table):
            connection.execute(table.delete().where(table.c.app == self.name))
