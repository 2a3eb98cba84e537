"""Interface of the factories that make the objects of Resources (Java: javax.naming.spi.ObjectFactory)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from catalina.place import Place

__all__ = ["ObjectFactory", "ResourceSpec", "log_ignored"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """The operator's description of an object.

    Args:
        properties: the attributes that only the factory understands.
        base: the directory of relative paths: CATALINA_BASE.
        substitutions: the ``${...}`` properties, for files that the factory reads.
        place: the element's place.
        lookup: finds another name beside this one, for factories that build upon it; None when there is none.
        written: a property -> its name in the operator's file, if a factory has translated it.
    """

    name: str
    type: str
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)  # contains passwords
    base: Path = field(default_factory=Path.cwd)
    substitutions: Mapping[str, str] = field(default_factory=dict, repr=False)
    place: Place | None = None
    lookup: Callable[[str], Any] | None = field(default=None, repr=False)
    written: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}Resource [{self.name}]"


class ObjectFactory(Protocol):
    """A class with this method may be named by the ``factory`` attribute."""

    def get_object(self, spec: ResourceSpec) -> object:
        """Make the object.

        Raises:
            NamingError: the properties do not suffice, or a package is missing.
        """


def log_ignored(spec: ResourceSpec, names: set[str]) -> None:
    """Log once which properties have no effect here."""
    if names:
        log.info("%s: without effect in Python: %s", spec, ", ".join(sorted(names)))
