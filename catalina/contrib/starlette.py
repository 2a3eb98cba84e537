"""The ``request.session`` of Starlette and FastAPI is the container's session.

::

    from catalina.contrib.starlette import SessionMiddleware

    app = Starlette(middleware=[Middleware(SessionMiddleware)], ...)

The class replaces ``starlette.middleware.sessions.SessionMiddleware`` and takes the same arguments, of which
``secret_key`` is not needed. Each key is one attribute of the container's session. The application gets values of its
own; changed keys, including changes inside a value, are written when the answer starts, for WebSockets when they end.
The container sets and deletes the cookie. Outside it the sessions are kept in the process, and the arguments decide
about the cookie.

An ASGI application runs in the container when it is wrapped in a WSGI callable (``a2wsgi.ASGIMiddleware``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from starlette.datastructures import MutableHeaders
from starlette.middleware.sessions import Session
from starlette.requests import HTTPConnection

from catalina.session.framework_session import CURRENT_SESSION, FrameworkSession, LocalSource
from catalina.session.immutable import IMMUTABLE
from catalina.session.session_facade import SessionFacade, SessionSource
from catalina.session.staged_attributes import StagedAttributes
from catalina.webapp import session_manager

__all__ = ["CatalinaSession", "SessionMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

TWO_WEEKS = 14 * 24 * 3600


class CatalinaSession(Session):
    """``request.session``: a dict of the request, backed by the container's session."""

    def __init__(self, source: SessionSource) -> None:
        session: Any = source.get_session(False)
        manager = session_manager() if session is None else session.manager
        self._source = source
        self._staged = StagedAttributes(manager, session)
        super().__init__(self._staged)

    def __setitem__(self, key: str, value: object) -> None:
        """Set a value.

        Raises:
            NotReplicableError: the application is distributable, and some part of the value could not travel.
        """
        if type(value) not in IMMUTABLE:
            self._staged[key] = value
        super().__setitem__(key, value)

    @property
    def id(self) -> str | None:
        """The session's id, None while there is no session."""
        return SessionFacade(self._source).id

    def regenerate(self) -> None:
        """Give the session another id on all nodes, as after a login."""
        if self.id is not None:
            self._source.change_session_id()
            self.mark_modified()

    def commit(self) -> bool:
        """Write the changes; returns True if there were any. A session that has ended meanwhile is not revived."""
        staged = self._staged
        if staged.has_ended:
            return staged.say_ended()
        staged.become(self)
        if not (self.modified or staged.is_changed_inside):
            return False
        session: Any = self._source.get_session(bool(self))
        return session is None or staged.write_unless_ended(session)


class SessionMiddleware:
    """Sets ``scope["session"]`` of HTTP requests and WebSockets.

    Args:
        secret_key: not needed, but accepted, because Starlette's class takes it.
        max_age: seconds that session and cookie live without a change; None: the session as the container says, the
            cookie until the browser ends.
        same_site, https_only, partitioned: attributes of the cookie, if the operator sets none.
        session_cookie, path, domain: attributes of the cookie outside the container; inside, the operator sets them.
    """

    def __init__(
        self,
        app: ASGIApp,
        secret_key: object = None,
        session_cookie: str = "session",
        max_age: int | None = TWO_WEEKS,
        path: str = "/",
        same_site: Literal["lax", "strict", "none"] = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        del secret_key
        self.app = app
        self.session_cookie = session_cookie
        self.max_age = max_age
        self.path = path
        self.same_site, self.https_only, self.partitioned = same_site, https_only, partitioned
        self.domain = domain
        self._preferred = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        source = self._source(scope)
        if not isinstance(source, LocalSource):  # a2wsgi calls the application in another thread
            CURRENT_SESSION.set(SessionFacade(source))  # in this task
        session = scope["session"] = CatalinaSession(source)

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._finish(session, MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_session)
        if scope["type"] == "websocket":
            session.commit()

    def _source(self, scope: Scope) -> SessionSource:
        environ = scope.get("wsgi_environ") or {}  # a2wsgi's
        facade = environ.get("catalina.session") or CURRENT_SESSION.get()
        if facade is None:
            return LocalSource(HTTPConnection(scope).cookies.get(self.session_cookie))
        source: SessionSource = facade.source
        if not self._preferred:
            self._preferred = True
            source.prefer_session_cookie(self.https_only, self.same_site.capitalize(), self.partitioned)
        return source

    def _finish(self, session: CatalinaSession, headers: MutableHeaders) -> None:
        """When the answer starts, write the session and its headers."""
        changed = session.commit()
        whole = FrameworkSession(session._source)
        if changed and session.keys():
            self._set_lifetime(whole)
        elif changed and whole.id is not None:
            whole.modified = True
            if whole.is_emptied:
                whole.invalidate()
                whole.delete_cookie()
        if isinstance(session._source, LocalSource):
            cookie = session._source.end()
            if cookie is not None:
                headers.append("Set-Cookie", self._local_cookie(cookie))
        if session.accessed or changed:
            headers.add_vary_header("Cookie")

    def _set_lifetime(self, session: FrameworkSession) -> None:
        if self.max_age is None:
            session.source.send_session_cookie()
            return
        session.set_lifetime(max(1, self.max_age))
        session.cookie_max_age = self.max_age
        if self.max_age <= 0:  # it expires at once
            session.invalidate()

    def _local_cookie(self, value: str) -> str:
        """The cookie in Starlette's form."""
        parts = [f"{self.session_cookie}={value or 'null'}", f"path={self.path}"]
        if not value:
            parts.append("expires=Thu, 01 Jan 1970 00:00:00 GMT")
        elif self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        parts += ["httponly", f"samesite={self.same_site}"]
        parts += ["secure"] if self.https_only else []
        parts += [f"domain={self.domain}"] if self.domain is not None else []
        parts += ["partitioned"] if self.partitioned else []
        return "; ".join(parts)
