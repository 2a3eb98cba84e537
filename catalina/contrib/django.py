"""Django's ``request.session`` is the container's session.

::

    SESSION_ENGINE = "catalina.contrib.django"

and the middleware that every project has, ``django.contrib.sessions.middleware.SessionMiddleware``. Each key is one
attribute of the container's session. The changes of a request are staged until Django saves them, by key: an answer of
5xx saves nothing, a change inside a value needs no ``session.modified``, and a session that has ended elsewhere
meanwhile is not revived (``UpdateError``, which Django answers with 400).

Inside the container only the container sets and deletes the cookie; importing this module changes Django's middleware
accordingly. ``SESSION_COOKIE_SECURE`` and ``SESSION_COOKIE_SAMESITE`` count if the operator sets nothing; name, domain
and path are the container's. Outside it (``manage.py runserver``, ``manage.py test``) the sessions are kept in the
process, and Django's middleware and settings apply unchanged.
"""

from __future__ import annotations

import logging
import weakref
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string

from catalina.errors import InvalidSessionError
from catalina.session.session_facade import SessionFacade, SessionSource
from catalina.session.staged_attributes import StagedAttributes
from catalina.webapp import session_manager

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from catalina.session.standard_session import StandardSession

__all__ = ["SessionStore"]

log = logging.getLogger("catalina.contrib.django")

