"""Last valve of all: runs the servlet behind its filters (Tomcat: core/StandardWrapperValve.java).

An application's printed output can go to its log (Context ``swallowOutput``; Tomcat: util/log/SystemLogHandler.java).
All applications share ``sys.stdout`` and ``sys.stderr``; a stand-in for each finds the application of the printing
thread. The first application that wants it puts it in place, where it stays.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import math
import sys
from collections.abc import Iterable, Iterator
from threading import get_ident
from time import perf_counter_ns
from typing import TYPE_CHECKING, TextIO

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.wsgi_adapter import run_application
from catalina.errors import DeploymentError
from catalina.session.framework_session import CURRENT_SESSION
from catalina.valves.valve_base import ValveBase
from catalina.webapp import SEND_ERROR, UnavailableError

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.descriptor.elements import MultipartConfig

__all__ = ["StandardWrapperValve", "captured", "run_servlet"]
_capture: contextvars.ContextVar[tuple[logging.Logger, dict[int, list[str]]] | None] = contextvars.ContextVar(
    "catalina.captured", default=None
)


class _StandIn:
    """A text stream that writes lines to the log of the application in this thread, otherwise to the real stream."""

    def __init__(self, real: TextIO, level: int) -> None:
        self._real = real
        self._level = level

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        capture = _capture.get()
        if capture is None:
            return self._real.write(text)
        log, pending = capture
        parts = pending.setdefault(self._level, [])
        *lines, rest = text.split("\n")
        for line in lines:
            log.log(self._level, "%s", "".join([*parts, line]))
            parts.clear()
        if rest:
            parts.append(rest)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


@contextlib.contextmanager
def captured(log: logging.Logger) -> Iterator[None]:
    """While the block runs, send everything that this thread prints to ``log``: stdout at INFO, stderr at ERROR, line
    by line.
    """
    if not isinstance(sys.stdout, _StandIn):
        sys.stdout = _StandIn(sys.stdout, logging.INFO)
    if not isinstance(sys.stderr, _StandIn):
        sys.stderr = _StandIn(sys.stderr, logging.ERROR)
    pending: dict[int, list[str]] = {}
    token = _capture.set((log, pending))
    try:
        yield
    finally:
        _capture.reset(token)
        for level, parts in pending.items():
            if parts:
                log.log(level, "%s", "".join(parts))


class StandardWrapperValve(ValveBase):
    """Calls the WSGI application. Its exception becomes the response's, which is then an error 500."""

    def invoke(self, request: Request, response: Response) -> None:
        wrapper: StandardWrapper = request.wrapper  # type: ignore[assignment]  # the mapper knows no others
        # Not the wrapper's own context: an application that has just stopped has dropped its wrappers, and one that was
        # reloaded since the request was mapped has new ones.
        context: StandardContext = request.context  # type: ignore[assignment]  # nor here
        progress = context.in_progress
        request.progress = progress
        progress.inside[request] = get_ident()
        if context.paused or not context.state.available or wrapper.parent is None:
            progress.leave(request)
            _answer_stopped(context, request, response)
            return
        if wrapper.may_be_unavailable and wrapper.is_unavailable():
            _answer_unavailable(wrapper, response)
            return
        if wrapper.definition.multipart is not None and _is_too_large(wrapper.definition.multipart, request):
            response.send_error(413)
            return
        began = perf_counter_ns()
        try:
            path = request.servlet_path + (request.path_info or "")
            if context.swallow_output:
                with captured(context.logger):
                    run_servlet(context, wrapper, request, response, path, "REQUEST")
            else:
                run_servlet(context, wrapper, request, response, path, "REQUEST")
        except ClientAbortException:
            raise
        except UnavailableError as exc:
            wrapper.unavailable(exc.seconds)
            context.logger.warning("Servlet [%s] is unavailable: %s", wrapper.name, exc)
            _answer_unavailable(wrapper, response)
        except DeploymentError as exc:
            context.logger.error("Allocate exception for servlet [%s]: %s", wrapper.name, exc)
            _failed(response, exc, f"Error instantiating servlet class [{wrapper.servlet_class}]")
        except BaseException as exc:  # the code is the application's
            context.logger.error(
                "Servlet.service() for servlet [%s] in context with path [%s] threw exception",
                wrapper.name, context.path, exc_info=exc,
            )  # fmt: skip
            _failed(response, exc)
        finally:
            wrapper.requests.count(perf_counter_ns() - began, response.status >= 400, 0, 0)


