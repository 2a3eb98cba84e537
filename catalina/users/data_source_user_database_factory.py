"""Makes the user database of tables (Tomcat: users/DataSourceUserDatabaseFactory.java)."""

from __future__ import annotations

from catalina.attributes import AttributeRefused
from catalina.errors import ConfigurationError, NamingError
from catalina.naming.object_factory import ResourceSpec, log_ignored
from catalina.users.data_source_user_database import DataSourceUserDatabase

__all__ = ["DataSourceUserDatabaseFactory"]


class DataSourceUserDatabaseFactory:
    """``dataSourceName`` names the DataSource beside it; tables and columns are the Resource's other attributes."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The open database.

        Raises:
            NamingError: there is no such DataSource, or a name is missing or invalid.
        """
        name = spec.properties.get("dataSourceName")
        if not name or spec.lookup is None:
            raise NamingError(f"{spec}: needs the attribute dataSourceName, the name of a DataSource")
        database = DataSourceUserDatabase(spec.lookup(name), spec.name)
        unknown = set()
        for attribute, text in spec.properties.items():
            try:
                if attribute != "factory" and not database.set_attribute(attribute, text):
                    unknown.add(attribute)
            except AttributeRefused as refused:
                raise NamingError(f"{spec}: {attribute}={text!r}: {refused}") from None
        log_ignored(spec, unknown)
        try:
            database.open()
        except ConfigurationError as error:
            raise NamingError(f"{spec}: {error}") from error
        return database