EXPIRY = "_session_expiry"
#: Settings of Django that belong into the container's configuration.
_CONTAINERS = ("SESSION_COOKIE_NAME", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH")


class SessionStore(SessionBase):
    """One session: that of a request (:meth:`of_request`), or the session with a key, as in Django's own stores."""

    def __init__(self, session_key: str | None = None) -> None:
        self._source: SessionSource | None = None
        #: The session after it was looked up; it may end while a request has it.
        self._held: StandardSession | None = None
        self._modified = False
        #: True when it was ended here.
        self.flushed = False
        super().__init__(session_key)

    @classmethod
    def of_request(cls, source: SessionSource) -> SessionStore:
        """The store of the request behind ``source``; the session is looked up when it is used."""
        store = cls()
        store._source = source
        return store

    # -- the session ---------------------------------------------------------------------------------------------

    def _get_session_key(self) -> str | None:
        if self._held is None and self._source is not None:
            self._find()
        key: str | None = super()._get_session_key() if self._held is None else self._held.id
        return key

    def _set_session_key(self, value: str | None) -> None:
        self._held = None
        super()._set_session_key(value)

    session_key = property(_get_session_key)
    _session_key = property(_get_session_key, _set_session_key)

    def _find(self) -> StandardSession | None:
        """The session; None when there is none, or it has ended."""
        if self._held is None:
            if self._source is not None and not self.flushed:
                self._held = self._source.get_session(False)  # type: ignore[assignment]  # ours are of this kind
            else:
                key = super()._get_session_key()
                self._held = _find(key) if key else None
        held = self._held
        return held if held is not None and _is_usable(held) else None

    # -- the data ------------------------------------------------------------------------------------------------

    def _get_session(self, no_load: bool = False) -> Any:
        self.accessed = True
        try:
            return self._session_cache
        except AttributeError:
            if no_load or self.session_key is None:
                self._session_cache: Any = StagedAttributes(session_manager())
            else:
                self._session_cache = self.load()
        return self._session_cache

    _session = property(_get_session)

    async def _aget_session(self, no_load: bool = False) -> Any:
        return self._get_session(no_load)

    @property
    def modified(self) -> bool:
        """A key was set or removed, or a value that was handed out was changed inside."""
        if self._modified:
            return True
        data = getattr(self, "_session_cache", None)
        return isinstance(data, StagedAttributes) and data.is_changed_inside

    @modified.setter
    def modified(self, value: bool) -> None:
        self._modified = value

    def clear(self) -> None:
        self._get_session().clear()
        self.modified = True

    def load(self) -> StagedAttributes:
        """The session's data, to work on."""
        session = self._find()
        if session is None:
            self._session_key = None
            return StagedAttributes(session_manager())
        return StagedAttributes(session.manager, session)

    # -- storing -------------------------------------------------------------------------------------------------

    def save(self, must_create: bool = False) -> None:
        """Write the changes into the session; the other nodes hear of them at the end of the request.

        Raises:
            CreateError: ``must_create``, and the session exists.
            UpdateError: the session has ended meanwhile.
        """
        if self.session_key is None:
            self.create()
            return
        session = self._find()
        if session is None:
            raise UpdateError
        if must_create:
            raise CreateError
        try:
            self._write(session)
        except InvalidSessionError:  # it has ended at this very moment
            raise UpdateError from None

    def create(self) -> None:
        """A session of its own for this store, with the data that it has so far."""
        source = self._source
        if source is None:
            session: Any = session_manager().create_session()
        else:
            known = None if self.flushed else self._find()
            session = source.get_session(True)
            if session is known:
                source.change_session_id()
        data = self._get_session(no_load=True)  # nothing is taken over from a session that was not read yet
        self._take(session)
        if not isinstance(data, StagedAttributes) or data.is_over(session):
            data = self._session_cache = _fresh(data)
        self._write(session)
        self.modified = True

    def cycle_key(self) -> None:
        """Another id for the session, here and on the other nodes; its data stay."""
        session = self._find()
        if session is None:
            self._get_session()
            self.create()
            return
        if self._source is None:
            session_manager().change_session_id(session)
        else:
            self._source.change_session_id()
        self._take(session)
        self.modified = True

    def flush(self) -> None:
        """End the session; values set afterwards go into a new one."""
        self.clear()
        self.delete()
        self.flushed = True
        self._session_key = None
        self._session_cache = StagedAttributes(session_manager())

    def delete(self, session_key: str | None = None) -> None:
        session = self._find() if session_key is None else _find(session_key)
        if session is not None and session.alive:
            session.invalidate()

    def exists(self, session_key: str | None) -> bool:
        session = _find(session_key) if session_key else None
        return session is not None and _is_usable(session)

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing to do: the manager ends expired sessions."""

    def _take(self, session: StandardSession) -> None:
        self._session_key = session.id
        self._held = session

    def age(self) -> int:
        """Seconds until the session expires, at least one, because zero means for ever, and an expired session is found
        on use.
        """
        expiry = self._get_session().get(EXPIRY)
        of_date = {} if isinstance(expiry, str | datetime) else {"modification": None}  # that key counts only for dates
        seconds: int = self.get_expiry_age(expiry=expiry, **of_date)
        return max(1, seconds)

    def _write(self, session: StandardSession) -> None:
        age = self.age()
        data = self._get_session()
        if not isinstance(data, StagedAttributes):  # some code has replaced the data by a dict
            data = self._session_cache = _fresh(data)
        data.write(session)
        if session.max_inactive_interval != age:
            session.max_inactive_interval = age
        if self._source is None:  # there is no end of a request at which the other nodes hear of it
            if session.access():
                session.end_access()
            session.manager.request_completed(session, None)

    # -- the same for asynchronous code: everything is in memory, so nothing has to wait -----------------------------

    async def aexists(self, session_key: str | None) -> bool:
        return self.exists(session_key)

    async def acreate(self) -> None:
        self.create()

    async def asave(self, must_create: bool = False) -> None:
        self.save(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        self.delete(session_key)

    async def aload(self) -> StagedAttributes:
        return self.load()

    async def aflush(self) -> None:
        self.flush()

    async def acycle_key(self) -> None:
        self.cycle_key()

    @classmethod
    async def aclear_expired(cls) -> None:
        cls.clear_expired()


def _find(session_key: str) -> StandardSession | None:
    found: StandardSession | None = session_manager().find_session(session_key)
    return found


def _fresh(data: Any) -> StagedAttributes:
    """The same data, marked to be written as a whole."""
    fresh = StagedAttributes(session_manager())
    fresh.update(data)
    return fresh


def _is_usable(session: StandardSession) -> bool:
    """True when the session is valid and its own expiry (``set_expiry``) has not passed; an expired session ends
    now.
    """
    if not session.is_valid:
        return False
    try:
        expiry = session.get_attribute(EXPIRY)
    except InvalidSessionError:  # it has ended at this very moment
        return False
    if isinstance(expiry, str):
        try:
            over = datetime.fromisoformat(expiry) <= timezone.now()
        except (ValueError, TypeError):  # the value is no date, or lacks a zone in a project with zones
            over = False
    else:
        over = isinstance(expiry, int) and expiry < 0
    if over:
        session.expire()
    return not over


# -- Django's middleware in the container ----------------------------------------------------------------------------


class _InContainer:
    """Django's two methods, for requests that the container serves; all others go to Django's own."""

    def __init__(self, middleware: type[SessionMiddleware]) -> None:
        self.process_request = middleware.process_request
        self.process_response = middleware.process_response
        #: Middleware whose project's settings were checked already.
        self.met: weakref.WeakSet[SessionMiddleware] = weakref.WeakSet()

    def request(self, middleware: SessionMiddleware, request: HttpRequest) -> None:
        facade = request.META.get("catalina.session")
        store = _store_class(middleware, facade) if isinstance(facade, SessionFacade) else None
        if store is None:
            self.process_request(middleware, request)
            return
        request.session = store.of_request(facade.source)
        if middleware not in self.met:
            self.met.add(middleware)
            _meet_settings(facade.source)

    def response(self, middleware: SessionMiddleware, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session, facade = getattr(request, "session", None), request.META.get("catalina.session")
        if not isinstance(session, SessionStore) or not isinstance(facade, SessionFacade):
            return self.process_response(middleware, request, response)
        accessed, modified = session.accessed, session.modified
        if session.is_empty():
            if session.flushed:
                facade.delete_cookie()
        elif (modified or settings.SESSION_SAVE_EVERY_REQUEST) and response.status_code < 500:
            _save(session, facade)
            accessed = True
        if accessed:
            patch_vary_headers(response, ("Cookie",))
        return response


def _store_class(middleware: SessionMiddleware, facade: SessionFacade) -> type[SessionStore] | None:
    """The project's engine if it is ours or derives from it; None for another one."""
    chosen = middleware.SessionStore
    if isinstance(chosen, type) and issubclass(chosen, SessionStore):
        return chosen
    if __name__ != settings.SESSION_ENGINE:
        return None
    context = getattr(facade.source, "context", None)  # adopt() has chosen our engine after the middleware was made
    return SessionStore if context is not None and context.adopts_framework_sessions else None


def _save(session: SessionStore, facade: SessionFacade) -> None:
    """Save the session, and let the browser keep the cookie as long as the session lives, or until the browser ends.

    A view may have replaced the request's store, whose session then counts.

    Raises:
        SessionInterrupted: the session has ended in another way meanwhile.
    """
    try:
        session.save()
    except UpdateError:
        raise SessionInterrupted(
            "The request's session was deleted before the request completed. "
            "The user may have logged out in a concurrent request, for example."
        ) from None
    age = None if session.get_expire_at_browser_close() else session.age()
    if session.session_key not in (None, facade.id):
        facade.source.switch_session(session.session_key)
    facade.cookie_max_age = age


def _meet_settings(source: SessionSource) -> None:
    """At the first request of a project, apply its settings for the cookie."""
    source.prefer_session_cookie(bool(settings.SESSION_COOKIE_SECURE), settings.SESSION_COOKIE_SAMESITE or None, False)
    for name in _CONTAINERS:
        if settings.is_overridden(name):
            log.warning(
                "Django project [%s]: %s=%r has no effect: the cookie is the container's (sessionCookieName, "
                "sessionCookieDomain and sessionCookiePath of the Context, or web.xml's cookie-config)",
                getattr(settings, "SETTINGS_MODULE", ""), name, getattr(settings, name),
            )  # fmt: skip


def _tell_middleware() -> None:
    if isinstance(getattr(SessionMiddleware, "catalina", None), _InContainer):
        return
    ours = SessionMiddleware.catalina = _InContainer(SessionMiddleware)
    SessionMiddleware.process_request = lambda middleware, request: ours.request(middleware, request)
    SessionMiddleware.process_response = lambda middleware, request, response: ours.response(
        middleware, request, response
    )


_tell_middleware()


def adopt(application: object) -> str:
    """Give a project that has named no engine the container's sessions (``frameworkSessions="auto"``).

    Returns:
        The change, for the log.
    """
    del application  # a process has one project
    if not settings.configured or not any(_is_session_middleware(name) for name in settings.MIDDLEWARE):
        return ""
    if not settings.is_overridden("SESSION_ENGINE"):
        settings.SESSION_ENGINE = __name__
        return "Django's sessions are the container's (its settings name no SESSION_ENGINE)"
    engine = settings.SESSION_ENGINE
    return "" if engine == __name__ else f"Django keeps the SESSION_ENGINE [{engine}] that its settings name"


def _is_session_middleware(name: str) -> bool:
    found = import_string(name)
    return isinstance(found, type) and issubclass(found, SessionMiddleware)
