"""A token in a header for REST clients (Tomcat: filters/RestCsrfPreventionFilter.java)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, comma_list
from catalina.filters.csrf_prevention_filter_base import CsrfPreventionFilterBase, parameter_values
from catalina.filters.filter_base import Environ, Headers, StartResponse, set_header
from catalina.realm.constant_time import equal_text
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.session.session_facade import SessionFacade

__all__ = ["RestCsrfPreventionFilter"]

HEADER, HEADER_KEY = "X-CSRF-Token", "HTTP_X_CSRF_TOKEN"
FETCH, REQUIRED = "fetch", "Required"
SESSION_ATTRIBUTE = "org.apache.catalina.filters.CSRF_REST_NONCE"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class RestCsrfPreventionFilter(CsrfPreventionFilterBase):
    """``X-CSRF-Token: Fetch`` on a safe request gives the token that changing requests must bring."""

    paths_accepting_params: Attribute[tuple[str, ...]] = Attribute(
        comma_list, (), doc="Paths that accept the token as a parameter of its name, for forms."
    )

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["catalina.session"]
        if environ["REQUEST_METHOD"] in SAFE:
            return self._safe(environ, start_response, session)
        given, known = self._given(environ), session.get(SESSION_ATTRIBUTE)
        if given and known and equal_text(given, known):
            return self.next(environ, start_response)
        self.logger.debug("CSRF validation of [%s] failed", environ.get("REQUEST_URI"))

        def refuse(status: str, headers: Headers, *exc_info: Any) -> object:
            return start_response(status, [*headers, (HEADER, REQUIRED)], *exc_info)

        return send_error(environ, refuse, self.deny_status, "CSRF nonce validation failed")

    def _safe(self, environ: Environ, start_response: StartResponse, session: SessionFacade) -> Iterable[bytes]:
        if environ.get(HEADER_KEY, "").lower() != FETCH:
            return self.next(environ, start_response)
        nonce = session.get(SESSION_ATTRIBUTE)
        if nonce is None:
            nonce = session[SESSION_ATTRIBUTE] = self.generate_nonce()
        return self.pass_on(environ, start_response, lambda _status, headers: set_header(headers, HEADER, nonce))

    def _given(self, environ: Environ) -> str | None:
        given: str | None = environ.get(HEADER_KEY)
        if given or self.path_of(environ) not in self.paths_accepting_params:
            return given
        values = set(parameter_values(environ, HEADER))
        return values.pop() if len(values) == 1 else None
