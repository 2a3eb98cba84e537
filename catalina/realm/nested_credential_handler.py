"""Combines several credential handlers, for stores whose form changes over time (Tomcat:
NestedCredentialHandler.java).
"""

from __future__ import annotations

from typing import Any

from catalina.attributes import Element
from catalina.realm.credential_handler import CredentialHandler

__all__ = ["NestedCredentialHandler"]


class NestedCredentialHandler(CredentialHandler):
    """A password is right when one of the nested handlers accepts it; the first handler makes new forms."""

    elements = {
        "CredentialHandler": Element(
            add=lambda parent, handler: parent.handlers.append(handler), role=CredentialHandler, guards=True
        )
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.handlers: list[CredentialHandler] = []

    def matches(self, credentials: str | None, stored: str | None) -> bool:
        """True when any handler accepts the credentials."""
        return any(handler.matches(credentials, stored) for handler in self.handlers)

    def mutate(self, credentials: str) -> str | None:
        """The stored form of the first handler."""
        return self.handlers[0].mutate(credentials) if self.handlers else None
