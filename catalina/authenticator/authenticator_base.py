"""The security of an application: constraints, transport, login, roles (Tomcat: authenticator/AuthenticatorBase.java).

An authenticator is a valve of a Context. It checks, in Tomcat's order, transport-guarantee, login and roles. A subclass
implements one kind of login.

CORS preflight requests, which carry no credentials, may pass without login.
"""

from __future__ import annotations

import logging
import secrets
from enum import Enum
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, choice
from catalina.authenticator.constants import SESSION_ID_NOTE, SSO_ID_NOTE
from catalina.core.application_filters import matches_url
from catalina.errors import AuthenticationError, LifecycleError
from catalina.filters.origin import is_same_origin, is_valid_origin
from catalina.realm.access_rules import constraints_for, may_access, needs_login, needs_secure_transport
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.null_realm import NullRealm
from catalina.realm.realm_base import RealmBase
from catalina.util.forwarded import REQUEST_FORWARDED_ATTRIBUTE
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.authenticator.single_sign_on import SingleSignOn
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.standard_context import StandardContext
    from catalina.descriptor.elements import SecurityConstraint
    from catalina.realm.realm import Realm
    from catalina.session.session import Principal, Session

__all__ = ["AuthenticationResult", "AuthenticatorBase", "may_bypass"]

FORBIDDEN, UNAUTHORIZED = 403, 401
CORS_FILTER = "org.apache.catalina.filters.CorsFilter"
#: The number of requests whose constraints are remembered by path and method, because clients choose both.
MAX_REMEMBERED = 1024
DATE_ONE = "Thu, 01 Jan 1970 00:00:01 GMT"
DEFAULT_REALM_NAME = "Authentication required"

_JAVA_RANDOM = "identifiers come from the operating system's random source"


class AuthenticationResult(Enum):
    """The outcome of a login."""

    FAILED = 0
    PASSED = 1
    #: Passed, but the request has changed (FORM repeats the first one), so its constraints must be found again.
    PASSED_CONSTRAINTS_NEED_REFRESH = 2


