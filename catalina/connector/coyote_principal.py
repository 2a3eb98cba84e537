"""A user whom a proxy has authenticated (Tomcat: connector/CoyotePrincipal.java)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CoyotePrincipal"]


@dataclass(frozen=True, slots=True)
class CoyotePrincipal:
    """A name without roles."""

    name: str
    roles: tuple[str, ...] = ()
