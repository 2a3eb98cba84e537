"""Headers that make browsers careful (Tomcat: filters/HttpHeaderSecurityFilter.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute, AttributeRefused, choice
from catalina.errors import DeploymentError
from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse, header

__all__ = ["HttpHeaderSecurityFilter"]


#: The ASCII that java.net.URI takes (RFC 2396): a scheme is followed by something, an escape has two digits.
_URI = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*:\Z)(?!:)(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")


def _uri(text: str) -> str:
    if not _URI.fullmatch(text):
        raise AttributeRefused("a URI")
    return text


class HttpHeaderSecurityFilter(FilterBase):
    """Adds Strict-Transport-Security, X-Frame-Options and X-Content-Type-Options, unless the application has set
    them.
    """

    config_problem_fatal: ClassVar[bool] = True

    hsts_enabled = Attribute(bool, True, doc="Send Strict-Transport-Security on secure requests.")
    hsts_max_age_seconds = Attribute(int, 0, unit="seconds", doc="max-age of it; negative is 0.")
    hsts_include_sub_domains = Attribute(bool, False, doc="includeSubDomains of it.")
    hsts_preload = Attribute(bool, False, doc="preload of it.")
    anti_click_jacking_enabled = Attribute(bool, True, doc="Send X-Frame-Options.")
    anti_click_jacking_option = Attribute(
        choice("DENY", "SAMEORIGIN", "ALLOW-FROM"), "DENY", doc="Pages that may show these pages in a frame."
    )
    anti_click_jacking_uri = Attribute(_uri, "", doc="Address for ALLOW-FROM.")
    block_content_type_sniffing_enabled = Attribute(bool, True, doc="Send X-Content-Type-Options: nosniff.")
    xss_protection_enabled = Attribute(bool, False, doc="Send the old X-XSS-Protection header.")

    def prepare(self) -> None:
        """Compute the values once."""
        if self.anti_click_jacking_option == "ALLOW-FROM" and not self.anti_click_jacking_uri:
            raise DeploymentError("HttpHeaderSecurityFilter: ALLOW-FROM needs antiClickJackingUri")
        self._always: Headers = []
        if self.anti_click_jacking_enabled:
            uri = f" {self.anti_click_jacking_uri}" if self.anti_click_jacking_option == "ALLOW-FROM" else ""
            self._always.append(("X-Frame-Options", self.anti_click_jacking_option + uri))
        if self.block_content_type_sniffing_enabled:
            self._always.append(("X-Content-Type-Options", "nosniff"))
        if self.xss_protection_enabled:
            self._always.append(("X-XSS-Protection", "1; mode=block"))
        sub_domains = ";includeSubDomains" if self.hsts_include_sub_domains else ""
        preload = ";preload" if self.hsts_preload else ""
        hsts = f"max-age={max(0, self.hsts_max_age_seconds)}{sub_domains}{preload}"
        self._secure: Headers = [("Strict-Transport-Security", hsts)] if self.hsts_enabled else []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        fields = self._always + self._secure if environ["wsgi.url_scheme"] == "https" else self._always

        def change(_status: int, headers: Headers) -> None:
            headers.extend((name, value) for name, value in fields if header(headers, name) is None)

        return self.pass_on(environ, start_response, change)
