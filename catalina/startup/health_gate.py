"""Asks an application that has just started whether it can serve (``healthPath`` of a Context).

Its filters and its servlet answer as they would a client of this machine. The valves of Engine, Host and Context are
left out: one that demands a login would answer in the application's place.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.application_dispatcher import SAFE, ApplicationDispatcher
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_wrapper_valve import run_servlet
from catalina.errors import DeploymentError
from catalina.loader.load_failure import describe_failure

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.standard_context import StandardContext

__all__ = ["HealthGate"]

log = logging.getLogger("org.apache.catalina.startup.HealthGate")

#: The lowest status with which an application says that it cannot serve.
SERVER_ERROR = 500
LOCAL = "127.0.0.1"


class HealthGate:
    """Stands between a running application and its first request.

    Args:
        context: the application.
    """

    def __init__(self, context: StandardContext) -> None:
        self._context = context

    def why_not(self) -> str:
        """The reason why the application is not to serve; empty when its answer is there in time, and below 500, or
        nobody asks for one.

        A thread whose answer is late is left behind: it ends with the process.
        """
        context = self._context
        if not context.health_path:
            return ""
        place = f"healthPath [{context.health_path}]"
        answer: Future[int] = Future()
        name = f"{context.name or '/'}-health"
        threading.Thread(target=self._ask, args=(answer,), name=name, daemon=True).start()
        wait([answer], context.health_timeout / 1000)
        if not answer.done():
            return f"{place} has not answered within healthTimeout, {context.health_timeout} ms"
        error = answer.exception()
        if error is not None:
            log.error("[%s] %s", context.name or "/", place, exc_info=error)
            return f"{place} fails: {describe_failure(error)}"
        status = answer.result()
        return f"{place} answers {status}, expected a status below {SERVER_ERROR}" if status >= SERVER_ERROR else ""

    def _ask(self, answer: Future[int]) -> None:
        try:
            answer.set_result(_status_of(self._context))
        except BaseException as error:  # noqa: BLE001 - the code is the application's
            answer.set_exception(error)


def _status_of(context: StandardContext) -> int:
    dispatcher = ApplicationDispatcher.for_path(context, context.health_path or "")
    if dispatcher is None or dispatcher.mapping is None:
        return 404
    mapping, host = dispatcher.mapping, context.host
    connector = _connector_of(context)
    facts = ConnectionFacts(connector, LOCAL, 0, LOCAL, host.name, connector.port_with_offset)
    headers = Headers([(b"Host", host.name.encode("idna")), (b"User-Agent", b"healthPath")])
    request = Request(facts, "GET", dispatcher.uri, dispatcher.query or None, headers=headers)
    request.server_name, request.server_port = host.name, connector.port_with_offset
    request.host, request.context, request.wrapper = host, context, dispatcher.wrapper
    request.context_path = quote(context.path, safe=SAFE)
    request.servlet_path, request.path_info = mapping.servlet_path, mapping.path_info
    response = request.response = Response(request, _Nowhere())
    path = mapping.servlet_path + (mapping.path_info or "")
    try:
        run_servlet(context, dispatcher.wrapper, request, response, path, "REQUEST")
    finally:
        session = request.session
        request.end_access()
        if session is not None and session.alive:  # nobody has its id
            session.expire()
        request.release()
    return response.status


def _connector_of(context: StandardContext) -> Connector:
    engine = context.host.parent
    service = engine.service if isinstance(engine, StandardEngine) else None
    if service is None or not service.connectors:
        raise DeploymentError("the Service has no Connector, so that nobody could ask the application")
    return service.connectors[0]


class _Nowhere:
    """An outlet: only the status of the answer counts."""

    #: There is no connection that another process could get.
    handover = None

    def send_head(self, response: Response, body: bytes, complete: bool) -> None: ...

    def send_body(self, data: bytes) -> None: ...

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        file.close()

    def flushed(self) -> None: ...

    def end(self) -> None: ...
