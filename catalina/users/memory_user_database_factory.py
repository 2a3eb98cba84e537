"""Makes the user database of tomcat-users.xml (Tomcat: users/MemoryUserDatabaseFactory.java)."""

from __future__ import annotations

from catalina.attributes import AttributeRefused
from catalina.errors import ConfigurationError, NamingError
from catalina.naming.object_factory import ResourceSpec
from catalina.users.memory_user_database import MemoryUserDatabase

__all__ = ["MemoryUserDatabaseFactory"]


class MemoryUserDatabaseFactory:
    """``pathname``, ``readonly`` and ``watchSource`` are the Resource's attributes."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The open database.

        Raises:
            NamingError: the file cannot be used.
        """
        database = MemoryUserDatabase(spec.base, dict(spec.substitutions), spec.name)
        for name in ("pathname", "readonly", "watchSource"):
            if name in spec.properties:
                try:
                    database.set_attribute(name, spec.properties[name])
                except AttributeRefused as refused:
                    raise NamingError(f"{spec}: {name}={spec.properties[name]!r}: {refused}") from None
        try:
            database.open()
        except ConfigurationError as error:
            raise NamingError(f"{spec}: {error}") from error
        return database
