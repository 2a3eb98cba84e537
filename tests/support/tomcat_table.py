"""The attributes that Tomcat documents: ``tests/tomcat_attributes.txt`` as objects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["TomcatAttribute", "TomcatClass", "tomcat_classes"]

TABLE = Path(__file__).parents[1] / "tomcat_attributes.txt"


@dataclass(frozen=True, slots=True)
class TomcatAttribute:
    """An attribute: its default as text, ``-`` for none; the last branch that has it, empty for today's."""

    name: str
    default: str
    until: str


@dataclass(frozen=True, slots=True)
class TomcatClass:
    """A class: the elements that may name it, its attributes by XML name, the last branch that has it."""

    name: str
    elements: frozenset[str]
    until: str
    attributes: dict[str, TomcatAttribute] = field(default_factory=dict)


@cache
def tomcat_classes() -> dict[str, TomcatClass]:
    """All of the table, by className."""
    found: dict[str, TomcatClass] = {}
    current = None
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("  "):
            match = re.fullmatch(r"  (\S+) = (.*?)(?: until (\S+))?", line)
            assert match is not None, line
            assert current is not None, line
            name, default, until = match.groups()
            current.attributes[name] = TomcatAttribute(name, default.removeprefix("~"), until or "")
        else:
            name, elements, *since = line.split(" ")
            current = TomcatClass(
                name, frozenset(elements.split(",")) - {"-"}, since[1] if since[:1] == ["until"] else ""
            )
            found[name] = current
    return found
