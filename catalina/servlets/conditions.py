"""If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since (RFC 9110 section 13; Tomcat: checkIfHeaders)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.http import parse_date

__all__ = ["BadConditionError", "check_conditions", "check_missing", "if_range_matches"]

#: Most requests have none of them.
CONDITIONS = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"})
_TAG = re.compile(r'\s*(?:(W/)?("[^"]*")|\*)\s*(?:,|$)')


class BadConditionError(ValueError):
    """An entity tag is malformed: 400."""


def check_missing(environ: Mapping[str, Any]) -> int:
    """The status for a file that does not exist. Raises BadConditionError as :func:`check_conditions`."""
    if_match = environ.get("HTTP_IF_MATCH")
    if if_match is None:
        return 404
    _matches(if_match, "", strong=True)
    return 412


def check_conditions(environ: Mapping[str, Any], etag: str, mtime_ms: int) -> int | None:
    """The status that the conditions of a request give; None when it is to be served.

    Raises:
        BadConditionError: an entity tag is malformed.
    """
    if not any(name in environ for name in CONDITIONS):
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


def _matches(field: str, etag: str, *, strong: bool) -> bool:
    """Whether the list names the entity; the strong comparison takes no weak tag on either side."""
    if not field.strip():
        raise BadConditionError("expected entity tags, got none")
    position = 0
    found = False
    while position < len(field):
        match = _TAG.match(field, position)
        if match is None:
            raise BadConditionError(f"expected entity tags, got {field!r}")
        if match[2] is None:
            found = True
        elif strong:
            found = found or (match[1] is None and etag == match[2])
        else:
            found = found or etag.removeprefix("W/") == match[2]
        position = match.end()
    return found


def _seconds(field: str | None) -> int | None:
    """Milliseconds of an HTTP date, None for none or one that cannot be read: such a condition does not count."""
    date = parse_date(field) if field else None
    return None if date is None else int(date.timestamp()) * 1000


def _unmodified_since(field: str | None, mtime_ms: int) -> bool:
    limit = _seconds(field)
    return limit is None or mtime_ms < limit + 1000


def _not_modified_since(field: str | None, mtime_ms: int) -> bool:
    limit = _seconds(field)
    return limit is not None and mtime_ms < limit + 1000


def if_range_matches(field: str | None, etag: str, mtime_ms: int) -> bool:
    """Whether a Range counts: there is no If-Range, or it names exactly this state; a weak tag never does.

    Raises:
        BadConditionError: it is neither an entity tag nor a date.
    """
    if field is None:
        return True
    field = field.strip()
    if field.startswith(('"', "W/")):
        return not field.startswith("W/") and not etag.startswith("W/") and field == etag
    limit = _seconds(field)
    if limit is None:
        raise BadConditionError(f"expected an entity tag or a date, got {field!r}")
    return mtime_ms // 1000 == limit // 1000
