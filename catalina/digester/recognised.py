"""What Tomcat documents and no class of ours answers to (``recognised.toml``).

``[class]`` lists classes of Tomcat without an implementation here: an operator's file may name them, and the answer
should be better than "unknown". An entry is looked at only when no module answers to the className, so it can go when
code comes. ``[retired]`` lists attributes that older branches of Tomcat documented and that no longer mean anything:
they are said once and do not count as mistakes.
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
        why: why it is not here, or what to use instead.
        guards: whether it may guard access, so that leaving it out must not happen silently.
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
    """What is known about a className, None when nothing is."""
    entry = _tables()["class"].get(class_name)
    return RecognisedClass(str(entry["why"]), bool(entry["guards"])) if entry else None


@cache
def retired_attributes(class_name: str) -> frozenset[str]:
    """XML names that once meant something on the class; those listed under ``*`` did on every class."""
    names: set[str] = set()
    for listed in ("*", class_name):
        attributes = _tables()["retired"].get(listed, {}).get("attributes", [])
        names.update(attributes if isinstance(attributes, list) else ())
    return frozenset(names)
