"""SharedPoolDataSource (Tomcat: dbcp2/datasources/SharedPoolDataSourceFactory.java)."""

from __future__ import annotations

from catalina.naming.data_source_by_user import make_data_source_by_user
from catalina.naming.object_factory import ResourceSpec

__all__ = ["SharedPoolDataSourceFactory"]


class SharedPoolDataSourceFactory:
    """Connections by user; ``maxTotal`` limits all users together."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The DataSourceByUser. Raises NamingError."""
        return make_data_source_by_user(spec, shared=True)
