"""Pyramid's ``request.session`` is the container's session.

::

    from catalina.contrib.pyramid import CatalinaSessionFactory

    config.set_session_factory(CatalinaSessionFactory())

Each key is one attribute of the container's session; a change inside a value needs no ``session.changed()``. The
container sets and deletes the cookie. Outside it the sessions are kept in the process, and the factory sets the cookie.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Literal

from pyramid.interfaces import ISession, ISessionFactory
from zope.interface import implementer, provider

from catalina.session.framework_session import FrameworkSession, LocalSource
from catalina.session.session_facade import SessionFacade

if TYPE_CHECKING:
    from pyramid.request import Request
    from pyramid.response import Response

__all__ = ["CatalinaSession", "CatalinaSessionFactory"]

FLASH = "_f_"
CSRF_TOKEN = "_csrft_"  # noqa: S105 -- the name of it


@implementer(ISession)
class CatalinaSession(FrameworkSession):
    """``request.session``: a mapping, with the other members of the container's session (``change_id()``)."""

    @property
    def created(self) -> int:
        """The time at which the session was made, in seconds since the epoch."""
        created = self.creation_time
        return int(time.time() if created is None else created)

    @property
    def new(self) -> bool:
        """True until the client comes back with the session's id, and while there is no session."""
        return self.is_new

    def invalidate(self) -> None:
        """End the session on all nodes; values set afterwards go into a new one, with another id."""
        super().invalidate()
        self.modified = True

    def changed(self) -> None:
        """Hardly needed: changes inside values are found. At most the cookie is sent again."""
        self.modified = True

    def flash(self, msg: object, queue: str = "", allow_duplicate: bool = True) -> None:
        """Keep a message for the next page that asks for it."""
        storage = self.setdefault(FLASH + queue, [])
        if allow_duplicate or msg not in storage:
            storage.append(msg)

    def pop_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of a queue and empty it."""
        messages: list[Any] = self.pop(FLASH + queue, [])
        return messages

    def peek_flash(self, queue: str = "") -> list[Any]:
        """The messages of a queue, which stay in it."""
        messages: list[Any] = self.get(FLASH + queue, [])
        return messages

    def new_csrf_token(self) -> str:
        """Make another token for forms."""
        token = self[CSRF_TOKEN] = secrets.token_hex(20)
        return token

    def get_csrf_token(self) -> str:
        """The token for forms, made if there is none."""
        token = self.get(CSRF_TOKEN)
        return token if isinstance(token, str) else self.new_csrf_token()


@provider(ISessionFactory)
class CatalinaSessionFactory:
    """The factory for ``config.set_session_factory``.

    Args:
        timeout: seconds without a request after which a session ends; None: as the container says.
        max_age: seconds for which browsers keep the cookie; None: until they end.
        secure, samesite: attributes of the cookie, if the operator sets none.
        cookie_name, path, domain, httponly: attributes of the cookie outside the container; inside, the operator sets
            them.
    """

    session_class = CatalinaSession

    def __init__(
        self,
        timeout: int | None = None,
        max_age: int | None = None,
        secure: bool = False,
        samesite: Literal["Lax", "Strict", "None"] | None = "Lax",
        cookie_name: str = "session",
        path: str = "/",
        domain: str | None = None,
        httponly: bool = True,
    ) -> None:
        self.timeout = None if timeout is None else int(timeout)
        self.max_age = None if max_age is None else int(max_age)
        self.secure, self.samesite = secure, samesite
        self.cookie_name = cookie_name
        self._where = {"path": path, "domain": domain, "httponly": httponly, "secure": secure, "samesite": samesite}
        self._preferred = False

    def __call__(self, request: Request) -> CatalinaSession:
        facade = request.environ.get("catalina.session")
        if isinstance(facade, SessionFacade):
            session = self.session_class(facade.source)
            if not self._preferred:
                self._preferred = True
                facade.source.prefer_session_cookie(self.secure, self.samesite, False)
        else:
            session = self.session_class(LocalSource(request.cookies.get(self.cookie_name)))
        request.add_response_callback(lambda _, response: self._finish(session, response))
        return session

    def _finish(self, session: CatalinaSession, response: Response) -> None:
        """At the end of the request, set life time and cookie."""
        if session.is_emptied:
            if session.id is not None:
                FrameworkSession.invalidate(session)
            session.delete_cookie()
        elif session.modified and session.id is not None:
            if self.timeout is not None:
                session.set_lifetime(max(1, self.timeout))
            if session.cookie_max_age != self.max_age:
                session.cookie_max_age = self.max_age
        source = session.source
        if isinstance(source, LocalSource):
            cookie = source.end()
            if cookie:
                response.set_cookie(self.cookie_name, cookie, max_age=self.max_age, **self._where)
            elif cookie is not None:
                response.delete_cookie(self.cookie_name, path=self._where["path"], domain=self._where["domain"])
