"""PerUserPoolDataSource (Tomcat: dbcp2/datasources/PerUserPoolDataSourceFactory.java)."""

from __future__ import annotations

from catalina.naming.data_source_by_user import make_data_source_by_user
from catalina.naming.object_factory import ResourceSpec

__all__ = ["PerUserPoolDataSourceFactory"]


class PerUserPoolDataSourceFactory:
    """Connections by user; each user has a pool of ``defaultMaxTotal`` connections."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The DataSourceByUser. Raises NamingError."""
        return make_data_source_by_user(spec)
