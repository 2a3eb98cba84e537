"""A session of an application, as a member of a single sign-on (Tomcat: SingleSignOnSessionKey.java)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.session.session import Session

__all__ = ["SingleSignOnSessionKey"]


@dataclass(frozen=True, slots=True)
class SingleSignOnSessionKey:
    """Contains names instead of references, because the key travels to other nodes."""

    session_id: str
    context_name: str
    host_name: str

    @classmethod
    def of(cls, session: Session, session_id: str | None = None) -> SingleSignOnSessionKey:
        """The key of a session, with an earlier id of it if one is given."""
        context = session.manager.context
        names = (context.name, context.host.name) if context is not None else ("", "")
        return cls(session_id or session.id, *names)

    def __str__(self) -> str:
        return f"Host: [{self.host_name}], Context: [{self.context_name}], SessionID: [{self.session_id}]"
