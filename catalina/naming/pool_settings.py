"""Translates the attributes of Java's connection pools for SQLAlchemy's pool.

Commons DBCP 2 is Tomcat's default pool, the Tomcat JDBC pool its other one; older names are those of DBCP 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalina.errors import NamingError

__all__ = ["DBCP2", "JDBC_POOL", "PoolDefaults", "PoolSettings", "read_settings"]


@dataclass(frozen=True, slots=True)
class PoolDefaults:
    """A pool's settings when the operator sets none; times in milliseconds."""

    max_total: int
    max_idle: int
    max_wait_ms: int
    initial_size: int
    test_on_borrow: bool


DBCP2 = PoolDefaults(max_total=8, max_idle=8, max_wait_ms=-1, initial_size=0, test_on_borrow=True)
JDBC_POOL = PoolDefaults(max_total=100, max_idle=100, max_wait_ms=30_000, initial_size=10, test_on_borrow=False)

_ISOLATION = {
    "NONE": "AUTOCOMMIT", "READ_UNCOMMITTED": "READ UNCOMMITTED", "READ_COMMITTED": "READ COMMITTED",
    "REPEATABLE_READ": "REPEATABLE READ", "SERIALIZABLE": "SERIALIZABLE",
    "0": "AUTOCOMMIT", "1": "READ UNCOMMITTED", "2": "READ COMMITTED", "4": "REPEATABLE READ", "8": "SERIALIZABLE",
}  # fmt: skip

#: Properties that have a meaning only in Java, or for a pool that works differently.
IGNORED = frozenset({
    "driverClassName", "factory", "type", "auth", "scope", "name", "description", "singleton", "closeMethod",
    "validationQuery", "validationQueryTimeout", "validationInterval", "validatorClassName",
    "timeBetweenEvictionRunsMillis", "minEvictableIdleTimeMillis", "softMinEvictableIdleTimeMillis",
    "numTestsPerEvictionRun", "testWhileIdle", "testOnReturn", "testOnConnect", "logValidationErrors",
    "removeAbandoned", "removeAbandonedOnBorrow", "removeAbandonedOnMaintenance", "removeAbandonedTimeout",
    "logAbandoned", "abandonWhenPercentageFull", "suspectTimeout", "abandonedUsageTracking",
    "poolPreparedStatements", "maxOpenPreparedStatements", "clearStatementPoolOnReturn",
    "accessToUnderlyingConnectionAllowed", "jmxEnabled", "jmxName", "jdbcInterceptors", "fairQueue",
    "useEquals", "useLock", "useDisposableConnectionFacade", "propagateInterruptState", "ignoreExceptionOnPreLoad",
    "useStatementFacade", "alternateUsernameAllowed", "defaultCatalog", "defaultSchema", "cacheState",
    "fastFailValidation", "disconnectionSqlCodes", "disconnectionIgnoreSqlCodes", "logExpiredConnections",
    "evictionPolicyClassName", "connectionFactoryClassName", "registerConnectionMBean", "autoCommitOnReturn",
    "enableAutoCommitOnReturn", "commitOnReturn", "defaultQueryTimeout", "initSQLDelay",
})  # fmt: skip


@dataclass(slots=True)
class PoolSettings:
    """The arguments from which the engine is made.

    Args:
        engine: keyword arguments of ``sqlalchemy.create_engine``.
        initial_size: connections opened when the engine is made.
        init_sql: statements that each new connection executes.
        connect_arguments: arguments of the driver.
        read_only: make connections read-only if the driver can.
    """

    engine: dict[str, Any] = field(default_factory=dict)
    initial_size: int = 0
    init_sql: tuple[str, ...] = ()
    connect_arguments: dict[str, str] = field(default_factory=dict)
    read_only: bool = False
    ignored: set[str] = field(default_factory=set)


class _Properties:
    """Typed reading; remembers what was read, so the rest can be named."""

    def __init__(self, properties: Mapping[str, str], written: Mapping[str, str]) -> None:
        self._written = written
        self.values = {name: value.strip() for name, value in properties.items()}
        self.read: set[str] = set()

    def text(self, *names: str) -> str | None:
        self.read.update(names)
        return next((self.values[name] for name in names if self.values.get(name)), None)

    def integer(self, default: int, *names: str) -> int:
        value = self.text(*names)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d{1,18}", value):
            name = next(name for name in names if self.values.get(name))
            raise NamingError(f"{self._written.get(name, name)}={value!r}: expected a whole number")
        return int(value)

    def boolean(self, *names: str) -> bool | None:
        value = self.text(*names)
        return None if value is None else value.lower() == "true"


def read_settings(
    properties: Mapping[str, str], defaults: PoolDefaults, written: Mapping[str, str] | None = None
) -> PoolSettings:
    """Read the pool's properties.

    Args:
        written: our name -> the name in the operator's file, for errors; a missing name is the same in the file.

    Raises:
        NamingError: a number is invalid.
    """
    given = _Properties(properties, written or {})
    settings = PoolSettings()
    _read_size(given, defaults, settings)
    _read_connection(given, defaults, settings)
    for name in ("url", "username", "password", "user"):
        given.read.add(name)
    settings.ignored = {name for name in given.values if name in IGNORED and name not in ("factory", "driverClassName")}
    settings.ignored |= {name for name in given.values if name not in IGNORED and name not in given.read}
    return settings


def _read_size(given: _Properties, defaults: PoolDefaults, settings: PoolSettings) -> None:
    max_total = given.integer(defaults.max_total, "maxTotal", "maxActive")
    max_idle = given.integer(defaults.max_idle, "maxIdle")
    min_idle = given.integer(0, "minIdle")
    max_wait_ms = given.integer(defaults.max_wait_ms, "maxWaitMillis", "maxWait")
    kept = max(1, max_idle if max_idle >= 0 else max_total)  # to SQLAlchemy 0 means "no limit"
    kept = min(kept, max_total) if max_total > 0 else kept
    settings.engine["pool_size"] = kept
    settings.engine["max_overflow"] = max_total - kept if max_total > 0 else -1
    settings.engine["pool_timeout"] = max_wait_ms / 1000 if max_wait_ms >= 0 else None
    settings.engine["pool_use_lifo"] = given.boolean("lifo") is not False
    wanted = max(given.integer(defaults.initial_size, "initialSize"), min_idle)
    settings.initial_size = min(wanted, kept)


def _read_connection(given: _Properties, defaults: PoolDefaults, settings: PoolSettings) -> None:
    test = given.boolean("testOnBorrow")
    settings.engine["pool_pre_ping"] = defaults.test_on_borrow if test is None else test
    age_ms = given.integer(-1, "maxConnLifetimeMillis", "maxAge")
    settings.engine["pool_recycle"] = max(1, age_ms // 1000) if age_ms > 0 else -1
    if given.boolean("rollbackOnReturn") is False:
        settings.engine["pool_reset_on_return"] = None
    isolation = given.text("defaultTransactionIsolation")
    level = _ISOLATION.get((isolation or "").removeprefix("TRANSACTION_").upper())
    if given.boolean("defaultAutoCommit") is True:
        level = level or "AUTOCOMMIT"
    if level is not None:
        settings.engine["isolation_level"] = level
    settings.read_only = given.boolean("defaultReadOnly") is True
    sql = given.text("connectionInitSqls", "initSQL")
    settings.init_sql = tuple(one.strip() for one in (sql or "").split(";") if one.strip())
    for pair in (given.text("connectionProperties") or "").split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            settings.connect_arguments[name.strip()] = value.strip()
