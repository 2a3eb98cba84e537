"""Makes filters and names of LDAP from patterns and user input (RFC 4514, RFC 4515; Tomcat: JNDIRealm.java)."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["escape_filter", "escape_name", "format_message", "split_patterns"]

_FILTER = {"\\": "\\5c", "*": "\\2a", "(": "\\28", ")": "\\29", "\0": "\\00"}
_NAME = {
    '"': "\\22", "+": "\\2B", ",": "\\2C", ";": "\\3B", "<": "\\3C", ">": "\\3E", "\\": "\\5C", "\0": "\\00",
}  # fmt: skip
_PATTERN = re.compile(r"'([^']*)'|\{(\d+)\}|([^'{]+|\{)")


def escape_filter(text: str) -> str:
    """A value inside a search filter. Without the escapes, a user could type a filter of his own as his name."""
    return "".join(_FILTER.get(char, char) for char in text)


def escape_name(text: str) -> str:
    """A value inside a distinguished name."""
    escaped = "".join(_NAME.get(char, char) for char in text)
    if escaped.startswith(" "):
        escaped = "\\20" + escaped[1:]
    elif escaped.startswith("#"):
        escaped = "\\23" + escaped[1:]
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\20"
    return escaped


def format_message(pattern: str, values: Sequence[str]) -> str:
    """Java's MessageFormat for texts: ``{0}`` is the first value, ``'...'`` is literal, ``''`` is a quote.

    A number without a value stays as it is.
    """

    def replace(found: re.Match[str]) -> str:
        quoted, number, plain = found.groups()
        if quoted is not None:
            return quoted or "'"
        if number is not None:
            return values[int(number)] if int(number) < len(values) else found.group()
        return plain

    return _PATTERN.sub(replace, pattern)


def split_patterns(text: str) -> list[str]:
    """Split ``(uid={0},ou=a)(uid={0},ou=b)`` into the patterns in parentheses; a text without parentheses is one
    pattern.
    """
    found = [
        part.replace("\\(", "(").replace("\\)", ")") for part in re.findall(r"(?<!\\)\(((?:\\.|[^()\\|])+)\)", text)
    ]
    return found or ([text] if text else [])
