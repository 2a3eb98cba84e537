"""Filters requests by a property of the client (Tomcat: filters/RequestFilter.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute
from catalina.filters.filter_base import Environ, FilterBase, StartResponse
from catalina.java_pattern import pattern
from catalina.util.net_mask import may_pass
from catalina.webapp import send_error

__all__ = ["RequestFilter"]


class RequestFilter(FilterBase):
    """Checks ``deny`` first, then ``allow``; without ``allow`` everything passes that is not denied."""

    config_problem_fatal: ClassVar[bool] = True

    allow: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of clients that may pass; set alone, it refuses all others."
    )
    deny: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of clients that may not pass; wins over allow."
    )
    deny_status = Attribute(int, 403, doc="Status for refused requests.")

    def property_of(self, environ: Environ) -> str:
        """The property of the client that is matched."""
        raise NotImplementedError(f"{type(self).__name__} does not override property_of()")

    def is_allowed(self, value: str) -> bool:
        """True when a client with that property may pass."""
        return may_pass(value, self.allow, self.deny)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        value = self.property_of(environ)
        if self.is_allowed(value):
            return self.next(environ, start_response)
        self.logger.debug("Denied request for [%s] based on property [%s]", environ.get("REQUEST_URI"), value)
        return send_error(environ, start_response, self.deny_status)
