"""Requests to servlets that work on the container (manager, host manager, metrics, Jolokia) in a node with workers.

A worker accepts such a request, and the application's valves, filters and realm decide about it there. The servlet runs
in the keeper, because it acts on the node: the keeper deploys, has the sessions, and its beans are the node's. Only
servlets of this software run there. A body travels as a file. An answer that the servlet has in whole travels as one
message; of one that it makes piece by piece (the live page of the cluster) the worker asks for each piece.
"""

from __future__ import annotations

import base64
import io
import itertools
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.webapp import SEND_ERROR, send_error
from catalina.workers.application_entry import manager_key
from catalina.workers.keeper_queries import KeeperGoneError
from catalina.workers.services import CONTAINER_CLOSE, CONTAINER_NEXT, CONTAINER_REQUEST

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.workers.keeper_queries import KeeperQueries
    from catalina.workers.services import Services

__all__ = ["ContainerRequests", "RelayedServlet", "is_own"]

log = logging.getLogger("org.apache.catalina.workers.ContainerRequests")

#: Seconds that a command may take; an application may take long to start.
ANSWER_SECONDS = 3600.0
#: Bytes of an answer in one message. The largest are dumps of threads and lists of beans.
MAX_ANSWER = 64 * 2**20
#: Answers that are made piece by piece at the same time.
MAX_STREAMS = 64

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def is_own(servlet_class: str) -> bool:
    """True for the className of a servlet of this software, which the keeper may load."""
    return servlet_class.startswith("org.apache.catalina.")


class RelayedServlet:
    """Stands in a worker for a servlet that runs in the keeper.

    Args:
    """

    def __init__(self, wrapper: StandardWrapper, queries: KeeperQueries) -> None:
        self._wrapper = wrapper
        self._queries = queries

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
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
                answer: Any = self._queries.call(CONTAINER_REQUEST, request, ANSWER_SECONDS)
            except KeeperGoneError as error:
                log.error("%s", error)
                return send_error(environ, start_response, 503, "The keeper of this node does not answer")
        if answer["error"] is not None:
            return send_error(environ, start_response, *answer["error"])
        start_response(answer["status"], [(name, value) for name, value in answer["headers"]])
        body = base64.b64decode(answer["body"])
        return [body] if answer["stream"] is None else _RelayedParts(context, self._queries, body, answer["stream"])


