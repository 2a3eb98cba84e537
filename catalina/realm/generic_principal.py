"""The user who is logged in (Tomcat: realm/GenericPrincipal.java)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["GenericPrincipal"]


@dataclass(frozen=True)
class GenericPrincipal:
    """A user and his roles at the time of the login. It travels with the session.

    Args:
        name: the user's name.
        roles: in any order; kept sorted.
        user_principal: the object that the application gets in place of this one; None for this one.
        attributes: further facts about the user that the realm is configured to read (``userAttributes``).
    """

    name: str
    roles: tuple[str, ...] = ()
    user_principal: object | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(sorted(self.roles)))

    def has_role(self, role: str) -> bool:
        """True when the user has the role; everybody has the role ``*``."""
        return role == "*" or role in self.roles

    def __str__(self) -> str:
        return f"GenericPrincipal[{self.name}({','.join(self.roles)})]"
