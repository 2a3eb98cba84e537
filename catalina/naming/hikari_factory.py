"""HikariCP's way to name a DataSource, which many context.xml files use (com.zaxxer.hikari.HikariJNDIFactory)."""

from __future__ import annotations

from dataclasses import replace

from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import PoolDefaults

__all__ = ["HikariFactory"]

HIKARI = PoolDefaults(max_total=10, max_idle=10, max_wait_ms=30_000, initial_size=0, test_on_borrow=True)
#: Hikari's property -> DBCP's.
NAMES = {
    "jdbcUrl": "url",
    "maximumPoolSize": "maxTotal",
    "minimumIdle": "minIdle",
    "connectionTimeout": "maxWaitMillis",
    "maxLifetime": "maxConnLifetimeMillis",
    "autoCommit": "defaultAutoCommit",
    "readOnly": "defaultReadOnly",
    "transactionIsolation": "defaultTransactionIsolation",
    "connectionInitSql": "connectionInitSqls",
    "dataSource.user": "username",
    "dataSource.password": "password",
}


class HikariFactory:
    """Translates the properties' names; the pool is SQLAlchemy's."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The SQLAlchemy engine. Raises NamingError."""
        properties = {NAMES.get(name, name): value for name, value in spec.properties.items()}
        written = {NAMES[name]: name for name in spec.properties if name in NAMES}
        return make_engine(replace(spec, properties=properties, written=written), HIKARI)
