"""One single sign-on: the user, the kind of login, and the sessions (Tomcat: SingleSignOnEntry.java)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalina.authenticator.constants import BASIC, FORM
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey

if TYPE_CHECKING:
    from catalina.session.session import Principal

__all__ = ["SingleSignOnEntry"]


@dataclass(slots=True)
class SingleSignOnEntry:
    """The facts about a user who has logged in somewhere.

    Args:
        password: kept for a login in another application's realm; None for logins without one.
    """

    principal: Principal | None = None
    auth_type: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    session_keys: set[SingleSignOnSessionKey] = field(default_factory=set)

    @property
    def can_reauthenticate(self) -> bool:
        """True when another realm can check name and password."""
        return self.auth_type in (BASIC, FORM)

    def update(
        self, principal: Principal | None, auth_type: str | None, username: str | None, password: str | None
    ) -> None:
        """The user has logged in again, in another way."""
        self.principal, self.auth_type = principal, auth_type
        self.username, self.password = username, password
