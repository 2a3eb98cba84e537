"""``flask.session`` is the container's session.

::

    from catalina.contrib.flask import CatalinaSessionInterface

    app.session_interface = CatalinaSessionInterface()

Each key is one attribute of the container's session: only the keys that a request sets, removes or changes inside are
sent to the other nodes. No secret key is needed. The container sets and deletes the cookie; ``SESSION_COOKIE_SECURE``,
``SESSION_COOKIE_SAMESITE`` and ``SESSION_COOKIE_PARTITIONED`` count if the container's configuration sets nothing;
name, domain and path are the container's alone. Outside the container Flask's own settings apply, and the sessions are
kept in the process.
"""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin

from catalina.session.framework_session import FrameworkSession, LocalSource

if TYPE_CHECKING:
    from flask import Request, Response

__all__ = ["CatalinaSession", "CatalinaSessionInterface"]

log = logging.getLogger("catalina.contrib.flask")

#: Settings of Flask that belong into the container's configuration, and their defaults in Flask.
_CONTAINERS = {"SESSION_COOKIE_NAME": "session", "SESSION_COOKIE_DOMAIN": None, "SESSION_COOKIE_PATH": None}

#: Layers of middleware through which a Flask application is searched for.
_WRAPPINGS = 10


class CatalinaSession(FrameworkSession, SessionMixin):
    """``flask.session``: a mapping, with the other members of the container's session (``change_id()``, ``principal``).

    ``modified`` concerns only the cookie: a change inside a value is found without it.
    """

    @property
    def new(self) -> bool:
        """True until the client comes back with the session's id, and while there is no session."""
        return self.is_new

    @property
    def sid(self) -> str | None:
        """The session's id, under Flask-Session's name; None while there is no session."""
        return self.id


class CatalinaSessionInterface(SessionInterface):
    """The object for ``app.session_interface``."""

    session_class = CatalinaSession

    def __init__(self) -> None:
        self._met: weakref.WeakSet[Flask] = weakref.WeakSet()

    def open_session(self, app: Flask, request: Request) -> CatalinaSession:
        """The session of the request, which is not looked up before it is used."""
        facade = request.environ.get("catalina.session")
        if facade is None:
            return self.session_class(LocalSource(request.cookies.get(self.get_cookie_name(app))))
        session = self.session_class(facade.source)
        if app not in self._met:
            self._meet(app, session)
        return session

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        """Set life time and cookie; there is nothing to store.

        A session whose last key the application has removed is ended, and its cookie deleted, as in Flask.
        """
        accessed = session.accessed
        if session.is_emptied:
            if session.id is not None:
                session.invalidate()
            session.delete_cookie()
        elif session.id is not None and self._set_lifetime(app, session):
            response.vary.add("Cookie")
        if isinstance(session.source, LocalSource):
            self._send_local_cookie(app, session, response)
        if accessed or session.modified:
            response.vary.add("Cookie")
        session.accessed = accessed  # the look above does not count

    def regenerate(self, session: CatalinaSession) -> None:
        """Give the session a new id on all nodes, as after a login (Flask-Session has this method, too)."""
        if session.id is not None:
            session.change_id()

    def _set_lifetime(self, app: Flask, session: CatalinaSession) -> bool:
        """Let a ``permanent`` session live for PERMANENT_SESSION_LIFETIME, on the node and in the browser; any other as
        the manager says.

        Returns:
            True when a cookie is sent.
        """
        if not session.permanent:
            if session.cookie_max_age is None:
                return False
            session.set_lifetime(None)  # it was permanent
            session.cookie_max_age = None
            return True
        seconds = int(app.permanent_session_lifetime.total_seconds())
        session.set_lifetime(max(1, seconds))  # zero would mean for ever
        if session.cookie_max_age == seconds and not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        session.cookie_max_age = seconds
        return True

    def _send_local_cookie(self, app: Flask, session: CatalinaSession, response: Response) -> None:
        source: LocalSource = session.source  # type: ignore[assignment]  # the caller has looked
        if session.modified and source.cookie is None:
            source.send_session_cookie()  # the settings may have changed
        cookie = source.end()
        if cookie is None:
            return
        response.vary.add("Cookie")
        where: dict[str, Any] = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "samesite": self.get_cookie_samesite(app),
            "httponly": self.get_cookie_httponly(app),
        }
        if app.config.get("SESSION_COOKIE_PARTITIONED"):
            where["partitioned"] = True
        if cookie:
            expires = self.get_expiration_time(app, session)
            response.set_cookie(self.get_cookie_name(app), cookie, expires=expires, **where)
        else:
            response.delete_cookie(self.get_cookie_name(app), **where)

    def _meet(self, app: Flask, session: CatalinaSession) -> None:
        """At the first request of an application, apply its settings for the cookie."""
        self._met.add(app)
        config = app.config
        session.source.prefer_session_cookie(
            bool(config.get("SESSION_COOKIE_SECURE")),
            config.get("SESSION_COOKIE_SAMESITE"),
            bool(config.get("SESSION_COOKIE_PARTITIONED")),
        )
        for name, default in _CONTAINERS.items():
            if config.get(name) != default:
                log.warning(
                    "Flask application [%s]: %s=%r has no effect: the cookie is the container's (sessionCookieName, "
                    "sessionCookieDomain and sessionCookiePath of the Context, or web.xml's cookie-config)",
                    app.name, name, config[name],
                )  # fmt: skip


class _Adopted(CatalinaSessionInterface, SecureCookieSessionInterface):
    """Replaces Flask's own interface, for requests of applications whose sessions the container keeps.

    One Flask may serve several applications; those whose sessions the container does not keep, and those outside it,
    keep Flask's interface.
    """

    def __init__(self, stock: SessionInterface) -> None:
        super().__init__()
        self._stock = stock

    def open_session(self, app: Flask, request: Request) -> Any:
        facade = request.environ.get("catalina.session")
        context = None if facade is None else getattr(facade.source, "context", None)
        if context is None or not context.adopts_framework_sessions:
            return self._stock.open_session(app, request)
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: object, response: Response) -> None:
        if isinstance(session, CatalinaSession):
            super().save_session(app, session, response)
        else:
            self._stock.save_session(app, session, response)


def adopt(application: object) -> str:
    """Give applications without a session interface of their own the container's (``frameworkSessions="auto"``).

    Returns:
        The change, for the log.
    """
    chosen = Flask.session_interface
    if type(chosen) is SecureCookieSessionInterface:
        Flask.session_interface = _Adopted(chosen)
    elif not isinstance(chosen, _Adopted):
        return f"Flask's class has the session interface [{type(chosen).__name__}], which stays"
    app = _find_app(application)
    own = None if app is None else app.session_interface
    if own is not None and not isinstance(own, _Adopted):
        if isinstance(own, CatalinaSessionInterface):
            return ""
        return (
            f"the Flask application [{app.name if app else ''}] keeps its own session interface [{type(own).__name__}]"
        )
    return "Flask's sessions are the container's; an application that sets a session_interface of its own keeps that"


def _find_app(application: object) -> Flask | None:
    """The Flask application inside a callable that may be wrapped in middleware; None when it is not found."""
    for _ in range(_WRAPPINGS):
        if application is None or isinstance(application, Flask):
            return application
        inner = (getattr(application, name, None) for name in ("wsgi_app", "app", "application"))
        application = next((each for each in inner if each is not None), None)
        application = getattr(application, "__self__", application)  # app.wsgi_app = Middleware(app.wsgi_app)
    return None
