"""Which url-patterns there are (Servlet 6.0, section 12.2; Tomcat: StandardContext.validateURLPattern)."""

from __future__ import annotations

from urllib.parse import unquote

__all__ = ["decode_pattern", "is_valid_pattern"]


def is_valid_pattern(pattern: str) -> bool:
    """``""``, ``/``, ``/exact``, ``/prefix/*`` and ``*.extension``; no other place for an asterisk means anything."""
    if pattern in ("", "/", "/*"):
        return True
    if "\n" in pattern or "\r" in pattern:
        return False
    if pattern.startswith("*."):
        return len(pattern) > 2 and "/" not in pattern
    return pattern.startswith("/") and "*." not in pattern


def decode_pattern(pattern: str) -> str:
    """Patterns of a descriptor are URLs, so percent-encoded."""
    return unquote(pattern, errors="strict") if "%" in pattern else pattern
