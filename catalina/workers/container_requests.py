"""Requests to servlets that work on the container (manager, host manager, metrics, Jolokia) in a node with workers.

A worker accepts such a request, and the application's valves, filters and realm decide about it there. The servlet runs
in the keeper, because it acts on the node: the keeper deploys, has the sessions, and its beans are the node's. Only
servlets of this software run there. A body travels as a file, the answer as one message.
"""

from __future__ import annotations

import base64
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.webapp import SEND_ERROR, send_error
from catalina.workers.application_entry import manager_key
from catalina.workers.keeper_queries import KeeperGoneError

if TYPE_CHECKING:
    from catalina.core.container_servlet import ContainerServlet
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.workers.keeper_queries import KeeperQueries
    from catalina.workers.services import Services

__all__ = ["ContainerRequests", "RelayedServlet", "is_own"]

log = logging.getLogger("org.apache.catalina.workers.ContainerRequests")

#: The service of the keeper.
SERVICE = "container-request"
#: Seconds that a command may take; an application may take long to start.
ANSWER_SECONDS = 3600.0
#: Bytes of an answer. The largest are dumps of threads and lists of beans.
MAX_ANSWER = 64 * 2**20

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def is_own(servlet_class: str) -> bool:
    """True for the className of a servlet of this software, which the keeper may load."""
    return servlet_class.startswith("org.apache.catalina.")


class RelayedServlet:
    """Stands in a worker for a servlet that runs in the keeper.

    Args:
        servlet: an instance that serves nothing here; it says if the keeper can answer for the node.
    """

    def __init__(self, wrapper: StandardWrapper, servlet: ContainerServlet, queries: KeeperQueries) -> None:
        self._wrapper = wrapper
        self._servlet = servlet
        self._queries = queries

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not self._servlet.answers_for_node:
            text = "This page shows one process, and the node has several workers: /metrics and JMX show the node"
            return send_error(environ, start_response, 501, text)
        context = self._wrapper.context
        request: dict[str, Any] = {
            "key": manager_key(context).decode(),
            "servlet": self._wrapper.name,
            "environ": {name: value for name, value in environ.items() if isinstance(value, str)},
            "body": None,
        }
        with tempfile.TemporaryDirectory(prefix="container-request-", dir=_temporary(context)) as directory:
            if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                request["body"] = os.path.join(directory, "body")
                with open(request["body"], "wb") as sink:
                    shutil.copyfileobj(environ["wsgi.input"], sink)
            try:
                answer: Any = self._queries.call(SERVICE, request, ANSWER_SECONDS)
            except KeeperGoneError as error:
                log.error("%s", error)
                return send_error(environ, start_response, 503, "The keeper of this node does not answer")
        if answer["error"] is not None:
            return send_error(environ, start_response, *answer["error"])
        start_response(answer["status"], [(name, value) for name, value in answer["headers"]])
        return [base64.b64decode(answer["body"])]


def _temporary(context: StandardContext) -> Path:
    directory = context.host.catalina_base / "temp"
    directory.mkdir(exist_ok=True)
    return directory


class ContainerRequests:
    """Serves in the keeper what workers relay.

    Args:
        find: the context of a key, None for an unknown one.
    """

    def __init__(self, services: Services, find: Callable[[str], StandardContext | None]) -> None:
        self._find = find
        services.add(SERVICE, self._serve)

    def _serve(self, _: int | None, request: dict[str, Any]) -> dict[str, Any]:
        context = self._find(request["key"])
        wrapper = None if context is None else context.wrappers.get(request["servlet"])
        if context is None or wrapper is None or not context.privileged or not is_own(wrapper.servlet_class):
            raise CatalinaError(f"[{request['key']}]: the keeper runs no servlet [{request['servlet']}]")
        if request["body"] is None:
            return _answer(context, wrapper, request["environ"], io.BytesIO())
        with open(request["body"], "rb") as body:
            return _answer(context, wrapper, request["environ"], body)


def _answer(
    context: StandardContext, wrapper: StandardWrapper, told: dict[str, str], body: IO[bytes]
) -> dict[str, Any]:
    errors: list[tuple[int, str | None]] = []
    head: list[Any] = ["500 Internal Server Error", []]
    parts: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[..., Any]:
        head[:] = [status, headers]
        return parts.append

    environ: Environ = {
        **told,
        "wsgi.version": (1, 0),
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "catalina.context": context.application_context,
        "catalina.servlet": wrapper.config,
        "catalina.session": None,
        SEND_ERROR: errors.append,
    }
    answer = wrapper.allocate()(environ, start_response)
    try:
        size = 0
        for part in answer:
            size += len(part)
            if size > MAX_ANSWER:
                raise CatalinaError(f"servlet [{wrapper.name}]: the answer has more than {MAX_ANSWER} bytes")
            parts.append(part)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return {
        "status": head[0],
        "headers": head[1],
        "body": base64.b64encode(b"".join(parts)).decode(),
        "error": errors[-1] if errors else None,
    }
