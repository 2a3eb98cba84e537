"""Classes and attributes that Tomcat documents and that have no counterpart here (``recognised.toml``).

``[class]`` lists classes of Tomcat without an implementation here: an operator's file may name them, and the answer
should be better than "unknown". An entry counts only when no module implements the className, so it can go when code
comes. ``[retired]`` lists attributes that older branches of Tomcat documented and that no longer mean anything: they
are reported once, and do not count as mistakes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["RecognisedClass", "recognised_class", "retired_attributes"]


@dataclass(frozen=True, slots=True)
class RecognisedClass:
    """A class of Tomcat that we know by name only.

    Args:
        why: why it is missing, or what to use instead.
        guards: True when it may guard access, so that it must not be left out silently.
    """

    why: str
    guards: bool


@cache
def _tables() -> dict[str, dict[str, dict[str, object]]]:
    text = files("catalina.digester").joinpath("recognised.toml").read_text("utf-8")
    tables: dict[str, dict[str, dict[str, object]]] = tomllib.loads(text)
    return tables


@cache
def recognised_class(class_name: str) -> RecognisedClass | None:
    """The entry of a className, None when there is none."""
    entry = _tables()["class"].get(class_name)
    return RecognisedClass(str(entry["why"]), bool(entry["guards"])) if entry else None


@cache
def retired_attributes(class_name: str) -> frozenset[str]:
    """XML names that once had a meaning on the class; those under ``*`` had one on every class."""
    names: set[str] = set()
    for listed in ("*", class_name):
        attributes = _tables()["retired"].get(listed, {}).get("attributes", [])
        names.update(attributes if isinstance(attributes, list) else ())
    return frozenset(names)
