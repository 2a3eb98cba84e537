"""Compares secrets in a time that reveals nothing about them (Tomcat: tomcat/util/security/ConstantTime.java)."""

from __future__ import annotations

import hmac

__all__ = ["equal_bytes", "equal_text"]


def equal_text(given: str, stored: str, ignore_case: bool = False) -> bool:
    """True when two texts are equal; ``ignore_case`` is for hexadecimal digits."""
    if ignore_case:
        given, stored = given.lower(), stored.lower()
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), stored.encode("utf-8", "surrogatepass"))


def equal_bytes(given: bytes, stored: bytes) -> bool:
    """True when two byte strings are equal."""
    return hmac.compare_digest(given, stored)
