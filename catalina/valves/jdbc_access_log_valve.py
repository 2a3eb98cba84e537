"""The access log in a database (Tomcat: valves/JDBCAccessLogValve.java)."""

from __future__ import annotations

import logging
import re
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, choice
from catalina.errors import LifecycleError, NamingError
from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2
from catalina.util.jdbc_url import driver_packages
from catalina.valves.abstract_access_log_valve import AbstractAccessLogValve
from catalina.valves.access_log_pattern import Element, compile_line

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["JDBCAccessLogValve"]

log = logging.getLogger("org.apache.catalina.valves.JDBCAccessLogValve")

#: Rows that wait while the database does not take them; when there are more, the oldest are dropped.
MAX_WAITING = 10_000
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")


class JDBCAccessLogValve(AbstractAccessLogValve):
    """Writes one row per request, on the background tick, so that no request waits for the database."""

    packages = ("sqlalchemy",)

    pattern = Attribute(
        choice("common", "combined"), "common", doc="combined also writes host, method, referer and user agent."
    )
    connection_name = Attribute(str, "", doc="Database user.")
    connection_password = Attribute(str, "", doc="Its password.")
    connection_url = Attribute(str, "", xml="connectionURL", doc="jdbc: URL, or one of SQLAlchemy's.")
    driver_name = Attribute(str, "", inert="the URL says which driver")
    table_name = Attribute(str, "access", doc="Table; columns as below.")
    remote_host_field = Attribute(str, "remoteHost", doc="Column of the client's host.")
    user_field = Attribute(str, "userName", doc="Column of the user.")
    timestamp_field = Attribute(str, "timestamp", doc="Column of the time.")
    virtual_host_field = Attribute(str, "virtualHost", doc="Column of the server's name.")
    method_field = Attribute(str, "method", doc="Column of the method.")
    query_field = Attribute(str, "query", doc="Column of the path.")
    status_field = Attribute(str, "status", doc="Column of the status.")
    bytes_field = Attribute(str, "bytes", doc="Column of the body's bytes.")
    referer_field = Attribute(str, "referer", doc="Column of the Referer.")
    user_agent_field = Attribute(str, "userAgent", doc="Column of the User-Agent.")
    use_long_content_length = Attribute(bool, False, inert="numbers have no limit")
    request_attributes_enabled = Attribute(
        bool, True, doc="Take address, host, port and protocol from the attributes that RemoteIpValve sets."
    )

    def needed_packages(self) -> tuple[str, ...]:
        """SQLAlchemy, and the driver of connectionURL."""
        return (*self.packages, *driver_packages(self.connection_url))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._rows: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._engine: Any = None
        self._insert: Any = None
        self._host = self._factory().remote_host()

    def _compile(self, pattern: str) -> Element | None:
        return compile_line([])  # there is no line; log() makes a row

    def _start(self) -> None:
        super()._start()
        self._host = self._factory().remote_host()
        properties = {
            "url": self.connection_url, "username": self.connection_name, "password": self.connection_password,
            "maxTotal": "1", "maxIdle": "1",
        }  # fmt: skip
        try:
            self._engine = make_engine(ResourceSpec(str(self), "", properties, place=self.place), DBCP2)
        except NamingError as error:
            raise LifecycleError(f"{self}: {error}") from error
        self._insert = self._statement()

    def _statement(self) -> object:
        from sqlalchemy import text

        columns = self._columns()
        for name in (self.table_name, *columns):
            # Names cannot be parameters of a statement, so they must be plain identifiers.
            if not _IDENTIFIER.fullmatch(name):
                raise LifecycleError(f"{self}: {name!r} is no name of a table or column")
        places = ", ".join(f":p{number}" for number in range(len(columns)))
        return text(f"INSERT INTO {self.table_name} ({', '.join(columns)}) VALUES ({places})")  # noqa: S608 - see above

    def _columns(self) -> list[str]:
        columns = [
            self.remote_host_field, self.user_field, self.timestamp_field, self.query_field, self.status_field,
            self.bytes_field,
        ]  # fmt: skip
        if self.pattern == "combined":
            columns += [self.virtual_host_field, self.method_field, self.referer_field, self.user_agent_field]
        return columns

    def _stop(self) -> None:
        if self._engine is not None:
            self._flush()
            self._engine.dispose()
            self._engine = None

    def log(self, request: Request, response: Response, time_ns: int) -> None:
        """Add a row."""
        if not self.enabled or not self.state.available or self._is_excluded(request):
            return
        values = [
            self._host(request, response, time_ns),
            request.remote_user,
            datetime.fromtimestamp(self.clock() / 1e9, UTC),
            request.request_uri,
            response.status,
            response.bytes_written(),
        ]
        if self.pattern == "combined":
            values += [
                request.server_name, request.method, request.headers.get("referer"), request.headers.get("user-agent"),
            ]  # fmt: skip
        self._rows.append({f"p{number}": value for number, value in enumerate(values)})

    def background_process(self) -> None:
        """Write the waiting rows."""
        if self._engine is not None:
            self._flush()

    def _flush(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        if not rows:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(self._insert, rows)
        except SQLAlchemyError as error:
            log.error("Exception performing insert access entry: %s", error)
            self._rows.extendleft(reversed(rows))
