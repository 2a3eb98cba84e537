"""Compares the credentials that a user types with the stored ones (Tomcat: catalina/CredentialHandler.java)."""

from __future__ import annotations

from catalina.attributes import Component

__all__ = ["CredentialHandler"]


class CredentialHandler(Component):
    """Compares credentials, and makes their stored form."""

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """True when ``stored`` was made from ``credentials``. Takes the same time whatever differs."""
        raise NotImplementedError

    def mutate(self, credentials: str) -> str | None:
        """The form to store; None when the handler is not configured to make one."""
        raise NotImplementedError
