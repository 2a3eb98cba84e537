"""Tomcat's default pool (Tomcat: tomcat/dbcp/dbcp2/BasicDataSourceFactory.java)."""

from __future__ import annotations

from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2

__all__ = ["BasicDataSourceFactory"]


class BasicDataSourceFactory:
    """Makes DataSources with the defaults of Commons DBCP 2."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The SQLAlchemy engine. Raises NamingError."""
        return make_engine(spec, DBCP2)
