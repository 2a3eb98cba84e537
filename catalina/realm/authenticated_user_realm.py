"""A realm for users that somebody else has authenticated (Tomcat: realm/AuthenticatedUserRealm.java)."""

from __future__ import annotations

from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

__all__ = ["AuthenticatedUserRealm"]


class AuthenticatedUserRealm(RealmBase):
    """Takes every name for a user without roles.

    Passwords prove nothing here, so BASIC and FORM always fail; it is for client certificates and for proxies that
    have authenticated the user.
    """

    def get_password(self, username: str) -> str | None:
        """None: passwords are unknown."""
        return None

    def get_principal(self, username: str) -> Principal | None:
        """A user of that name."""
        return GenericPrincipal(username)
