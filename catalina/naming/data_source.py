"""A DataSource: an SQLAlchemy engine made of a Resource's attributes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import NamingError
from catalina.extras import missing_package
from catalina.naming.object_factory import ResourceSpec, log_ignored
from catalina.naming.pool_settings import PoolDefaults, PoolSettings, read_settings
from catalina.util.jdbc_url import translate_url

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

__all__ = ["make_engine"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")


def make_engine(spec: ResourceSpec, defaults: PoolDefaults) -> Engine:
    """The engine; ``url``, ``username``, ``password`` and the pool's attributes are in the properties.

    Raises:
        NamingError: there is no url, it cannot be translated, or SQLAlchemy or the database's driver is not installed.
    """
    properties = spec.properties
    url = properties.get("url")
    if not url:
        raise NamingError(f"{spec}: a DataSource needs the attribute url")
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError as error:
        raise NamingError(f"{spec}: {missing_package('sqlalchemy') or error}") from error
    try:
        settings = read_settings(properties, defaults, spec.written)
        address = translate_url(url, properties.get("username") or properties.get("user"), properties.get("password"))
        engine = create_engine(
            address, connect_args=_driver_arguments(settings), **_pool_arguments(settings, address.get_backend_name())
        )
    except NamingError as error:
        raise NamingError(f"{spec}: {error}") from None
    except ModuleNotFoundError as error:
        raise NamingError(f"{spec}: {missing_package(error.name or '') or error}") from error
    except (ImportError, ArgumentError, NoSuchModuleError, TypeError) as error:
        raise NamingError(f"{spec}: {error}") from error
    log_ignored(spec, settings.ignored)
    _prepare_connections(engine, settings)
    _open_initial(spec, engine, settings.initial_size)
    return engine


def _pool_arguments(settings: PoolSettings, database: str) -> dict[str, Any]:
    """SQLite's own pools have no size; everything else has a queue."""
    arguments = dict(settings.engine)
    if database == "sqlite":
        for name in ("pool_size", "max_overflow", "pool_timeout", "pool_use_lifo"):
            arguments.pop(name)
    return arguments


def _driver_arguments(settings: PoolSettings) -> dict[str, Any]:
    return {name: int(value) if value.isdecimal() else value for name, value in settings.connect_arguments.items()}


def _prepare_connections(engine: Engine, settings: PoolSettings) -> None:
    if not settings.init_sql and not settings.read_only:
        return
    from sqlalchemy import event

    def on_connect(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        try:
            for statement in settings.init_sql:
                cursor.execute(statement)
        finally:
            cursor.close()
        connection.commit()
        if settings.read_only and hasattr(connection, "read_only"):
            connection.read_only = True

    event.listen(engine, "connect", on_connect)


def _open_initial(spec: ResourceSpec, engine: Engine, count: int) -> None:
    """Open the first connections now. An unreachable database is logged, and the next caller that needs a connection
    tries again.
    """
    from sqlalchemy.exc import SQLAlchemyError

    connections = []
    try:
        for _ in range(count):
            connections.append(engine.connect())
    except SQLAlchemyError as error:
        log.error("%s: Unable to create initial connections of pool: %s", spec, error)
    finally:
        for connection in connections:
            connection.close()
