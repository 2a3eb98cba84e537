"""A user whom a proxy has authenticated (Tomcat: connector/CoyotePrincipal.java)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CoyotePrincipal"]


NO_ATTRIBUTES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CoyotePrincipal:
    """A name without roles."""

    name: str
    roles: tuple[str, ...] = ()

    @property
    def user_principal(self) -> None:
        """The application gets this object itself."""
        return None

    @property
    def attributes(self) -> Mapping[str, object]:
        """Empty: a proxy gives only the name."""
        return NO_ATTRIBUTES

    def has_role(self, role: str) -> bool:
        """False: only the realm knows the user's roles here."""
        return False
