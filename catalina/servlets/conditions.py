"""If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since (RFC 9110 section 13; Tomcat: checkIfHeaders)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.http import parse_date

__all__ = ["BadConditionError", "check_conditions", "has_conditions", "if_range_matches"]

#: Most requests have none of them.
CONDITIONS = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"})
#: An entity tag as Tomcat reads it (util/http/parser/EntityTag.java): a quoted string, with its escapes. No two repeats
#: of the same characters stand side by side, so the time is linear in the length of the field.
_TAG = re.compile(r'[ \t]*(?:(W/)[ \t]*)?("(?:[^"\\]|\\.)*")[ \t]*(,|\Z)', re.DOTALL)
#: The three forms of RFC 9110 section 5.6.7; each is parsed by werkzeug, which takes more than these.
_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|UTC)"
    r"|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} (?:GMT|UTC)"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
    re.ASCII,
)


class BadConditionError(ValueError):
    """An entity tag is malformed: 400."""


def has_conditions(environ: Mapping[str, Any]) -> bool:
    """True when a request has any; an entity tag may cost reading the file."""
    return not CONDITIONS.isdisjoint(environ)


def check_conditions(environ: Mapping[str, Any], etag: str | None, mtime_ms: int) -> int | None:
    """The status that the conditions of a request demand; None when the request shall be carried out.

    Args:
        etag: of the current representation; None when the resource does not exist, which no tag and no ``*`` matches.
        mtime_ms: of the last change; 0 for a resource without one, whose date conditions do not count.

    Raises:
        BadConditionError: an entity tag is malformed.
    """
    if not has_conditions(environ):
        return None
    if_match = environ.get("HTTP_IF_MATCH")
    if if_match is not None:
        if not _matches(if_match, etag, strong=True):
            return 412
    elif not _unmodified_since(environ.get("HTTP_IF_UNMODIFIED_SINCE"), mtime_ms):
        return 412
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    reads = environ.get("REQUEST_METHOD") in ("GET", "HEAD")
    if if_none_match is not None:
        if _matches(if_none_match, etag, strong=False):
            return 304 if reads else 412
    elif reads and _not_modified_since(environ.get("HTTP_IF_MODIFIED_SINCE"), mtime_ms):
        return 304
    return None


def _matches(field: str, etag: str | None, *, strong: bool) -> bool:
    """True when the list names the entity; the strong comparison takes no weak tag on either side.

    ``*`` stands alone or not at all (RFC 9110 section 13.1.1); a list has no empty members, as in Tomcat.
    """
    if field == "*":
        return etag is not None
    compared = etag if strong or etag is None else etag.removeprefix("W/")
    position = 0
    found = False
    while True:
        match = _TAG.match(field, position)
        if match is None:
            raise BadConditionError(f"expected entity tags, got {field[:200]!r}, wrong at character {position}")
        if not (strong and match[1]) and match[2] == compared:
            found = True
        if not match[3]:
            return found
        position = match.end()


def _milliseconds(field: str | None) -> int | None:
    """Milliseconds of an HTTP date, None for none or an unreadable one: such a condition does not count."""
    if field is None or _DATE.fullmatch(field) is None:
        return None
    date = parse_date(field)
    return None if date is None else int(date.timestamp()) * 1000


def _unmodified_since(field: str | None, mtime_ms: int) -> bool:
    limit = _milliseconds(field)
    return limit is None or mtime_ms <= 0 or mtime_ms < limit + 1000


def _not_modified_since(field: str | None, mtime_ms: int) -> bool:
    limit = _milliseconds(field)
    return limit is not None and 0 < mtime_ms < limit + 1000


def if_range_matches(field: str | None, etag: str, mtime_ms: int) -> bool:
    """True when a Range counts: there is no If-Range, or it names exactly this state, which a weak tag never does.

    Raises:
        BadConditionError: it is neither one entity tag nor a date.
    """
    if field is None:
        return True
    field = field.strip()
    if len(field) > 2 and '"' in (field[0], field[2]):
        weak = field.startswith('W/"')
        if (not weak and field[0] != '"') or field.find('"', 3 if weak else 1) != len(field) - 1:
            raise BadConditionError(f"expected one entity tag, got {field[:200]!r}")
        return not weak and field == etag
    limit = _milliseconds(field)
    if limit is None:
        raise BadConditionError(f"expected an entity tag or a date, got {field[:200]!r}")
    return mtime_ms // 1000 == limit // 1000
