"""Java's ``.properties`` files: catalina.properties, logging.properties (java.util.Properties.load)."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["parse_properties", "read_properties"]

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_KEY = re.compile(r"(?P<key>(?:\\.|[^\\:=\s])*)\s*[:=]?\s*", re.DOTALL)


def read_properties(path: Path) -> dict[str, str]:
    """Read a file in UTF-8 or, if it is not UTF-8, in ISO-8859-1 (Java's rules since 9 and before).

    Raises:
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        return parse_properties(data.decode("utf-8"))
    except UnicodeDecodeError:
        return parse_properties(data.decode("iso-8859-1"))


def parse_properties(text: str) -> dict[str, str]:
    """Keys and values; a later line for the same key wins. Every text is a properties file."""
    properties: dict[str, str] = {}
    for line in _logical_lines(text):
        match = _KEY.match(line)
        if match is not None:
            properties[_unescape(match["key"])] = _unescape(line[match.end() :])
    return properties


def _logical_lines(text: str) -> list[str]:
    """Lines without comments and blank ones. A line that ends in an odd number of backslashes continues in the next."""
    lines: list[str] = []
    pending = ""
    continues = False
    for raw in re.split(r"\r\n|\r|\n", text):
        line = raw.lstrip(" \t\f")
        if not continues and (not line or line[0] in "#!"):
            continue
        backslashes = len(line) - len(line.rstrip("\\"))
        pending += line[:-1] if backslashes % 2 else line
        continues = bool(backslashes % 2)
        if not continues:
            lines.append(pending)
            pending = ""
    return [*lines, pending] if pending else lines


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        return _SIMPLE_ESCAPES.get(escape, escape)

    return _ESCAPE.sub(replace, text)