def run_servlet(
    context: StandardContext, wrapper: StandardWrapper, request: Request, response: Response, path: str, kind: str
) -> None:
    """Build the environ and run the filters mapped for ``kind`` of dispatch, then the servlet.

    Args:
        path: the path inside the application, for the filters' url-patterns.
    """
    application, chains = wrapper.application or wrapper.allocate(), context.filter_chains
    if chains.instances:
        application = chains.chain(wrapper.name, path, kind, application)
    environ = request.build_environ()
    environ["catalina.context"] = context.application_context
    environ["catalina.servlet"] = wrapper.config
    environ["wsgi.multiprocess"] = context.multiprocess
    environ["catalina.dispatcher_type"] = environ["org.apache.catalina.core.DISPATCHER_TYPE"] = kind
    environ["org.apache.catalina.core.DISPATCHER_REQUEST_PATH"] = path
    if request.path_info is not None:
        environ["catalina.mount"] = request.servlet_path
    preset = response.content_type if response.headers else None
    if preset is not None:
        # A valve's choice, which the default servlet keeps; any other application may choose another one.
        environ["catalina.content_type"] = preset
        response.remove_header("Content-Type")
    sent: list[tuple[int, str | None]] = []
    # catalina.webapp.send_error calls this; the application's filters may still set header fields.
    environ[SEND_ERROR] = sent.append
    token = CURRENT_SESSION.set(environ["catalina.session"])
    try:
        run_application(application, environ, request, response)
    finally:
        CURRENT_SESSION.reset(token)
    if preset is not None and not response.committed and response.content_type is None:
        response.content_type = preset
    if sent and not response.committed and response.status == sent[-1][0]:
        # Unless a filter has turned it into another answer.
        response.send_error(*sent[-1])


def _is_too_large(multipart: MultipartConfig, request: Request) -> bool:
    """True when an upload announces more bytes than the servlet's multipart-config allows (max-request-size)."""
    if not 0 <= multipart.max_request_size < request.content_length:
        return False
    return (request.content_type or "").lower().startswith("multipart/form-data")


def _answer_stopped(context: StandardContext, request: Request, response: Response) -> None:
    """The application has stopped since the request was mapped: wait for the end of a reload, or answer that it is
    gone.
    """
    if not (context.paused or context.state.available):
        response.send_error(503, "The requested service is not currently available.")
        return
    request.end_access()  # the session is another object afterwards
    if not request.connector.map_request(request, response):
        return
    found: StandardContext | None = request.context  # type: ignore[assignment]  # the mapper knows no others
    if found is None or request.wrapper is None or not found.state.available:
        response.send_error(404)  # the application did not come back
    elif found is context:
        request.wrapper.pipeline.first.invoke(request, response)
    else:  # one that was exchanged has valves of its own
        found.pipeline.first.invoke(request, response)


def _answer_unavailable(wrapper: StandardWrapper, response: Response) -> None:
    seconds = wrapper.retry_after
    if seconds is None:
        response.send_error(404)
        return
    response.send_error(503, "This application is not currently available")
    response.set_header("Retry-After", str(math.ceil(seconds)))


def _failed(response: Response, exc: BaseException, message: str | None = None) -> None:
    response.exception = exc
    if response.committed:
        response.broken = True
    else:
        response.send_error(500, message)
