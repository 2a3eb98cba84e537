"""A realm without users (Tomcat: realm/NullRealm.java)."""

from __future__ import annotations

from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

__all__ = ["NullRealm"]


class NullRealm(RealmBase):
    """Nobody can log in. An application without a realm of its own or above it gets this one."""

    def get_password(self, username: str) -> str | None:
        """None: there are no users."""
        return None

    def get_principal(self, username: str) -> Principal | None:
        """None: there are no users."""
        return None
