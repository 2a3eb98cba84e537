"""``/manager/cluster/events``: the live updates of the page of the group (server-sent events)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.cluster.watch import ClusterWatch, TooManyWatchers
from catalina.manager.cluster_manager_servlet import asked_cluster
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer

__all__ = ["ClusterEventsServlet"]

#: Share of a connector's threads that streams may hold.
THREADS_SHARE = 0.25
#: Milliseconds after which a browser reconnects when its stream has ended.
RETRY_MS = 2000


class ClusterEventsServlet(ContainerServlet):
    """Answers GET with a stream of events, ``live``, each the moving part of the page as HTML."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, context = environ["REQUEST_METHOD"], self.wrapper.context
        if method != "GET":
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            cluster = asked_cluster(context, Asked(environ, "manager/cluster"))
        except Refused as refused:
            return send_error(environ, start_response, 400, str(refused))
        if cluster is None or context.server is None:
            return send_error(environ, start_response, 404, "This node is in no cluster")
        try:
            stream = _Stream(ClusterWatch.of(cluster), context, context.server)
        except TooManyWatchers:
            return send_error(environ, start_response, 503, "Too many pages of this cluster are open already")
        headers = [
            ("Content-Type", "text/event-stream;charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("X-Accel-Buffering", "no"),  # nginx passes it on at once
        ]
        try:
            start_response("200 OK", headers)
        except BaseException:  # the container does not know of the stream yet
            stream.close()
            raise
        return stream


class _Stream:
    """One watcher, from its making to :meth:`close`. Its thread waits outside the event loop.

    The stream ends when the node is drained or the application stops, so that neither waits for watchers; the browser
    then reconnects.
    """

    def __init__(self, watch: ClusterWatch, context: StandardContext, server: StandardServer) -> None:
        connectors = [connector for service in server.services for connector in service.connectors]
        threads = min((connector.thread_limit for connector in connectors), default=0)
        watch.enter(max(1, int(threads * THREADS_SHARE)))
        self._watch: ClusterWatch | None = watch
        self._context = context
        self._server = server
        self._frames = watch.frames(self._ends)

    def __iter__(self) -> Iterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while True:
            with self._server.reactor.blocking():
                frame = next(self._frames, None)
            if frame is None:
                return
            yield frame

    def _ends(self) -> bool:
        return not self._context.state.available or self._server.draining

    def close(self) -> None:
        """It watches no more."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.leave()
