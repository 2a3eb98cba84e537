"""Paths of Jolokia: parts between slashes, in which ``!`` takes the meaning from the character behind it.

``read/java.lang:type=Memory/HeapMemoryUsage/used``; ``!/`` is a slash, ``!!`` an exclamation mark, ``!"`` a quote.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["join_path", "special_value", "split_escaped", "split_path"]


def split_path(path: str) -> list[str | None] | None:
    """The parts; None for a ``*``, which matches a whole level. None altogether for an empty path."""
    if path in ("", "/"):
        return None
    return [None if part == "*" else part for part in split_escaped(path, "/", "!")]


def split_escaped(text: str, delimiter: str, escape: str) -> list[str]:
    """Parts between delimiters that are not escaped, with the escapes resolved; the last part is left out if empty."""
    parts: list[str] = []
    current: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == escape:
            current.append(next(characters, ""))
        elif character == delimiter:
            parts.append("".join(current))
            current = []
        else:
            current.append(character)
    if current:
        parts.append("".join(current))
    return parts


def join_path(parts: Sequence[str | None]) -> str:
    """The path of parts, escaped."""
    escaped = ("*" if part is None else part.replace("!", "!!").replace("/", "!/") for part in parts)
    return "/".join(escaped)


def special_value(text: str) -> str | None:
    """A value in a path: ``[null]`` is none, ``""`` the empty text."""
    return None if text == "[null]" else "" if text == '""' else text
