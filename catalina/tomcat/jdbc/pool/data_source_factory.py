"""The Tomcat JDBC pool (Tomcat: modules/jdbc-pool, DataSourceFactory.java)."""

from __future__ import annotations

from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import JDBC_POOL

__all__ = ["DataSourceFactory"]


class DataSourceFactory:
    """Makes DataSources with the defaults of the Tomcat JDBC pool."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The SQLAlchemy engine. Raises NamingError."""
        return make_engine(spec, JDBC_POOL)
