"""Cross-origin resource sharing (Fetch standard; Tomcat: filters/CorsFilter.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute, AttributeRefused, comma_list
from catalina.errors import DeploymentError
from catalina.filters.filter_base import Environ, FilterBase, Headers, StartResponse, add_vary
from catalina.filters.origin import is_same_origin, is_valid_origin

__all__ = ["CorsFilter"]

FORBIDDEN = "403 Forbidden"
NOT_CORS, SIMPLE, ACTUAL, PREFLIGHT, INVALID = "not_cors", "simple", "actual", "pre_flight", "invalid_cors"
#: Content types that a page may post without asking before.
SIMPLE_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})


def _flag(text: str) -> bool:
    """An empty init-param is false here, as in Tomcat, which reads it itself."""
    match text.strip().lower():
        case "true":
            return True
        case "false" | "":
            return False
        case _:
            raise AttributeRefused("true or false")


def _seconds(text: str) -> int:
    """An empty init-param is 0 here."""
    text = text.strip()
    if not re.fullmatch(r"(-?[0-9]{1,18})?", text):
        raise AttributeRefused("a whole number of seconds")
    return int(text or 0)


class CorsFilter(FilterBase):
    """Refuse what the configuration does not allow; answer preflight requests itself."""

    config_problem_fatal: ClassVar[bool] = True

    allowed_origins: Attribute[tuple[str, ...]] = Attribute(
        comma_list, (), xml="cors.allowed.origins", doc="Origins that may read; * alone is all, none is nobody."
    )
    allowed_methods: Attribute[tuple[str, ...]] = Attribute(
        comma_list, ("GET", "POST", "HEAD", "OPTIONS"), xml="cors.allowed.methods", doc="Methods they may use."
    )
    allowed_headers: Attribute[tuple[str, ...]] = Attribute(
        comma_list,
        (
            "Origin",
            "Accept",
            "X-Requested-With",
            "Content-Type",
            "Access-Control-Request-Method",
            "Access-Control-Request-Headers",
        ),
        xml="cors.allowed.headers",
        doc="Request headers they may send.",
    )
    exposed_headers: Attribute[tuple[str, ...]] = Attribute(
        comma_list, (), xml="cors.exposed.headers", doc="Response headers their scripts may read."
    )
    preflight_max_age = Attribute(
        _seconds,
        1800,
        unit="seconds",
        xml="cors.preflight.maxage",
        doc="Life of a preflight answer; 0 says none.",
    )
    support_credentials = Attribute(
        _flag, False, xml="cors.support.credentials", doc="Allow cookies and logins; not together with all origins."
    )
    request_decorate = Attribute(
        _flag, True, xml="cors.request.decorate", doc="Tell the application by cors.* keys of the environ."
    )

    def prepare(self) -> None:
        """Refuse to let every site act in the name of a logged-in user."""
        # As in Tomcat only when it stands alone: in a list it is an origin that no browser sends.
        self._any_origin = self.allowed_origins == ("*",)
        self._allowed_headers = frozenset(name.lower() for name in self.allowed_headers)
        if self.support_credentials and self._any_origin:
            raise DeploymentError("It is not allowed to configure supportsCredentials=[true] when allowedOrigins=[*]")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        kind = request_type(environ)
        if self.request_decorate:
            _decorate(environ, kind)
        if kind == NOT_CORS:
            return self.pass_on(environ, start_response, self._vary_only)
        if kind == INVALID or not self._is_allowed(environ, kind):
            start_response(FORBIDDEN, [("Content-Type", "text/plain")])
            return []
        origin, method = environ["HTTP_ORIGIN"], environ["REQUEST_METHOD"]
        if kind == PREFLIGHT:
            headers: Headers = []
            self._allow(headers, origin, method)
            start_response("200 OK", headers)
            return []
        return self.pass_on(environ, start_response, lambda _status, headers: self._allow(headers, origin, method))

    def _is_allowed(self, environ: Environ, kind: str) -> bool:
        if not self._any_origin and environ["HTTP_ORIGIN"] not in self.allowed_origins:
            return False
        if kind != PREFLIGHT:
            return environ["REQUEST_METHOD"] in self.allowed_methods
        wanted = comma_list(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        return environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"].strip() in self.allowed_methods and all(
            name.lower() in self._allowed_headers for name in wanted
        )

    def _vary_only(self, _status: int, headers: Headers) -> None:
        if not self._any_origin:
            add_vary(headers, "Origin")

    def _allow(self, headers: Headers, origin: str, method: str) -> None:
        if not self._any_origin:
            add_vary(headers, "Origin")
        headers.append(("Access-Control-Allow-Origin", "*" if self._any_origin else origin))
        if self.support_credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        if self.exposed_headers:
            headers.append(("Access-Control-Expose-Headers", ",".join(self.exposed_headers)))
        if method == "OPTIONS":
            add_vary(headers, "Access-Control-Request-Method")
            add_vary(headers, "Access-Control-Request-Headers")
            if self.preflight_max_age > 0:
                headers.append(("Access-Control-Max-Age", str(self.preflight_max_age)))
            if self.allowed_methods:
                headers.append(("Access-Control-Allow-Methods", ",".join(self.allowed_methods)))
            if self.allowed_headers:
                headers.append(("Access-Control-Allow-Headers", ",".join(self.allowed_headers).lower()))


def request_type(environ: Environ) -> str:
    """The kind of the request, as the Fetch standard sees it."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return NOT_CORS
    if not origin or not is_valid_origin(origin):
        return INVALID
    port = int(environ.get("SERVER_PORT") or -1)
    if is_same_origin(environ["wsgi.url_scheme"], environ.get("SERVER_NAME", ""), port, origin):
        return NOT_CORS
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        return ACTUAL if asked is None else PREFLIGHT if asked else INVALID
    if method in ("GET", "HEAD"):
        return SIMPLE
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return SIMPLE if method == "POST" and (not kind or kind in SIMPLE_TYPES) else ACTUAL


def _decorate(environ: Environ, kind: str) -> None:
    environ["cors.isCorsRequest"] = kind in (SIMPLE, ACTUAL, PREFLIGHT)
    if environ["cors.isCorsRequest"]:
        environ["cors.request.origin"] = environ["HTTP_ORIGIN"]
        environ["cors.request.type"] = kind
    if kind == PREFLIGHT:
        environ["cors.request.headers"] = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
