"""Escapes a URL for the rules, and afterwards (Tomcat: RewriteValve.invoke, util/URLEncoder.java).

Rules see the decoded path, in which only ``%``, ``;`` and ``?`` are written ``%nn``. So a question mark in the path
begins no query, and a percent sign is never taken for an escape. A rule that needs one of the three in the path writes
``%nn`` itself. The result of the rules is then encoded, except for its percent signs.
"""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus

__all__ = ["encode_path", "encode_rewritten_path", "encode_rewritten_query", "for_rules"]

#: Characters that RFC 3986 allows in a path.
_PATH_SAFE = "/!$&'()*+,;=:@"
_RESERVED = re.compile("[%;?]")


def for_rules(path: str) -> str:
    """The decoded path as rules see it."""
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02x}", path)


def encode_path(text: str) -> str:
    """Percent-encode characters that a path may not contain: back-references with [B], and ``int:escape``."""
    return quote(text, safe=_PATH_SAFE)


def encode_rewritten_path(path: str) -> str:
    """A path that rules have written, ready for a request line."""
    return quote(path, safe=_PATH_SAFE + "%")


def encode_rewritten_query(query: str) -> str:
    """A query that rules have written, in the manner of HTML forms, ready for a request line."""
    return quote_plus(query, safe="*=&%").replace("~", "%7E")
