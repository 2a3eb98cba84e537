"""A charset for text responses that do not name one (Tomcat: filters/AddDefaultCharsetFilter.java)."""

from __future__ import annotations

import codecs
import locale
from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute, AttributeRefused
from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse, header, set_header

__all__ = ["AddDefaultCharsetFilter"]


def _encoding(text: str) -> str:
    if text.lower() in ("", "default"):
        return "ISO-8859-1"
    if text.lower() == "system":
        return locale.getpreferredencoding(False)
    try:
        codecs.lookup(text)
    except LookupError:
        raise AttributeRefused("a charset, default or system") from None
    return text


class AddDefaultCharsetFilter(FilterBase):
    """Keeps browsers from guessing, which some do in a way that runs scripts (UTF-7)."""

    config_problem_fatal: ClassVar[bool] = True

    encoding = Attribute(_encoding, "ISO-8859-1", doc="Charset added to text/* types; default, system or a name.")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def change(_status: int, headers: Headers) -> None:
            content_type = header(headers, "Content-Type")
            if content_type is not None and content_type.startswith("text/") and "charset=" not in content_type:
                set_header(headers, "Content-Type", f"{content_type};charset={self.encoding}")

        return self.pass_on(environ, start_response, change)
