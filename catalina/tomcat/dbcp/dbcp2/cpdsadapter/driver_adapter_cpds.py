"""The source of connections for a pool by users (Tomcat: dbcp2/cpdsadapter/DriverAdapterCPDS.java)."""

from __future__ import annotations

from catalina.errors import NamingError
from catalina.naming.object_factory import ResourceSpec

__all__ = ["DriverAdapterCPDS"]


class DriverAdapterCPDS:
    """A database, and the user for connections that name none; as in Java, it is its own factory."""

    def __init__(self, url: str = "", username: str = "", password: str = "") -> None:
        self.url = url
        self.username = username
        self.password = password

    def get_object(self, spec: ResourceSpec) -> object:
        """``url``, ``user`` and ``password`` are the Resource's attributes. Raises NamingError."""
        properties = spec.properties
        if not properties.get("url"):
            raise NamingError(f"{spec}: a DriverAdapterCPDS needs the attribute url")
        username = properties.get("user") or properties.get("username") or ""
        return DriverAdapterCPDS(properties["url"], username, properties.get("password", ""))
