"""Login by the application's own form (Servlet 6.0 section 13.6.3; Tomcat: authenticator/FormAuthenticator.java).

The first request to a protected page is saved in the session, and the login page shown in its place. The form posts to
``j_security_check``; with a right password it redirects to the first page, and the saved request replaces the new
request for that page.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.authenticator.authenticator_base import FORBIDDEN, AuthenticationResult, AuthenticatorBase
from catalina.authenticator.constants import (
    FORM,
    FORM_ACTION,
    FORM_PASSWORD,
    FORM_REQUEST_NOTE,
    FORM_USERNAME,
    SESSION_ID_NOTE,
    SESSION_PASSWORD_NOTE,
    SESSION_USERNAME_NOTE,
)
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.headers import Headers
from catalina.connector.request_input import EMPTY_INPUT, RequestInput
from catalina.connector.session_urls import encode_redirect_url
from catalina.core.application_dispatcher import ApplicationDispatcher
from catalina.core.standard_wrapper_valve import run_servlet
from catalina.errors import LimitError

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.standard_context import StandardContext
    from catalina.session.session import Principal, Session

__all__ = ["FormAuthenticator", "SavedRequest", "forward"]

log = logging.getLogger("org.apache.catalina.authenticator.FormAuthenticator")

BAD_REQUEST, REQUEST_TIMEOUT, SERVER_ERROR = 400, 408, 500
FOUND, SEE_OTHER = 302, 303
_EXPIRED = (
    "The time allowed for the login process has been exceeded. If you wish to continue you must either click back twice"
    " and re-click the link you requested or close and re-open your browser"
)
FORM_TYPE = "application/x-www-form-urlencoded"
#: The client asks only for changes, but must get the page, not a 304 for the login's redirect.
_CONDITIONAL = frozenset({"if-modified-since"})
_CONDITIONAL_SAFE = _CONDITIONAL | {"if-none-match"}


@dataclass(slots=True)
class SavedRequest:
    """The request that a login form interrupted, which is repeated after the login (Tomcat:
    authenticator/SavedRequest.java); kept in a note of the session, on this node only.

    Args:
        original_max_inactive_interval: the session's timeout in seconds, if the session was made for the login with a
            short one.
    """

    method: str
    request_uri: str
    decoded_uri: str
    query_string: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)  # cookies and other fields are secrets
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = None
    original_max_inactive_interval: int | None = None

    @classmethod
    def of(cls, request: Request, max_body: int) -> SavedRequest:
        """Save a request.

        Args:
            max_body: bytes of the body that are kept; 0 for none, negative for any size.

        Raises:
            LimitError: the body is larger.
        """
        body = b""
        if max_body != 0:
            request.acknowledge()
            body = request.input.read(max_body + 1 if max_body > 0 else -1)
            if 0 < max_body < len(body):
                raise LimitError(
                    f"the body of {request.method} {request.request_uri} exceeds maxSavePostSize {max_body}"
                )
        return cls(
            method=request.method,
            request_uri=request.request_uri,
            decoded_uri=request.decoded_uri,
            query_string=request.query_string,
            headers=tuple(request.headers.raw),
            body=body,
            content_type=request.content_type if body else None,
        )

    @property
    def url(self) -> str:
        """The URL to which the client is sent after the login: path and query, never ``//host``."""
        url = self.request_uri if self.query_string is None else f"{self.request_uri}?{self.query_string}"
        while url.startswith("//"):
            url = url[1:]
        return url

    def restore(self, request: Request) -> None:
        """Turn ``request``, which came for the same path, into the saved one."""
        request.input.read()  # the body of the repeating request
        dropped = _CONDITIONAL_SAFE if self.method in ("GET", "HEAD") else _CONDITIONAL
        headers = Headers([pair for pair in self.headers if pair[0].decode("latin-1").lower() not in dropped])
        if self.body and headers.get("content-type") is None and self.method == "POST":
            headers.set("Content-Type", FORM_TYPE)
        request.replace_content(self.method, headers, RequestInput(None, self.body) if self.body else EMPTY_INPUT)
        request.content_length = len(self.body) if self.body else -1


def forward(context: StandardContext, page: str, request: Request, response: Response) -> bool:
    """Forward the request to ``page``, a path in the application. Returns False when no servlet answers, or it
    fails.
    """
    try:
        dispatcher = ApplicationDispatcher.for_path(context, page)
    except ValueError:
        dispatcher = None
    if dispatcher is None or dispatcher.mapping is None:
        log.warning("Nothing in context [%s] answers for the page [%s]", context.name, page)
        return False
    mapping = dispatcher.mapping
    saved = (request.wrapper, request.servlet_path, request.path_info, request.query_string, request.request_uri)
    request.wrapper, request.servlet_path, request.path_info = mapping.wrapper, mapping.servlet_path, mapping.path_info
    request.query_string = dispatcher.query or request.query_string
    request.request_uri = dispatcher.uri
    try:
        path = mapping.servlet_path + (mapping.path_info or "")
        run_servlet(context, dispatcher.wrapper, request, response, path, "FORWARD")
    except ClientAbortException:
        raise
    except BaseException:  # the code is the application's page
        log.warning("Unexpected error forwarding to page [%s]", page, exc_info=True)
        return False
    finally:
        request.wrapper, request.servlet_path, request.path_info, request.query_string, request.request_uri = saved
    return True


