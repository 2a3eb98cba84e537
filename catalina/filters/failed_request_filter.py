"""Refuses requests whose parameters cannot be read (Tomcat: filters/FailedRequestFilter.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from catalina.filters.filter_base import Environ, FilterBase, StartResponse
from catalina.webapp import send_error

__all__ = ["FailedRequestFilter"]

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: Tomcat's maxParameterCount.
MAX_PARAMETERS = 10_000


class FailedRequestFilter(FilterBase):
    """400 for a query with broken escapes, with parameters without a name or too many of them.

    The application itself reads bodies, so it must check them.
    """

    config_problem_fatal: ClassVar[bool] = True

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not _is_good(environ.get("QUERY_STRING", "")):
            return send_error(environ, start_response, 400)
        return self.next(environ, start_response)


def _is_good(query: str) -> bool:
    pairs = [pair for pair in query.split("&") if pair]
    if len(pairs) > MAX_PARAMETERS or _BROKEN_ESCAPE.search(query):
        return False
    return not any(pair.startswith("=") for pair in pairs)
