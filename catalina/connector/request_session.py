"""Finds or makes a request's session, and sends its cookie (Tomcat: Request.doGetSession,
ApplicationSessionCookieConfig).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.errors import InvalidSessionError
from catalina.session.session_facade import COOKIE_MAX_AGE

if TYPE_CHECKING:
    from catalina.connector.carried import Context
    from catalina.connector.request import Request
    from catalina.session.session import Session

__all__ = ["change_session_id", "delete_session_cookie", "find_or_create_session", "send_session_cookie"]


def find_or_create_session(request: Request, create: bool) -> Session | None:
    """The session with the requested id, or a new one when ``create``."""
    context = request.context
    manager = None if context is None else context.manager
    if context is None or manager is None:
        return None
    session: Session | None
    requested = request.requested_session_id
    if requested is not None:
        session = manager.find_session(requested)
        if session is not None and session.access():
            return session
    if not create:
        return None
    if request.response.committed:
        raise InvalidSessionError("Cannot create a session after the response has been committed")
    session = manager.create_session(_reusable_id(request, context))
    if session is not None:
        send_session_cookie(request, session.id)
        session.access()
    return session


def _reusable_id(request: Request, context: Context) -> str | None:
    """The client's own id, if Tomcat would take it: the cookie is for ``/``, and another application has such a
    session.

    Otherwise a client could choose the id of its next session (session fixation).
    """
    requested = request.requested_session_id
    if requested is None or not request.requested_session_id_from_cookie or context.session_cookie.path != "/":
        return None
    if not context.validate_client_provided_new_session_id:
        return requested
    for other in request.host.contexts if request.host is not None else ():
        manager = other.manager
        if manager is not None and manager.find_session(requested) is not None:
            return requested
    return None


def change_session_id(request: Request) -> str:
    """A new id for the request's session, and a new cookie.

    Raises:
        InvalidSessionError: the request has no session.
    """
    session = request.get_session(False)
    if session is None:
        raise InvalidSessionError("changeSessionId: there is no session associated with this request")
    new_id = session.manager.change_session_id(session)
    request.requested_session_id = new_id
    request.requested_session_id_from_url = False
    send_session_cookie(request, new_id)
    return new_id


def send_session_cookie(request: Request, session_id: str) -> None:
    """Put the session's cookie into the response, replacing an earlier one.

    The browser keeps it for the operator's time (max-age of the cookie-config), otherwise for the application's time
    for this session, otherwise until the browser ends.
    """
    context = request.context
    if context is None or context.manager is None:
        return
    session = context.manager.find_session(session_id)  # the request itself may not have looked for it yet
    max_age = context.session_cookie.max_age
    if max_age < 0 and session is not None and session.alive and session.has_attribute(COOKIE_MAX_AGE):
        wanted = session.get_attribute(COOKIE_MAX_AGE)
        max_age = wanted if isinstance(wanted, int) else -1
    _add_cookie(request, context, session_id, max_age)


def delete_session_cookie(request: Request) -> None:
    """Let the client forget the cookie of the ended session; a cookie that this response would have set is left out.

    Nothing happens when the client has not sent one and none would be set.
    """
    context = request.context
    if context is None:
        return
    response, name = request.response, context.session_cookie.name
    start = f"{name}="
    is_set = any(field.lower() == "set-cookie" and value.startswith(start) for field, value in response.headers)
    if request.requested_session_id_from_cookie or is_set:
        _add_cookie(request, context, "", 0)


def _add_cookie(request: Request, context: Context, value: str, max_age: int) -> None:
    config = context.session_cookie
    if not config.cookie_tracking or request.response.committed:
        return
    request.response.add_cookie(
        config.name,
        value,
        path=_cookie_path(request, context),
        domain=config.domain,
        max_age=max_age,
        secure=request.secure or config.secure,
        http_only=config.http_only,
        attributes=config.attributes,
        replace=True,
    )


def _cookie_path(request: Request, context: Context) -> str:
    """The configured path, otherwise the context's in the client's spelling, ``/`` for ROOT (SessionConfig.java)."""
    path = context.session_cookie.path or request.context_path
    if context.session_cookie_path_uses_trailing_slash and not path.endswith("/"):
        path += "/"
    return path or "/"
