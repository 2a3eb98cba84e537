"""``environ["catalina.session"]``: the session as an application sees it (Tomcat: StandardSessionFacade.java)."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol

from catalina.errors import InvalidSessionError

if TYPE_CHECKING:
    from catalina.session.session import Principal, Session

__all__ = ["COOKIE_MAX_AGE", "SessionFacade", "SessionSource"]

_MISSING = object()

#: Attribute with the seconds that browsers keep the session's cookie, if the application has set them. It travels, so
#: that the node that takes over a session sends the same.
COOKIE_MAX_AGE = "org.apache.catalina.session.COOKIE_MAX_AGE"


class SessionSource(Protocol):
    """Gives a facade its session: a Request, or always the same session (:class:`OneSession`)."""

    def get_session(self, create: bool = True) -> Session | None: ...

    def change_session_id(self) -> str: ...

    def send_session_cookie(self) -> None: ...

    def switch_session(self, session_id: str) -> None: ...

    def delete_session_cookie(self) -> None: ...

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None: ...


class OneSession:
    """The source of a facade that is bound to one session; listeners and managers get such facades."""

    __slots__ = ("session",)

    def __init__(self, session: Session) -> None:
        self.session = session

    def get_session(self, create: bool = True) -> Session:
        return self.session

    def change_session_id(self) -> str:
        return self.session.manager.change_session_id(self.session)

    def send_session_cookie(self) -> None:
        """Nothing to do without a response: the next response for this session sends the cookie."""

    def switch_session(self, session_id: str) -> None:
        """Refused: the facade is bound to one session.

        Raises:
            InvalidSessionError: always.
        """
        raise InvalidSessionError(f"switchSession: bound to the session [{self.session.id}]")

    def delete_session_cookie(self) -> None:
        """Nothing to do without a response: a cookie of a session that has ended leads nowhere."""

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None:
        """Nothing to do: there is no response with a cookie."""


class SessionFacade(MutableMapping[str, Any]):
    """A mapping that always exists and costs nothing until it is used.

    Reading a key makes no session; setting one does. In a distributable application, setting a value that cannot be
    replicated raises :class:`catalina.errors.NotReplicableError` at that line. The container finds a change inside a
    value at the end of the request.
    """

    __slots__ = ("_source",)

    def __init__(self, source: SessionSource) -> None:
        self._source = source

    def __getitem__(self, name: str) -> Any:
        session = self._source.get_session(False)
        if session is None:
            raise KeyError(name)
        value = session.get_attribute(name, _MISSING)
        if value is _MISSING:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, or ``default``; this makes no session."""
        session = self._source.get_session(False)
        return default if session is None else session.get_attribute(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        self._create().set_attribute(name, value)

    def __delitem__(self, name: str) -> None:
        session = self._source.get_session(False)
        if session is None or not session.has_attribute(name):
            raise KeyError(name)
        session.remove_attribute(name)

    def __iter__(self) -> Iterator[str]:
        session = self._source.get_session(False)
        return iter(() if session is None else session.attribute_names())

    def __len__(self) -> int:
        session = self._source.get_session(False)
        return 0 if session is None else len(session.attribute_names())

    def __contains__(self, name: object) -> bool:
        session = self._source.get_session(False)
        return session is not None and isinstance(name, str) and session.has_attribute(name)

    def __repr__(self) -> str:
        return f"<session {self.id or 'not created'}>"

    @property
    def id(self) -> str | None:
        """The session's id with its jvmRoute, None while there is no session."""
        session = self._source.get_session(False)
        return None if session is None else session.id

    @property
    def is_new(self) -> bool:
        """True until the client comes back with the session's id, and while there is no session."""
        session = self._source.get_session(False)
        return session is None or session.is_new

    @property
    def creation_time(self) -> float | None:
        """Seconds since the epoch, None while there is no session."""
        session = self._source.get_session(False)
        return None if session is None else session.creation_time_ms / 1000

    @property
    def last_accessed_time(self) -> float | None:
        """The start of the previous request, in seconds since the epoch; None while there is no session."""
        session = self._source.get_session(False)
        return None if session is None else session.last_accessed_time_ms / 1000

    @property
    def max_inactive_interval(self) -> int | None:
        """Seconds without a request after which the session ends, zero or less for never; None while there is no
        session.
        """
        session = self._source.get_session(False)
        return None if session is None else session.max_inactive_interval

    @max_inactive_interval.setter
    def max_inactive_interval(self, seconds: int) -> None:
        self._create().max_inactive_interval = seconds

    @property
    def principal(self) -> Principal | None:
        """The user who is logged in to this session, None when nobody is."""
        session = self._source.get_session(False)
        return None if session is None else session.principal

    @property
    def cookie_max_age(self) -> int | None:
        """Seconds for which the browser keeps the session's cookie; None: until the browser ends, or as the descriptor
        says.
        """
        age = self.get(COOKIE_MAX_AGE)
        return age if isinstance(age, int) else None

    @cookie_max_age.setter
    def cookie_max_age(self, seconds: int | None) -> None:
        session = self._source.get_session(seconds is not None)
        if session is None:
            return
        if seconds is None:
            session.remove_attribute(COOKIE_MAX_AGE)
        elif session.get_attribute(COOKIE_MAX_AGE) != seconds:
            session.set_attribute(COOKIE_MAX_AGE, seconds)
        self._source.send_session_cookie()

    @property
    def source(self) -> SessionSource:
        """The source of the session, from which adapters of frameworks make their own kind of session."""
        return self._source

    def delete_cookie(self) -> None:
        """Let the client forget the session's cookie. This does not end the session."""
        self._source.delete_session_cookie()

    def invalidate(self) -> None:
        """End the session, if there is one. Values that are set afterwards go into a new session."""
        session = self._source.get_session(False)
        if session is not None:
            session.invalidate()

    def change_id(self) -> str:
        """Give the session a new id, as after a login; returns the id.

        Raises:
            InvalidSessionError: there is no session.
        """
        if self._source.get_session(False) is None:
            raise InvalidSessionError("changeSessionId: there is no session associated with this request")
        return self._source.change_session_id()

    def _create(self) -> Session:
        session = self._source.get_session(True)
        if session is None:
            raise InvalidSessionError("this request cannot have a session: its response is already committed")
        return session
