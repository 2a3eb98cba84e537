"""The charset of request bodies that do not name one (Tomcat: filters/SetCharacterEncodingFilter.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalina.attributes import Attribute
from catalina.filters.filter_base import Environ, FilterBase, StartResponse

__all__ = ["SetCharacterEncodingFilter"]

_CHARSET = re.compile(r"\s*;\s*charset\s*=\s*(?:\"[^\"]*\"|[^;\s]*)", re.IGNORECASE)


class SetCharacterEncodingFilter(FilterBase):
    """Name the charset in CONTENT_TYPE, where an application or framework looks for it."""

    encoding = Attribute(str, "", doc="The charset; without one the filter does nothing.")
    ignore = Attribute(bool, False, doc="Set it also when the client names another.")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        content_type = environ.get("CONTENT_TYPE")
        if self.encoding and content_type:
            named = _CHARSET.search(content_type) is not None
            if self.ignore or not named:
                environ["CONTENT_TYPE"] = f"{_CHARSET.sub('', content_type)}; charset={self.encoding}"
        return self.next(environ, start_response)
