"""Beaker's ``environ["beaker.session"]`` is the container's session.

::

    from beaker.middleware import SessionMiddleware
    from catalina.contrib.beaker import CatalinaSession

    application = SessionMiddleware(application, {"session.session_class": CatalinaSession})

Beaker's middleware stays, with ``save()``, ``session.auto`` and its other features. Each key is one attribute of the
container's session: ``save()`` writes the keys that have changed, including changes inside a value. Nothing is pickled.
The container sets and deletes the cookie. Outside it the sessions are kept in the process, and Beaker's settings decide
about the cookie.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from beaker.cookie import SimpleCookie
from beaker.session import Session

from catalina.session.framework_session import CURRENT_SESSION, FrameworkSession, LocalSource
from catalina.session.session_facade import OneSession, SessionSource
from catalina.session.staged_attributes import StagedAttributes
from catalina.webapp import session_manager

__all__ = ["CatalinaSession"]

#: Keys that Beaker keeps among the values: the container has the times and the cookie.
BEAKERS_OWN = frozenset({"_creation_time", "_accessed_time", "_domain", "_path"})
#: Days that stand for "never" of ``cookie_expires=False``, as in RFC 6265bis: browsers keep no cookie longer.
LONGEST_DAYS = 400


class CatalinaSession(Session):
    """The class for ``session.session_class``.

    ``id`` is None as long as nothing was saved; everything else is as Beaker documents it. ``CatalinaSession({},
    id=..., use_cookies=False)`` is the session with that id (Beaker's own ``get_by_id`` looks into its own stores).
    """

    def __init__(self, request: dict[str, Any], id: str | None = None, use_cookies: bool = True, **params: Any) -> None:
        request.setdefault("set_cookie", False)
        self.key = params.get("key", "beaker.session.id")
        self._source = _source(request, id, self.key) if use_cookies or id is not None else LocalSource()
        self._staged: StagedAttributes | None = None
        self._own_cookie = use_cookies and isinstance(self._source, LocalSource)
        super().__init__(request, id=None, use_cookies=False, **params)
        self.cookie = SimpleCookie()
        if use_cookies:
            self._source.prefer_session_cookie(bool(self.secure), self.samesite, False)
        self.load()

    @property
    def id(self) -> str | None:
        """The session's id, None before it is saved."""
        session = self._source.get_session(False)
        return None if session is None else session.id

    @id.setter
    def id(self, value: object) -> None:
        """Ignore the id that Beaker makes."""

    def _create_id(self, set_new: bool = True) -> None:
        if set_new:
            self.is_new = True
            self.last_accessed = None

    def load(self) -> None:
        """Take the values from the session, as copies."""
        session: Any = self._source.get_session(False)
        manager = session_manager() if session is None else session.manager
        self._staged = StagedAttributes(manager, session)
        own = {name: self[name] for name in ("_domain", "_path") if name in self}
        self.clear()
        self.update(self._staged)
        now = time.time()
        self["_creation_time"] = now if session is None else session.creation_time_ms / 1000
        self["_accessed_time"] = now
        self.update(own)
        self.is_new = session is None or session.is_new
        self.last_accessed = None if self.is_new else session.last_accessed_time_ms / 1000
        self.accessed_dict = self.copy()

    def save(self, accessed_only: bool = False) -> None:
        """Write the changes. The container notes the time of the last use.

        A session that has ended meanwhile, in another request, is not revived.

        Raises:
            NotReplicableError: the application is distributable, and some part of a value could not travel.
        """
        if accessed_only or self._staged is None:
            return
        if self._staged.has_ended:
            self._staged.say_ended()
            return
        values = {name: value for name, value in self.items() if name not in BEAKERS_OWN}
        self._staged.become(values)
        session: Any = self._source.get_session(bool(values))
        if session is None:  # nothing was put into it, or Beaker saves a deleted session
            return
        if not self._staged.write_unless_ended(session):
            return
        whole = FrameworkSession(self._source)
        whole.set_lifetime(None if self.timeout is None else max(1, int(self.timeout)))
        age = _seconds(self.cookie_expires)
        if whole.cookie_max_age != age:
            whole.cookie_max_age = age
        self._tell_cookie()

    def delete(self) -> None:
        """End the session on all nodes, and delete the cookie."""
        self._end()
        self._source.delete_session_cookie()
        self.clear()
        self._tell_cookie()

    def invalidate(self) -> None:
        """End the session on all nodes; values saved afterwards go into a new one, with another id."""
        self._end()
        self.clear()
        self.was_invalidated = True
        self._create_id()
        self.load()

    def regenerate_id(self) -> None:
        """Give the session another id on all nodes, as after a login."""
        if self.id is not None:
            self._source.change_session_id()
            self._tell_cookie()

    def _end(self) -> None:
        session: Any = self._source.get_session(False)
        if session is not None:
            session.invalidate()

    def _tell_cookie(self) -> None:
        """Outside the container, set the cookie that Beaker's middleware sends."""
        source = self._source
        if not self._own_cookie or not isinstance(source, LocalSource) or source.cookie is None:
            return
        if source.cookie:
            self._update_cookie_out()
        else:
            self.cookie[self.key] = ""
            self._set_cookie_values(datetime.now(UTC) - timedelta(365))
            self.request["cookie_out"] = self.cookie[self.key].output(header="")
            self.request["set_cookie"] = True


def _source(request: dict[str, Any], id: str | None, key: str) -> SessionSource:
    """The session of the request, or the session with an id."""
    if id is not None:
        found: Any = session_manager().find_session(id)
        return LocalSource() if found is None else OneSession(found)
    facade = CURRENT_SESSION.get()
    if facade is not None:
        return facade.source
    sent = SimpleCookie(input=request.get("cookie") or "")
    return LocalSource(sent[key].value if key in sent else None)


def _seconds(expires: object) -> int | None:
    """``cookie_expires`` as seconds from now; None: until the browser ends."""
    if expires is True or expires is None:
        return None
    if expires is False:
        return LONGEST_DAYS * 24 * 3600
    if isinstance(expires, timedelta):
        return max(0, int(expires.total_seconds()))
    if isinstance(expires, datetime):
        return max(0, int(expires.timestamp() - time.time()))
    if isinstance(expires, int):
        return max(0, expires)
    raise ValueError(f"cookie_expires must be a bool, a timedelta, a datetime or a number of seconds, got {expires!r}")
