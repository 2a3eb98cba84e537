"""The one module that an application of the container imports; everything else is internal.

An application is a WSGI callable (PEP 3333) and need not import this module at all. Its environ contains, beyond WSGI::

    catalina.session          the session, a mapping; reading does not make one, setting does (Session)
    catalina.context          the application: init_parameters, attributes, resource(), lookup(), dispatcher(), log()
    catalina.servlet          its entry in web.xml: name, init_parameters
    catalina.dispatcher_type  REQUEST, FORWARD, INCLUDE or ERROR
    catalina.mount            what a servlet mapped by prefix (/api/*) is mounted at, inside the application
    catalina.principal        who is logged in: name, roles, has_role(), attributes (the realm's userAttributes)
    org.apache.tomcat.peerAddr   the other end of the TCP connection, whatever proxies say
    org.apache.catalina.parameter_parse_failed, .._reason   set when the container could not read the parameters
    jakarta.servlet.error.*   for an error page: status_code, message, request_uri, servlet_name, exception
    jakarta.servlet.forward.*, jakarta.servlet.include.*   where a dispatched request came from, or is going to
    <attribute>               each request attribute that a valve or a listener has set, under its own name

When no environ is at hand, :func:`current_session` gives the session of the current request. Flask, Django, Pyramid,
Starlette and Beaker keep their own sessions in it by an adapter each (``catalina.contrib``).

SCRIPT_NAME is the context path with the mount, PATH_INFO the rest of the path. A servlet that is not mapped by prefix
finds its whole path inside the application in PATH_INFO.

Distributable without a ``web.xml``: say so in the module that has the callable, ``distributable = True``, or decorate
the callable with :func:`distributable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from catalina.errors import CatalinaError, InvalidSessionError, NotReplicableError

if TYPE_CHECKING:
    from catalina.session.session_facade import SessionFacade as Session

__all__ = [
    "NotReplicableError",
    "Session",
    "UnavailableError",
    "current_session",
    "distributable",
    "is_distributable",
    "send_error",
    "session_manager",
]

A = TypeVar("A")

#: The name of the marker, on a module or on a callable.
MARKER = "distributable"
#: The key under which :func:`send_error` finds the request.
SEND_ERROR = "catalina.send_error"


class UnavailableError(CatalinaError):
    """Raised while a servlet or filter is made or called, when it cannot answer.

    Args:
        seconds: the time after which it is worth asking again (503 with Retry-After); None: never (404).
    """

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


def distributable(application: A) -> A:
    """Mark a WSGI callable as distributable: its sessions may travel to other nodes, so their values must be able
    to.
    """
    setattr(application, MARKER, True)
    return application


def is_distributable(application: object, module: object = None) -> bool:
    """True when the callable or its module carries the marker."""
    for marked in (application, module):
        value = getattr(marked, MARKER, False)
        # The decorator itself, imported into the module, does not count as the marker.
        if value is True:
            return True
    return False


def current_session() -> Session:
    """The session of the request that this thread or task serves: ``environ["catalina.session"]``.

    It follows the context (PEP 567): an asyncio task inherits it, and so does a thread that the application starts with
    ``contextvars.copy_context().run``.

    Raises:
        InvalidSessionError: this thread or task serves no request.
    """
    from catalina.session.framework_session import CURRENT_SESSION

    session = CURRENT_SESSION.get()
    if session is None:
        raise InvalidSessionError("current_session: no request of the container is served in this thread or task")
    return session


def session_manager() -> Any:
    """The session manager of the application whose code calls this, in a request or outside one.

    Outside the container it is a manager of this process. The adapters of frameworks use it.
    """
    from catalina.loader.application_imports import imports
    from catalina.session.framework_session import CURRENT_SESSION, local_manager

    session = CURRENT_SESSION.get()
    context = None if session is None else getattr(session.source, "context", None)
    if context is not None and context.manager is not None:
        return context.manager
    space = imports.asker.asks(False, 2)
    return local_manager() if space is None or space.session_manager is None else space.session_manager


def send_error(
    environ: dict[str, Any], start_response: Callable[..., Any], status: int, message: str | None = None
) -> Iterable[bytes]:
    """Answer with the container's page for an error: the application's own from ``<error-page>``, else the host's.

    Use it as ``return send_error(environ, start_response, 404)``. It is for answers without a body: a body that an
    application sends with its error status is kept.
    """
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    environ[SEND_ERROR]((status, message))
    start_response(f"{status} {phrase}", [])
    return []


def __getattr__(name: str) -> object:
    """Look up ``Session`` on demand, because most applications never name the type."""
    if name == "Session":
        from catalina.session.session_facade import SessionFacade

        return SessionFacade
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