class AuthenticatorBase(ValveBase):
    """Lets a request through when it satisfies the security constraints of the application."""

    always_use_session = Attribute(bool, False, doc="Make a session once a user is known, so the login is remembered.")
    cache = Attribute(bool, True, doc="Remember the principal in the session if there is one.")
    change_session_id_on_authentication = Attribute(
        bool, True, doc="Give the session a new id at login, which defends against session fixation."
    )
    disable_proxy_caching = Attribute(bool, True, doc="Add headers that forbid shared caches to keep protected pages.")
    secure_pages_with_pragma = Attribute(
        bool, False, doc="Pragma: No-cache and Cache-Control: no-cache instead of Cache-Control: private."
    )
    send_auth_info_response_headers = Attribute(
        bool, False, doc="Return remote user and auth type as response headers, for a proxy in front."
    )
    allow_cors_preflight = Attribute(
        choice("never", "filter", "always"),
        "never",
        doc="CORS preflight requests that pass without login: never, filter (where a CorsFilter is mapped), always.",
    )
    sso_reauthentication_mode = Attribute(
        choice("default", "principal", "password", "full"),
        "default",
        doc="How this application trusts single sign-on: default is the SingleSignOn valve's rule, principal the kept "
        "user, password the kept password only, full a login of its own.",
    )
    secure_random_algorithm = Attribute(str, "SHA1PRNG", inert=_JAVA_RANDOM)
    secure_random_class = Attribute(str, None, inert=_JAVA_RANDOM)
    secure_random_provider = Attribute(str, "", inert=_JAVA_RANDOM)
    jaspic_callback_handler_class = Attribute(
        str,
        "org.apache.catalina.authenticator.jaspic.CallbackHandlerImpl",
        inert="there are no JASPIC modules",
    )

    #: The challenge's scheme, and the application's AUTH_TYPE.
    auth_method = "NONE"

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.sso: SingleSignOn | None = None
        self._remembered: dict[tuple[str, str], tuple[SecurityConstraint, ...]] = {}
        self._remembered_for: tuple[object, int] = (None, 0)
        self._null_realm = NullRealm()

    @property
    def context(self) -> StandardContext:
        """The application. Raises LifecycleError when the valve stands in another container."""
        container: Any = self.container
        if container is None or not hasattr(container, "constraints"):
            raise LifecycleError(f"{self}: Configuration error:  Must be attached to a Context")
        context: StandardContext = container
        return context

    @property
    def logger(self) -> logging.Logger:
        """The logger of the concrete class."""
        return logging.getLogger(f"org.apache.{type(self).__module__.rpartition('.')[0]}.{type(self).__name__}")

    @property
    def realm(self) -> Realm:
        """The application's realm; if there is none, a realm without users."""
        return self.context.realm or self._null_realm

    @property
    def realm_name(self) -> str:
        """The realm-name of web.xml, for challenges."""
        config = self.context.login_config
        return (config.realm_name if config is not None else None) or DEFAULT_REALM_NAME

    def _start(self) -> None:
        # imported here, because that module needs this one
        from catalina.authenticator.single_sign_on import SingleSignOn

        parent = self.context.parent
        while parent is not None and self.sso is None:
            self.sso = next((valve for valve in parent.pipeline.valves if isinstance(valve, SingleSignOn)), None)
            parent = parent.parent
        self._remembered.clear()
        self._null_realm.start()

    def _stop(self) -> None:
        self.sso = None
        self._null_realm.stop()

    # -- the request ----------------------------------------------------------------------------------------------

    def invoke(self, request: Request, response: Response) -> None:
        """Check the request against the application's constraints."""
        context = self.context
        if self.cache and request.principal is None:
            self._recall_principal(request)
        constraints = self._constraints(context, request)
        required = self.is_continuation_required(request)
        if not constraints and not required and not context.preemptive_authentication:
            self.next.invoke(request, response)
            return
        if self._is_granted(context, request, response, constraints, required):
            self.next.invoke(request, response)

    def _is_granted(
        self,
        context: StandardContext,
        request: Request,
        response: Response,
        constraints: tuple[SecurityConstraint, ...],
        required: bool,
    ) -> bool:
        """True when the request may pass; otherwise the response gives the reason."""
        if not self._has_transport(request, response, constraints):
            return False
        required = required or needs_login(constraints)
        if not required and context.preemptive_authentication:
            required = self.is_preemptive_auth_possible(request)
        if (required or constraints) and may_bypass(self.allow_cors_preflight, request, context):
            return True
        if required:
            result = self.do_authenticate_extended(request, response)
            if result is AuthenticationResult.PASSED_CONSTRAINTS_NEED_REFRESH:
                constraints = self._constraints(context, request)
                if not self._has_transport(request, response, constraints):
                    return False
            if result is AuthenticationResult.FAILED:
                return False
        return self._has_permission(context, request, response, constraints)

    def _recall_principal(self, request: Request) -> None:
        session = request.get_session(False)
        if session is not None and session.principal is not None:
            request.auth_type = session.auth_type
            request.principal = session.principal

    def _constraints(self, context: StandardContext, request: Request) -> tuple[SecurityConstraint, ...]:
        all_constraints = context.constraints
        if not all_constraints:
            return ()
        state = (all_constraints, len(all_constraints))
        if self._remembered_for[0] is not state[0] or self._remembered_for[1] != state[1]:
            self._remembered, self._remembered_for = {}, state
        # The path at which the servlet was found, so that a welcome file is protected by its own constraints, too.
        key = (request.servlet_path + (request.path_info or ""), request.method)
        found = self._remembered.get(key)
        if found is None:
            found = constraints_for(all_constraints, *key)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def _has_transport(self, request: Request, response: Response, constraints: tuple[SecurityConstraint, ...]) -> bool:
        """Set headers against caches and, if the constraints demand TLS, redirect (RealmBase)."""
        if not constraints:
            return True
        if self.disable_proxy_caching and request.method != "POST":
            self._forbid_caching(response)
        if not needs_secure_transport(constraints) or request.secure:
            return True
        port = request.connector.redirect_port_with_offset
        if port <= 0:
            response.send_error(FORBIDDEN, request.request_uri)
        else:
            realm = self.realm
            status = realm.transport_guarantee_redirect_status if isinstance(realm, RealmBase) else 302
            response.send_redirect(_secure_url(request, port), status)
        return False

    def _forbid_caching(self, response: Response) -> None:
        if self.secure_pages_with_pragma:
            response.set_header("Pragma", "No-cache")
            response.set_header("Cache-Control", "no-cache")
            response.set_header("Expires", DATE_ONE)
        else:
            response.set_header("Cache-Control", "private")

    def _has_permission(
        self,
        context: StandardContext,
        request: Request,
        response: Response,
        constraints: tuple[SecurityConstraint, ...],
    ) -> bool:
        realm, principal = self.realm, request.principal
        if may_access(
            constraints,
            principal,
            tuple(context.security_roles),
            lambda role: realm.has_role(request.wrapper, principal, role),
            realm.all_roles_mode if isinstance(realm, RealmBase) else "strict",
        ):
            return True
        self.logger.debug("User [%s] does not have authorization to access the resource", request.remote_user or "")
        response.send_error(FORBIDDEN, "Access to the requested resource has been denied")
        return False

    # -- for subclasses -------------------------------------------------------------------------------------------

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Find out who the user is, and register him; on a failure the response is the challenge."""
        raise NotImplementedError(f"{type(self).__name__} does not override do_authenticate()")

    def do_authenticate_extended(self, request: Request, response: Response) -> AuthenticationResult:
        """As :meth:`do_authenticate`, for authenticators that replace the request."""
        return AuthenticationResult.PASSED if self.do_authenticate(request, response) else AuthenticationResult.FAILED

    def is_continuation_required(self, request: Request) -> bool:
        """True when the request belongs to a login that is under way, whatever the constraints say."""
        return False

    def is_preemptive_auth_possible(self, request: Request) -> bool:
        """True when the request brings credentials unasked."""
        return False

    # -- logins ---------------------------------------------------------------------------------------------------

    def login(self, username: str, password: str, request: Request) -> None:
        """Log in a user whose name and password the application itself has asked for.

        Raises:
            AuthenticationError: name or password are wrong.
        """
        principal = self.realm.authenticate(username, password)
        if principal is None:
            raise AuthenticationError("Login failed")
        self.register(request, request.response, principal, self.auth_method, username, password)

    def logout(self, request: Request) -> None:
        """Forget the user, for single sign-on, too; the session stays."""
        self.register(request, request.response, None, None, None, None)

    def check_for_cached_authentication(self, request: Request, response: Response, use_sso_password: bool) -> bool:
        """True when the user is already known: from the session, from single sign-on, or from the proxy (AJP)."""
        sso, sso_id = self.sso, request.notes.get(SSO_ID_NOTE)
        by_principal, by_password = self._trusted(sso, sso_id, use_sso_password)
        if by_principal:
            if sso is not None and sso_id is not None and sso.require_reauthentication:
                sso.populate_request(request, sso_id)
            if request.principal is not None:
                self._associate(sso_id, request)
                return True
        if by_password and self._reauthenticate_from_sso(sso_id, request):
            return True
        return self._authorize_remote_user(request, response)

    def _trusted(self, sso: SingleSignOn | None, sso_id: str | None, use_password: bool) -> tuple[bool, bool]:
        """True when the kept principal counts, or the kept password allows a login here."""
        mode = self.sso_reauthentication_mode
        if sso is None:
            return True, False
        if mode == "principal" or (mode == "default" and not sso.require_reauthentication):
            return True, sso_id is not None
        return False, sso_id is not None and (mode == "password" or (sso.require_reauthentication and use_password))

    def _reauthenticate_from_sso(self, sso_id: str | None, request: Request) -> bool:
        if self.sso is None or sso_id is None or not self.sso.reauthenticate(sso_id, self.realm, request):
            return False
        self._associate(sso_id, request)
        return True

    def _associate(self, sso_id: str | None, request: Request) -> None:
        if self.sso is not None and sso_id is not None:
            session = request.get_session(True)
            if session is not None:
                self.sso.associate(sso_id, session)

    def _authorize_remote_user(self, request: Request, response: Response) -> bool:
        """Register a user whom the proxy has authenticated, with the roles of our own realm (AJP
        tomcatAuthorization).
        """
        username = request.proxy_user
        if not request.remote_user_needs_authorization or username is None:
            return False
        principal = self.realm.authenticate_name(username) or GenericPrincipal(username)
        self.register(request, response, principal, request.auth_type or self.auth_method, username, None)
        return True

    def register(
        self,
        request: Request,
        response: Response,
        principal: Principal | None,
        auth_type: str | None,
        username: str | None,
        password: str | None,
    ) -> None:
        """Note the user in the request, in its session, and for single sign-on. None means nobody."""
        self.logger.debug("Authenticated principal [%s] with authentication type [%s]", principal, auth_type)
        request.auth_type = auth_type
        request.principal = principal
        if self.send_auth_info_response_headers and request.attributes.get(REQUEST_FORWARDED_ATTRIBUTE) is True:
            response.set_header("remote-user", request.remote_user or "")
            response.set_header("auth-type", auth_type or "")
        session = request.get_session(False)
        if session is not None:
            self._protect_session(request, session, principal)
        elif self.always_use_session:
            session = request.get_session(True)
        if session is not None and self.cache:
            session.auth_type = auth_type
            session.principal = principal
        if self.sso is not None:
            self._register_with_sso(self.sso, request, response, principal, auth_type, username, password)

    def _protect_session(self, request: Request, session: Session, principal: Principal | None) -> None:
        """Give the session a new id, so that an attacker who planted the old id in the user's browser does not know
        it.
        """
        if self.change_session_id_on_authentication and principal is not None:
            new_id = request.change_session_id()
            if session.notes.get(SESSION_ID_NOTE) is not None:
                session.notes[SESSION_ID_NOTE] = new_id

    def _register_with_sso(
        self,
        sso: SingleSignOn,
        request: Request,
        response: Response,
        principal: Principal | None,
        auth_type: str | None,
        username: str | None,
        password: str | None,
    ) -> None:
        sso_id = request.notes.get(SSO_ID_NOTE)
        if principal is None:
            if sso_id is not None:
                sso.deregister(sso_id)
                del request.notes[SSO_ID_NOTE]
            return
        if sso_id is None:
            sso_id = secrets.token_hex(16).upper()
            sso.send_cookie(request, response, sso_id)
            sso.register(sso_id, principal, auth_type, username, password)
            request.notes[SSO_ID_NOTE] = sso_id
        else:
            sso.update(sso_id, principal, auth_type, username, password)
        self._associate(sso_id, request)


def _secure_url(request: Request, port: int) -> str:
    url = f"https://{request.server_name}{'' if port == 443 else f':{port}'}{request.request_uri}"
    context = request.context
    if context is not None and request.requested_session_id is not None and request.requested_session_id_from_url:
        name = context.session_cookie.uri_parameter
        url += f";{name}={request.requested_session_id}"
    return url if request.query_string is None else f"{url}?{request.query_string}"


def may_bypass(mode: str, request: Request, context: StandardContext) -> bool:
    """True when the request is a preflight that passes without login.

    Args:
        mode: ``never``, ``filter`` (if the application maps a CorsFilter) or ``always``.
    """
    if mode == "never" or request.method != "OPTIONS" or not _is_preflight(request):
        return False
    return mode == "always" or _cors_filter_is_mapped(request, context)


def _is_preflight(request: Request) -> bool:
    origin = request.headers.get("origin")
    if not origin or not is_valid_origin(origin):
        return False
    if is_same_origin(request.scheme, request.server_name, request.server_port, origin):
        return False
    return bool(request.headers.get("access-control-request-method"))


def _cors_filter_is_mapped(request: Request, context: StandardContext) -> bool:
    names = {name for name, filter_ in context.filter_definitions.items() if filter_.filter_class == CORS_FILTER}
    path = request.servlet_path + (request.path_info or "")
    return any(
        mapping.filter_name in names
        and "REQUEST" in mapping.dispatchers
        and any(matches_url(pattern, path) for pattern in mapping.url_patterns)
        for mapping in context.filter_mappings
    )
