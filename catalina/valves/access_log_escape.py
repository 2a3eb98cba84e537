"""Escapes values from clients in an access log, so that no client can forge a line.

Tomcat: AbstractAccessLogValve.escapeAndAppend.
"""

from __future__ import annotations

import re

__all__ = ["escape", "escape_quotes_doubled"]

#: The characters that Tomcat rewrites: all except printable ASCII without the quote and the backslash.
_SPECIAL = re.compile(r"[^ !#-\[\]-~]")
_NAMED = {"\\": "\\\\", '"': '\\"', "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str | None) -> str:
    """``-`` for nothing; otherwise the text with quotes, controls and non-ASCII characters as backslash escapes."""
    if not text:
        return "-"
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text  # the usual case: four scans in C cost a quarter of one regular expression
    return _SPECIAL.sub(_rewrite, text)


def escape_quotes_doubled(text: str | None) -> str:
    """As :func:`escape`, but a quote is doubled, as in the W3C extended format."""
    if not text:
        return "-"
    return _SPECIAL.sub(lambda found: '""' if found.group() == '"' else _rewrite(found), text)


def _rewrite(found: re.Match[str]) -> str:
    char = found.group()
    named = _NAMED.get(char)
    if named is not None:
        return named
    # Java writes UTF-16 units, so a character beyond the BMP becomes two escapes.
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
