"""Translates ``jdbc:`` URLs into SQLAlchemy's.

The formats are those of the JDBC drivers of PostgreSQL, MySQL, MariaDB, Oracle, SQL Server and SQLite. SQLAlchemy is
an extra, so it is imported where it is needed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from catalina.errors import NamingError
from catalina.extras import is_installed

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["driver_packages", "translate_url"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")

#: SQLAlchemy's dialect -> Python drivers, in the order in which they are tried: (driver name, module).
DRIVERS = {
    "postgresql": (("psycopg", "psycopg"), ("psycopg2", "psycopg2"), ("pg8000", "pg8000")),
    "mysql": (("pymysql", "pymysql"), ("mysqldb", "MySQLdb"), ("mysqlconnector", "mysql.connector")),
    "oracle": (("oracledb", "oracledb"),),
    "mssql": (("pymssql", "pymssql"), ("pyodbc", "pyodbc")),
    "sqlite": (("pysqlite", "sqlite3"),),
}

#: A database's name in a jdbc: URL -> SQLAlchemy.
_DIALECTS = {"mariadb": "mysql", "sqlserver": "mssql"}

#: pgjdbc's parameter -> libpq's; parameters with the same name pass unchanged.
_POSTGRESQL = {
    "ApplicationName": "application_name",
    "applicationName": "application_name",
    "connectTimeout": "connect_timeout",
    "loginTimeout": "connect_timeout",
    "targetServerType": "target_session_attrs",
}
_LIBPQ = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "options", "gssencmode", "channel_binding"}
)
_TARGETS = {
    "primary": "read-write", "master": "read-write", "secondary": "standby", "slave": "standby",
    "preferSecondary": "prefer-standby", "preferSlave": "prefer-standby", "any": "any",
}  # fmt: skip


def translate_url(url: str, username: str | None = None, password: str | None = None) -> URL:
    """The SQLAlchemy URL of a JDBC URL; one that does not start with ``jdbc:`` is SQLAlchemy's already.

    Raises:
        NamingError: no Python driver supports that database, or the URL is malformed. The text never shows the
            password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if not url.startswith("jdbc:"):
        try:
            made = make_url(url)
        except ArgumentError:
            raise NamingError("url is neither a jdbc: URL nor one of SQLAlchemy's") from None
    else:
        database, _, rest = url.removeprefix("jdbc:").partition(":")
        translate = _TRANSLATORS.get(database)
        if translate is None:
            raise NamingError(f"jdbc:{database}: is a Java database or one without a Python driver")
        made = translate(rest)
    if username:
        made = made.set(username=username)
    return made.set(password=password) if password else made


def driver_packages(url: str) -> tuple[str, ...]:
    """The package of the driver for a URL's database: one that is installed, otherwise the one to install.

    It is empty without a URL, for a database without a driver (:func:`translate_url` gives the reason), and for SQLite,
    which is built in.
    """
    named = url.removeprefix("jdbc:").partition(":")[0]
    dialect, _, driver = named.partition("+")
    candidates = DRIVERS.get(_DIALECTS.get(dialect, dialect), ())
    modules = [module for name, module in candidates if driver in ("", name)]
    if not modules:
        return ()
    return (next((module for module in modules if is_installed(module)), modules[0]),)


def _driver(dialect: str) -> str:
    """``postgresql+psycopg``: the first driver that is installed; if none is, the first, for the error to name."""
    candidates = DRIVERS[dialect]
    for name, module in candidates:
        if is_installed(module):
            return f"{dialect}+{name}"
    return f"{dialect}+{candidates[0][0]}"


def _make(
    dialect: str,
    host: str | None = None,
    port: str | None = None,
    database: str | None = None,
    query: Mapping[str, str | tuple[str, ...]] | None = None,
    username: str | None = None,
    password: str | None = None,
) -> URL:
    from sqlalchemy import URL

    if port and not port.isdecimal():
        raise NamingError(f"port {port!r} in the url is no number")
    return URL.create(_driver(dialect), username, password, host, int(port) if port else None, database, query or {})


def _ignore(parameters: set[str]) -> None:
    if parameters:
        log.info("Parameters of a JDBC URL without effect in Python: %s", ", ".join(sorted(parameters)))