class FormAuthenticator(AuthenticatorBase):
    """Uses the pages of web.xml's form-login-config."""

    character_encoding = Attribute(str, "", doc="Charset of j_username and j_password; the request's when not given.")
    landing_page = Attribute(
        str, "", doc="Page for who logs in without having asked for one (an old or bookmarked login page); else 400."
    )
    authentication_session_timeout = Attribute(
        int, 120, unit="seconds", doc="Life of a session that was made only for the login page."
    )

    auth_method = FORM

    def do_authenticate_extended(self, request: Request, response: Response) -> AuthenticationResult:
        """Handle one of four cases: the repeated first request, a known user, the posted form, or a new visitor."""
        if not self.cache and self._reauthenticate(request, response):
            return AuthenticationResult.PASSED
        if self._is_saved_request(request, strict=True):
            return self._restore(request, response)
        if self.check_for_cached_authentication(request, response, True):
            return AuthenticationResult.PASSED
        if not self._is_login_action(request):
            self._ask(request, response)
        elif request.method != "POST":
            response.send_error(BAD_REQUEST)  # a password in a URL would appear in logs
        else:
            self._log_in(request, response)
        return AuthenticationResult.FAILED

    def is_continuation_required(self, request: Request) -> bool:
        """The posted form, and the first page after it, belong to the login even if no constraint covers them."""
        return self._is_login_action(request) or self._is_saved_request(request, strict=False)

    def register(
        self,
        request: Request,
        response: Response,
        principal: Principal | None,
        auth_type: str | None,
        username: str | None,
        password: str | None,
    ) -> None:
        """Register the user. Without ``cache`` the session keeps name and password, to log in for each request."""
        super().register(request, response, principal, auth_type, username, password)
        session = None if self.cache else request.get_session(False)
        if session is not None:
            for note, value in ((SESSION_USERNAME_NOTE, username), (SESSION_PASSWORD_NOTE, password)):
                if value is None:
                    session.notes.pop(note, None)
                else:
                    session.notes[note] = value

    def _is_login_action(self, request: Request) -> bool:
        uri = request.decoded_uri
        return uri.endswith(FORM_ACTION) and uri.startswith(self.context.path)

    # -- known users ----------------------------------------------------------------------------------------------

    def _reauthenticate(self, request: Request, response: Response) -> bool:
        """Log in with the credentials that the session keeps; returns True if that answers the request."""
        session = request.get_session(True)
        if session is None:
            return False
        username, password = session.notes.get(SESSION_USERNAME_NOTE), session.notes.get(SESSION_PASSWORD_NOTE)
        if not isinstance(username, str) or not isinstance(password, str):
            return False
        principal = self.realm.authenticate(username, password)
        if principal is None:
            self.logger.debug("Reauthentication failed, proceeding with regular authentication")
            return False
        self.register(request, response, principal, FORM, username, password)
        return not self._is_saved_request(request, strict=True)

    def _is_saved_request(self, request: Request, strict: bool) -> bool:
        """True when the request is for the saved page; ``strict``: and its user has logged in."""
        session = request.get_session(False)
        saved = None if session is None else session.notes.get(FORM_REQUEST_NOTE)
        if session is None or not isinstance(saved, SavedRequest):
            return False
        if strict:
            if (session.principal if self.cache else request.principal) is None:
                return False
            if self.change_session_id_on_authentication and not _has_expected_id(session, request):
                return False
        return request.decoded_uri == saved.decoded_uri

    def _restore(self, request: Request, response: Response) -> AuthenticationResult:
        session = request.get_session(True)
        saved = None if session is None else session.notes.pop(FORM_REQUEST_NOTE, None)
        if session is None or not isinstance(saved, SavedRequest):
            self.logger.debug("Restoring the original request failed")
            response.send_error(BAD_REQUEST)
            return AuthenticationResult.FAILED
        session.notes.pop(SESSION_ID_NOTE, None)
        # As check_for_cached_authentication would have done: the user is that of the session.
        if request.principal is None:
            request.principal, request.auth_type = session.principal, session.auth_type
        method_changed = request.method != saved.method
        saved.restore(request)
        if saved.original_max_inactive_interval is not None:
            session.max_inactive_interval = saved.original_max_inactive_interval
        if method_changed:
            return AuthenticationResult.PASSED_CONSTRAINTS_NEED_REFRESH
        return AuthenticationResult.PASSED

    # -- visitors -------------------------------------------------------------------------------------------------

    def _ask(self, request: Request, response: Response) -> None:
        """Save the request and show the login page in its place."""
        if not request.servlet_path and request.path_info is None:
            # The context's root lacks its slash, so relative links of the login page would be wrong.
            query = "" if request.query_string is None else f"?{request.query_string}"
            response.send_redirect(encode_redirect_url(request, f"{request.decoded_uri}/{query}"))
            return
        session = request.get_session(True)
        if session is None:
            response.send_error(SERVER_ERROR, "FORM authentication needs sessions")
            return
        try:
            self._save(request, session)
        except LimitError as error:
            self.logger.debug("%s", error)
            response.send_error(
                FORBIDDEN, "The request body was too large to be cached during the authentication process"
            )
            return
        self._show_login_page(request, response, session)

    def _save(self, request: Request, session: Session) -> None:
        saved = SavedRequest.of(request, request.connector.max_save_post_size)
        previous = session.notes.get(FORM_REQUEST_NOTE)
        interval = session.max_inactive_interval
        if session.is_new and not isinstance(previous, SavedRequest):
            if interval > self.authentication_session_timeout or interval <= 0:
                saved.original_max_inactive_interval = interval
                session.max_inactive_interval = self.authentication_session_timeout
        elif isinstance(previous, SavedRequest):
            saved.original_max_inactive_interval = previous.original_max_inactive_interval
        session.notes[FORM_REQUEST_NOTE] = saved

    def _show_login_page(self, request: Request, response: Response, session: Session) -> None:
        config = self.context.login_config
        page = config.login_page if config is not None else None
        if not page:
            self._no_page(response, "login")
            return
        if self.change_session_id_on_authentication:
            session.notes[SESSION_ID_NOTE] = request.change_session_id()
        method, request.method = request.method, "GET"
        try:
            if not forward(self.context, page, request, response):
                response.send_error(SERVER_ERROR, "Unexpected error forwarding to login page")
        finally:
            request.method = method

    def _show_error_page(self, request: Request, response: Response) -> None:
        config = self.context.login_config
        page = config.error_page if config is not None else None
        if not page:
            self._no_page(response, "error")
        elif not forward(self.context, page, request, response):
            response.send_error(SERVER_ERROR, "Unexpected error forwarding to error page")

    def _no_page(self, response: Response, kind: str) -> None:
        text = f"No {kind} page was defined for FORM authentication in context [{self.context.name}]"
        self.logger.warning("%s", text)
        response.send_error(SERVER_ERROR, text)

    # -- the posted form ------------------------------------------------------------------------------------------

    def _log_in(self, request: Request, response: Response) -> None:
        request.acknowledge()
        if self.character_encoding:
            request.character_encoding = self.character_encoding
        username, password = _parameter(request, FORM_USERNAME), _parameter(request, FORM_PASSWORD)
        principal = self.realm.authenticate(username, password)
        if principal is None:
            self._show_error_page(request, response)
            return
        session = request.get_session(False)
        if session is not None and self.change_session_id_on_authentication and not _has_expected_id(session, request):
            self.logger.debug("The session is not the one that the login page was shown in")
            session.expire()
            session = None
        if session is None:
            self._land(request, response, REQUEST_TIMEOUT, _EXPIRED)
            return
        self.register(request, response, principal, FORM, username, password)
        saved = session.notes.get(FORM_REQUEST_NOTE)
        if isinstance(saved, SavedRequest):
            location = encode_redirect_url(request, saved.url)
            response.send_redirect(location, SEE_OTHER if request.protocol == "HTTP/1.1" else FOUND)
        else:
            self._land(request, response, BAD_REQUEST, "Invalid direct reference to form login page")

    def _land(self, request: Request, response: Response, status: int, message: str) -> None:
        """Without a page to return to, show the landing page as if it had been requested, or an error."""
        session = request.get_session(True) if self.landing_page else None
        if session is None:
            response.send_error(status, message)
            return
        uri = request.context_path + self.landing_page
        session.notes[FORM_REQUEST_NOTE] = SavedRequest("GET", uri, uri)
        response.send_redirect(encode_redirect_url(request, uri))


def _has_expected_id(session: Session, request: Request) -> bool:
    """True when the request has the id that the session got when the login page was shown."""
    expected = session.notes.get(SESSION_ID_NOTE)
    return expected is not None and expected == request.requested_session_id


def _parameter(request: Request, name: str) -> str | None:
    try:
        values = request.parameters.get(name)
    except LimitError:
        return None  # a form of this size is no login
    return values[0] if values else None
