"""Parses the Authorization field of DIGEST (RFC 7616 section 3.4; Tomcat: http/parser/Authorization.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["DigestCredentials", "parse_digest"]

_SCHEME = re.compile(r"digest\s+", re.IGNORECASE)
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_DIRECTIVE = re.compile(rf'\s*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))\s*(,|$)', re.DOTALL)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
#: Directives that must be quoted, and those that must be hexadecimal digits.
_QUOTED = frozenset({"username", "realm", "nonce", "uri", "cnonce", "opaque"})
_HEX = frozenset({"response", "nc"})


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """The directives that the client sent; None for a missing one."""

    username: str | None = None
    realm: str | None = None
    nonce: str | None = None
    uri: str | None = None
    response: str | None = None
    algorithm: str | None = None
    cnonce: str | None = None
    opaque: str | None = None
    qop: str | None = None
    nc: str | None = None


def parse_digest(header: str) -> DigestCredentials | None:
    """Parse the field, ignoring unknown directives; None when its scheme is not Digest, or it is not well-formed."""
    scheme = _SCHEME.match(header)
    if scheme is None:
        return None
    values: dict[str, str] = {}
    at = scheme.end()
    while at < len(header):
        found = _DIRECTIVE.match(header, at)
        if found is None:
            return None
        name, quoted, token, _ = found.groups()
        name = name.lower()
        if name in _QUOTED and quoted is None:
            return None
        value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        if name in _HEX and not _HEXADECIMAL.fullmatch(value):
            return None
        values[name] = value
        at = found.end()
    return DigestCredentials(**{name: values.get(name) for name in DigestCredentials.__slots__})
