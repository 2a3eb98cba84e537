"""The value of a ``Set-Cookie`` field (Tomcat: util/http/Rfc6265CookieProcessor.generateHeader)."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor

__all__ = ["set_cookie_value"]

#: RFC 6265 section 4.1.1.
_NAME = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e\x80-\U0010ffff]*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?")
_PATH = re.compile(r"[\x20-\x3a\x3c-\x7e]*")


def set_cookie_value(
    name: str,
    value: str,
    path: str | None,
    domain: str | None,
    max_age: int | None,
    secure: bool,
    http_only: bool,
    attributes: Mapping[str, str] | None = None,
    processor: Rfc6265CookieProcessor | None = None,
) -> str:
    """The field in Tomcat's order.

    Args:
        max_age: seconds, 0 deletes; None or negative writes neither Max-Age nor Expires.
        attributes: further ones, such as ``SameSite``, which override the processor's.
        processor: the context's CookieProcessor, of which ``same_site_cookies`` and ``partitioned`` are read.

    Raises:
        ValueError: a part has a character that could end it and begin another.
    """
    _check("name", _NAME, name)
    _check("value", _VALUE, value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value)
    parts = [f"{name}={value}"]
    if max_age is not None and max_age >= 0:
        parts.append(f"Max-Age={max_age}")
        # Old browsers understand only Expires.
        expires = "Thu, 01 Jan 1970 00:00:10 GMT" if max_age == 0 else _date(int(time.time()) + max_age)
        parts.append(f"Expires={expires}")
    if domain:
        _check("domain", _DOMAIN, domain)
        parts.append(f"Domain={domain}")
    if path:
        _check("path", _PATH, path)
        parts.append(f"Path={path}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    parts.extend(_further(dict(attributes or {}), processor))
    return "; ".join(parts)


@lru_cache(maxsize=64)
def _date(seconds: int) -> str:
    """The date; many cookies of one second have the same."""
    return formatdate(seconds, usegmt=True)


def _further(attributes: dict[str, str], processor: Rfc6265CookieProcessor | None) -> list[str]:
    by_lower = {key.lower(): key for key in attributes}
    same_site = attributes.pop(by_lower.get("samesite", ""), None)
    if not same_site and processor is not None:
        same_site = processor.same_site_cookies
    parts = []
    if same_site and same_site.lower() != "unset":
        parts.append(f"SameSite={same_site.capitalize()}")
    partitioned = attributes.pop(by_lower.get("partitioned", ""), None)
    if partitioned is None:
        partitioned = "true" if processor is not None and processor.partitioned else "false"
    if partitioned.lower() in ("true", ""):
        parts.append("Partitioned")
    for key, text in attributes.items():
        _check("attribute", _NAME, key)
        _check("attribute value", _PATH, text)
        parts.append(f"{key}={text}" if text else key)
    return parts


def _check(what: str, pattern: re.Pattern[str], text: str) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"cookie {what}: {text!r} has a character that RFC 6265 does not allow")
