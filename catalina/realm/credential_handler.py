"""How a realm compares what a user types with what it has stored (Tomcat: catalina/CredentialHandler.java)."""

from __future__ import annotations

from catalina.attributes import Component

__all__ = ["CredentialHandler"]


class CredentialHandler(Component):
    """Compare credentials, and make the form in which they are stored."""

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """Whether ``credentials`` are those that ``stored`` was made from. Takes the same time whatever differs."""
        raise NotImplementedError

    def mutate(self, credentials: str) -> str | None:
        """The form to store; None when the handler is not set up to make one."""
        raise NotImplementedError