def _postgresql(rest: str) -> URL:
    """``//host:port,host2:port2/database?parameters``, ``//host/``, ``database``."""
    address, _, query = rest.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    username, password = parameters.pop("user", None), parameters.pop("password", None)
    translated, ignored = _libpq_parameters(parameters)
    _ignore(ignored)
    if not address.startswith("//"):
        return _make(
            "postgresql", "localhost", None, unquote(address.lstrip("/")) or None, translated, username, password
        )
    hosts, _, database = address[2:].partition("/")
    members = [_host_and_port(member) for member in hosts.split(",")]
    if len(members) > 1:
        translated["host"] = tuple(f"{host}:{port or 5432}" for host, port in members)
        return _make("postgresql", None, None, unquote(database) or None, translated, username, password)
    host, port = members[0]
    return _make("postgresql", host or "localhost", port, unquote(database) or None, translated, username, password)


def _libpq_parameters(parameters: Mapping[str, str]) -> tuple[dict[str, str | tuple[str, ...]], set[str]]:
    translated: dict[str, str | tuple[str, ...]] = {}
    ignored: set[str] = set()
    for name, value in parameters.items():
        if name == "ssl":
            if value.lower() in ("", "true"):
                translated.setdefault("sslmode", "verify-full")  # the meaning of ssl=true in pgjdbc
        elif name == "currentSchema":
            translated["options"] = f"-csearch_path={value}"
        elif name == "targetServerType":
            translated["target_session_attrs"] = _TARGETS.get(value, value)
        elif name in _POSTGRESQL or name in _LIBPQ:
            translated[_POSTGRESQL.get(name, name)] = value
        else:
            ignored.add(name)
    return translated, ignored


def _host_and_port(text: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if found is not None:
        return found.group(1), found.group(2)
    host, _, port = text.partition(":")
    return host, port or None


def _mysql(rest: str) -> URL:
    """``//host:port/database?parameters``"""
    address, _, query = rest.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    username, password = parameters.pop("user", None), parameters.pop("password", None)
    translated: dict[str, str | tuple[str, ...]] = {}
    encoding = parameters.pop("characterEncoding", None)
    if encoding is not None:
        translated["charset"] = "utf8mb4" if encoding.upper() in ("UTF-8", "UTF8", "UTF8MB4") else encoding
    _ignore(set(parameters))
    hosts, _, database = address.removeprefix("//").partition("/")
    host, port = _host_and_port(hosts.split(",")[0])
    return _make("mysql", host or "localhost", port, unquote(database) or None, translated, username, password)


def _oracle(rest: str) -> URL:
    """``thin:@//host:port/service``, ``thin:@host:port/service``, ``thin:user/password@host:port:SID``."""
    kind, _, rest = rest.partition(":")
    credentials, at, address = rest.rpartition("@")
    if kind not in ("thin", "oci") or not at:
        raise NamingError("expected jdbc:oracle:thin:@host:port/service")
    username, _, password = credentials.partition("/")
    address = address.removeprefix("//")
    found = re.fullmatch(r"([^:/]+)(?::(\d+))?(?:/([^/?]+)|:([^/?]+))?", address)
    if found is None:
        raise NamingError(f"{address!r} is not host:port/service")
    host, port, service, sid = found.groups()
    query: dict[str, str | tuple[str, ...]] = {"service_name": service} if service else {}
    return _make("oracle", host, port or "1521", sid, query, username or None, password or None)


def _sqlserver(rest: str) -> URL:
    r"""``//host\instance:port;databaseName=shop;user=...;encrypt=true``"""
    address, *settings = rest.removeprefix("//").split(";")
    values = {
        name.strip().lower(): value.strip()
        for name, _, value in (one.partition("=") for one in settings if one.strip())
    }
    host, port = _host_and_port(address)
    database = values.pop("databasename", values.pop("database", None))
    username, password = values.pop("user", values.pop("username", None)), values.pop("password", None)
    _ignore(set(values))
    return _make("mssql", host or values.get("servername"), port, database, {}, username, password)


def _sqlite(rest: str) -> URL:
    """``path``, ``:memory:``"""
    return _make("sqlite", database=rest or ":memory:")


_TRANSLATORS: dict[str, Callable[[str], URL]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "oracle": _oracle,
    "sqlserver": _sqlserver,
    "sqlite": _sqlite,
}
