"""The base of the adapters for web frameworks (``catalina.contrib``): the request's session, or one of this process.

In the container a framework's session is the container's session, with one attribute for each key. Outside it (``flask
run``, ``manage.py runserver``, the application's own tests) a manager in this process does the same, and also refuses
values that could not travel.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from catalina.errors import InvalidSessionError
from catalina.session.immutable import IMMUTABLE
from catalina.session.session_facade import COOKIE_MAX_AGE, SessionFacade, SessionSource
from catalina.session.standard_manager import StandardManager
from catalina.session.standard_session import StandardSession

__all__ = ["CURRENT_SESSION", "FrameworkSession", "LocalSource", "local_manager"]

log = logging.getLogger("catalina.contrib")

#: The session of the request that this thread or task serves.
CURRENT_SESSION: ContextVar[SessionFacade | None] = ContextVar("catalina.session", default=None)

#: Prefixes of attributes that the container keeps in a session: a framework neither lists nor clears them.
CONTAINERS_OWN = ("org.apache.", "jakarta.", "javax.")

#: The number of new sessions after which this process looks for expired ones.
_EXPIRE_EVERY = 100


class FrameworkSession(SessionFacade):
    """A session as a framework's application sees it: its own keys, and flags for how it was used.

    ``accessed``: a key was read; ``modified``: a key was set or removed. The container finds a change inside a value
    without a flag.
    """

    __slots__ = ("accessed", "modified")

    def __init__(self, source: SessionSource) -> None:
        super().__init__(source)
        self.accessed = self.modified = False

    def __getitem__(self, name: str) -> Any:
        self.accessed = True
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.accessed = True
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.accessed = True
        return super().__contains__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a value.

        Raises:
            NotReplicableError: the application is distributable, and some part of the value could not travel, or would
                come back as bytes.
        """
        if type(value) not in IMMUTABLE:
            session = self._create()
            if session.manager.must_travel:
                session.manager.codec.check_comes_back(name, value)
        super().__setitem__(name, value)
        self.accessed = self.modified = True

    def __delitem__(self, name: str) -> None:
        self.accessed = True
        super().__delitem__(name)
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        self.accessed = True
        return iter([name for name in super().__iter__() if not name.startswith(CONTAINERS_OWN)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id or 'not created'} {dict(self)!r}>"

    @property
    def is_emptied(self) -> bool:
        """True when the application has removed its last key, and the container keeps nothing in the session either."""
        if not self.modified or len(self):
            return False
        session = self._source.get_session(False)
        if session is None:
            return True
        return session.principal is None and not _has_containers_own(session.attribute_names())

    def set_lifetime(self, seconds: int | None) -> None:
        """Let the session end after ``seconds`` without a request, zero or less for never; None: the manager's
        default.
        """
        session = self._source.get_session(False)
        if session is None:
            return
        wanted = session.manager.default_max_inactive_interval if seconds is None else seconds
        if session.max_inactive_interval != wanted:
            session.max_inactive_interval = wanted


def _has_containers_own(names: list[str]) -> bool:
    return any(name.startswith(CONTAINERS_OWN) and name != COOKIE_MAX_AGE for name in names)


class LocalSource:
    """The session of one request outside the container.

    Args:
        requested: the id that the client sent.
    """

    def __init__(self, requested: str | None = None) -> None:
        self._requested = requested
        self._session: StandardSession | None = None
        #: The cookie that the framework has to send: an id, an empty text to delete it, None for neither.
        self.cookie: str | None = None

    def get_session(self, create: bool = True) -> StandardSession | None:
        """The session with the requested id, or a new one when ``create``."""
        session = self._session
        if session is not None and session.alive:
            return session
        manager = local_manager()
        session = manager.find_session(self._requested) if self._requested else None
        if session is None or not session.access():
            if not create:
                return None
            session = _new_local_session(manager)
            self.cookie = session.id
            session.access()
        self._session = session
        return session

    def change_session_id(self) -> str:
        """Give the session another id."""
        session = self.get_session(False)
        if session is None:
            raise InvalidSessionError("changeSessionId: there is no session associated with this request")
        self.cookie = self._requested = session.manager.change_session_id(session)
        return self.cookie

    def send_session_cookie(self) -> None:
        """Let the framework send the cookie."""
        session = self.get_session(False)
        if session is not None:
            self.cookie = session.id

    def switch_session(self, session_id: str) -> None:
        """Use another session from now on, and let the framework send its cookie."""
        self.end()
        self._session, self._requested = None, session_id
        self.send_session_cookie()

    def delete_session_cookie(self) -> None:
        """Let the framework delete the cookie."""
        self.cookie = ""

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None:
        """Nothing to do: the framework sends the cookie by its own settings."""

    def end(self) -> str | None:
        """End the request; returns the cookie to send."""
        if self._session is not None and self._session.alive:
            self._session.end_access()
        return self.cookie


class _Local:
    """The manager of this process, made when it is first needed."""

    def __init__(self) -> None:
        self.manager: StandardManager | None = None
        self.lock = threading.Lock()


_local = _Local()


def local_manager() -> StandardManager:
    """The manager for sessions outside the container; the first call logs that there is no container."""
    if _local.manager is None:
        with _local.lock:
            if _local.manager is None:
                manager = StandardManager()
                manager.start()
                manager.must_travel = True
                _local.manager = manager
                log.warning(
                    "No Catalina container serves this process: sessions are kept in its memory, "
                    "for this process alone and as long as it runs"
                )
    return _local.manager


def _new_local_session(manager: StandardManager) -> StandardSession:
    if manager.session_counter % _EXPIRE_EVERY == 0:  # nobody calls background_process here
        manager.process_expires()
    return manager.create_session()
