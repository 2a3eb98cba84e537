"""A session for every request (Tomcat: filters/SessionInitializerFilter.java)."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.filters.filter_base import Environ, FilterBase, StartResponse

__all__ = ["SessionInitializerFilter"]

#: Set and removed again: a session begins with its first change.
_TOUCH = "org.apache.catalina.filters.SessionInitializerFilter"


class SessionInitializerFilter(FilterBase):
    """Makes the session before the application runs, for code that needs its id from the start (WebSocket in Java)."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["catalina.session"]
        if session.id is None:
            session[_TOUCH] = True
            del session[_TOUCH]
        return self.next(environ, start_response)
