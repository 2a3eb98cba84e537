"""The order of the versions of one application (Tomcat: mapper/Mapper.java orders them as texts).

``##9`` is newer than ``##10`` as texts, so in Tomcat. Versions of wheels are PEP 440's, and those of one path are
compared as such when all of them are valid there and at least one comes from a wheel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from packaging.version import InvalidVersion, Version

__all__ = ["newest_last"]

T = TypeVar("T")


def newest_last(versions: Iterable[tuple[str, bool, T]]) -> list[T]:
    """Sort.

    Args:
        versions: the version's text, whether it is a wheel's, and what is sorted.
    """
    items = list(versions)
    parsed = [_parse(text) for text, _, _ in items]
    if any(from_wheel for _, from_wheel, _ in items) and all(version is not None for version in parsed):
        # the empty version (no ##) is the oldest, as the empty text is
        order = sorted(range(len(items)), key=lambda i: (items[i][0] != "", parsed[i], items[i][0]))
    else:
        order = sorted(range(len(items)), key=lambda i: items[i][0])
    return [items[i][2] for i in order]


def _parse(text: str) -> Version | None:
    try:
        return Version(text or "0")
    except InvalidVersion:
        return None
