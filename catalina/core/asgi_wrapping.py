"""Recognises ASGI applications when they are loaded, and wraps them as WSGI if the Context says so."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from catalina.errors import DeploymentError
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.loader.webapp_loader import WebappLoader

__all__ = ["adapt_asgi", "is_asgi"]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Seconds that a stop waits for work that an application runs in its loop.
STOP_SECONDS = 2.0

_REFUSED = (
    "{} is an ASGI application, and WSGI is spoken here; wrap it: a2wsgi.ASGIMiddleware(app), "
    'or asgi="wrap" on its Context'
)
_WRAPPED = (
    "[%s] is an ASGI application; a2wsgi serves it: requests and streamed answers, but no WebSocket and no lifespan"
)


def is_asgi(application: object) -> bool:
    """True when calling the application gives a coroutine, as with FastAPI, Starlette and other ASGI applications."""
    return inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(type(application).__call__)


def adapt_asgi(application: object, name: str, wrap: bool, loader: WebappLoader, log: logging.Logger) -> Application:
    """The WSGI application for an ASGI one; one line of the log says which features work.

    Args:
        application: the ASGI application.
        name: ``module:callable``, for messages.
        wrap: ``asgi="wrap"`` of the Context; without it each request gets a 500 that names the remedy.
        loader: finds a2wsgi, the application's own or the server's.

    Raises:
        DeploymentError: the application should be wrapped, but a2wsgi is not installed.
    """
    if not wrap:
        sentence = _REFUSED.format(name)
        log.warning("[%s] answers each request with 500: %s", name, sentence)
        return lambda environ, start_response: send_error(environ, start_response, 500, sentence)
    try:
        middleware = loader.load("a2wsgi:ASGIMiddleware")
    except DeploymentError as error:
        raise DeploymentError(f'asgi="wrap" of {name!r} needs the package a2wsgi: {error}') from error
    log.info(_WRAPPED, name)
    return _Wrapped(middleware, application, name)


class _Wrapped:
    """a2wsgi's middleware with an event loop of this servlet, which ends with the servlet."""

    def __init__(self, middleware: Any, application: object, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._middleware = middleware(application, loop=self._loop)
        self._thread = threading.Thread(target=self._run, name=f"asgi-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._middleware(environ, start_response)
        return answer

    def close_servlet(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
