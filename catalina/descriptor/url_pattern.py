"""Checks and decodes url-patterns (Servlet 6.0, section 12.2; Tomcat: StandardContext.validateURLPattern)."""

from __future__ import annotations

from urllib.parse import unquote

__all__ = ["decode_pattern", "is_valid_pattern"]


def is_valid_pattern(pattern: str) -> bool:
    """True for ``""``, ``/``, ``/exact``, ``/prefix/*`` and ``*.extension``; an asterisk elsewhere means nothing."""
    if pattern in ("", "/", "/*"):
        return True
    if "\n" in pattern or "\r" in pattern:
        return False
    if pattern.startswith("*."):
        return len(pattern) > 2 and "/" not in pattern
    return pattern.startswith("/") and "*." not in pattern


def decode_pattern(pattern: str) -> str:
    """Decode a pattern of a descriptor, which is a URL and so percent-encoded."""
    return unquote(pattern, errors="strict") if "%" in pattern else pattern
