"""The Origin header (Tomcat: tomcat/util/http/RequestUtil.java, isSameOrigin and isValidOrigin)."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["is_same_origin", "is_valid_origin"]

_NOT_IN_URI = frozenset('<>"{}|\\^`')
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def is_same_origin(scheme: str, server_name: str, server_port: int, origin: str) -> bool:
    """True when ``origin`` names the scheme, host and port to which the request itself came.

    The default port may be written or not.
    """
    if not scheme or not server_name:
        return False
    target = f"{scheme.lower()}://{server_name}"
    is_default = server_port == _DEFAULT_PORTS.get(scheme.lower(), -1)
    return origin == f"{target}:{server_port}" or (is_default and origin == target)


def is_valid_origin(origin: str) -> bool:
    """True when it can be an origin: ``null``, ``file:...`` or a URI with a scheme; never one with ``%``."""
    if "%" in origin:
        return False
    if origin == "null" or origin.startswith("file://"):
        return True
    try:
        parts = urlsplit(origin)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    if not parts.scheme or ("://" in origin and not parts.netloc):
        return False
    return not any(char.isspace() or char in _NOT_IN_URI for char in origin)