class _RelayedParts:
    """An answer whose pieces the keeper makes. It ends early when this worker does, as that waits for its requests.

    Args:
        stream: by which the keeper knows it.
    """

    def __init__(self, context: StandardContext, queries: KeeperQueries, first: bytes, stream: int) -> None:
        self._context = context
        self._queries = queries
        self._first = first
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        while not self._ends():
            part: Any = self._queries.call(CONTAINER_NEXT, self._stream, ANSWER_SECONDS)
            if part is None:
                return
            yield base64.b64decode(part)

    def _ends(self) -> bool:
        server = self._context.server
        return not self._context.state.available or server is None or server.is_ending or server.draining

    def close(self) -> None:
        """The client has all that it wants."""
        try:
            self._queries.call(CONTAINER_CLOSE, self._stream)
        except CatalinaError as error:  # the keeper has gone, and the answer with it
            log.debug("An answer of the keeper is not closed there: %s", error)


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
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        #: The answers that are not complete, by their numbers.
        self._streams: dict[int, _Parts] = {}
        services.add(CONTAINER_REQUEST, self._serve)
        services.add(CONTAINER_NEXT, self._next)
        services.add(CONTAINER_CLOSE, self._closed)

    def worker_lost(self, worker: int) -> None:
        """Nobody asks for the rest of that worker's answers."""
        with self._lock:
            lost = [number for number, parts in self._streams.items() if parts.worker == worker]
        for number in lost:
            self._close(number)

    def _of(self, worker: int | None, number: int) -> _Parts | None:
        """A worker's answer. Those of other workers are nobody's business but theirs."""
        with self._lock:
            parts = self._streams.get(number)
        return parts if parts is not None and parts.worker == worker else None

    def _closed(self, worker: int | None, number: int) -> None:
        if self._of(worker, number) is not None:
            self._close(number)

    def _next(self, worker: int | None, number: int) -> str | None:
        parts = self._of(worker, number)
        if parts is None:
            return None
        part = parts.next()
        if part is None:
            self._close(number)
            return None
        return base64.b64encode(part).decode()

    def _close(self, number: int) -> None:
        with self._lock:
            parts = self._streams.pop(number, None)
        if parts is not None:
            parts.close()

    def _serve(self, worker: int | None, request: dict[str, Any]) -> dict[str, Any]:
        context = self._find(request["key"])
        wrapper = None if context is None else context.wrappers.get(request["servlet"])
        if context is None or wrapper is None or not context.privileged or not is_own(wrapper.servlet_class):
            raise CatalinaError(f"[{request['key']}]: the keeper runs no servlet [{request['servlet']}]")
        if request["body"] is None:
            return self._answer(worker, context, wrapper, request["environ"], io.BytesIO())
        with open(request["body"], "rb") as body:
            return self._answer(worker, context, wrapper, request["environ"], body)

    def _answer(
        self, worker: int | None, context: StandardContext, wrapper: StandardWrapper, told: dict[str, str],
        body: IO[bytes],
    ) -> dict[str, Any]:  # fmt: skip
        errors: list[tuple[int, str | None]] = []
        head: list[Any] = ["500 Internal Server Error", []]
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[..., Any]:
            head[:] = [status, headers]
            return written.append

        environ = _environ(context, wrapper, told, body) | {SEND_ERROR: errors.append}
        parts = _Parts(worker, wrapper.allocate()(environ, start_response))
        first = parts.first()
        stream = None
        if not parts.is_complete:
            stream = next(self._numbers)
            with self._lock:
                is_full = len(self._streams) >= MAX_STREAMS
                self._streams |= {} if is_full else {stream: parts}
            if is_full:
                parts.close()
                raise CatalinaError(f"servlet [{wrapper.name}]: [{MAX_STREAMS}] answers are on their way already")
        return {
            "status": head[0],
            "headers": head[1],
            "body": base64.b64encode(b"".join(written) + first).decode(),
            "error": errors[-1] if errors else None,
            "stream": stream,
        }


def _environ(context: StandardContext, wrapper: StandardWrapper, told: dict[str, str], body: IO[bytes]) -> Environ:
    return {
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
    }


class _Parts:
    """The pieces of one answer.

    Args:
        worker: the one whose request it is.
        answer: of the servlet; a list is complete, anything else may make its pieces as they are asked for.
    """

    def __init__(self, worker: int | None, answer: Iterable[bytes]) -> None:
        self.worker = worker
        self.is_complete = isinstance(answer, list | tuple)
        self._answer = answer
        self._rest = iter(answer)
        #: One thread at a time: the worker may go while its next piece is made.
        self._lock = threading.Lock()

    def first(self) -> bytes:
        """All of a complete answer, or the first piece. Raises CatalinaError: it is too long for one message."""
        if not self.is_complete:
            try:
                first = self.next()
            except BaseException:
                self.close()
                raise
            if first is not None:
                return first
            self.close()
            self.is_complete = True
            return b""
        parts = list(self._rest)
        size = sum(map(len, parts))
        if size > MAX_ANSWER:
            raise CatalinaError(f"the answer has {size} bytes, at most {MAX_ANSWER} fit into one message")
        return b"".join(parts)

    def next(self) -> bytes | None:
        """The next piece; None at the end."""
        with self._lock:
            return next(self._rest, None)

    def close(self) -> None:
        """It is over, for whatever reason."""
        close = getattr(self._answer, "close", None)
        if close is not None:
            with self._lock:
                close()
