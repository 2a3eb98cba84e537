"""``flask.session`` is the container's session.

::

    from catalina.contrib.flask import CatalinaSessionInterface

    app.session_interface = CatalinaSessionInterface()

Each key is one attribute of the container's session: what a request sets, removes or changes inside a value is sent to
the other nodes, by key, and nothing else. No secret key is needed for it. The container sets and deletes the cookie;
``SESSION_COOKIE_SECURE``, ``SESSION_COOKIE_SAMESITE`` and ``SESSION_COOKIE_PARTITIONED`` count where its own
configuration says nothing, and name, domain and path are the container's alone. Outside of the container Flask's own
settings hold, and the sessions are kept in the process.
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

#: Settings of Flask whose place is the container's configuration, and what Flask has in them by itself.
_CONTAINERS = {"SESSION_COOKIE_NAME": "session", "SESSION_COOKIE_DOMAIN": None, "SESSION_COOKIE_PATH": None}

#: So deep a Flask application is looked for inside of middleware.
_WRAPPINGS = 10


class CatalinaSession(FrameworkSession, SessionMixin):
    """``flask.session``: a mapping, with what the container's session has beside it (``change_id()``, ``principal``).

    ``modified`` is for the cookie alone: a change inside a value is found without it.
    """

    @property
    def new(self) -> bool:
        """True while the client has not come back with the session's id, and when there is no session."""
        return self.is_new

    @property
    def sid(self) -> str | None:
        """The session's id, as Flask-Session calls it; None while there is no session."""
        return self.id


class CatalinaSessionInterface(SessionInterface):
    """What ``app.session_interface`` is set to."""

    session_class = CatalinaSession

    def __init__(self) -> None:
        self._met: weakref.WeakSet[Flask] = weakref.WeakSet()

    def open_session(self, app: Flask, request: Request) -> CatalinaSession:
        """The session of the request; it is not looked for before it is used."""
        facade = request.environ.get("catalina.session")
        if facade is None:
            return self.session_class(LocalSource(request.cookies.get(self.get_cookie_name(app))))
        session = self.session_class(facade.source)
        if app not in self._met:
            self._meet(app, session)
        return session

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        """Nothing to store: what is left are the life time and the cookie.

        A session whose last key the application has removed is ended, and its cookie deleted, as Flask does it.
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
        session.accessed = accessed  # not by this

    def regenerate(self, session: CatalinaSession) -> None:
        """Give the session a new id in all nodes, as after a login (Flask-Session has this method, too)."""
        if session.id is not None:
            session.change_id()

    def _set_lifetime(self, app: Flask, session: CatalinaSession) -> bool:
        """``permanent`` for PERMANENT_SESSION_LIFETIME, in the node and in the browser; else as the manager says.

        Returns:
            Whether a cookie is sent.
        """
        if not session.permanent:
            if session.cookie_max_age is None:
                return False
            session.set_lifetime(None)  # it was permanent
            session.cookie_max_age = None
            return True
        seconds = int(app.permanent_session_lifetime.total_seconds())
        session.set_lifetime(max(1, seconds))  # zero would be for ever
        if session.cookie_max_age == seconds and not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        session.cookie_max_age = seconds
        return True

    def _send_local_cookie(self, app: Flask, session: CatalinaSession, response: Response) -> None:
        source: LocalSource = session.source  # type: ignore[assignment]  # the caller has looked
        if session.modified and source.cookie is None:
            source.send_session_cookie()  # the settings may be others now
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
        """The first request of an application: what its settings say of the cookie."""
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
    """In the place of Flask's own: for requests of applications that the container keeps the sessions of.

    One Flask may serve several applications of the container; all others, and all outside of it, have what they had.
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
    """Let applications without a session interface of their own have the container's (``frameworkSessions="auto"``).

    Returns:
        What was done, for the log.
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
    """The Flask application inside of a callable that middleware may be wrapped around; None when it is not found."""
    for _ in range(_WRAPPINGS):
        if application is None or isinstance(application, Flask):
            return application
        inner = (getattr(application, name, None) for name in ("wsgi_app", "app", "application"))
        application = next((each for each in inner if each is not None), None)
        application = getattr(application, "__self__", application)  # app.wsgi_app = Middleware(app.wsgi_app)
    return None
