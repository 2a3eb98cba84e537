"""``/manager/cluster/events``: the live updates of the page of the group (server-sent events)."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.cluster.watch import MAX_WATCHERS, ClusterWatch, TooManyWatchers
from catalina.manager.cluster_manager_servlet import asked_cluster
from catalina.manager.event_stream import EventStream, begun, most_streams
from catalina.webapp import send_error

__all__ = ["ClusterEventsServlet"]


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
        watch, server = ClusterWatch.of(cluster), context.server
        try:
            watch.enter(most_streams(server, MAX_WATCHERS))
        except TooManyWatchers:
            return send_error(environ, start_response, 503, "Too many pages of this cluster are open already")
        return begun(EventStream(context, server, watch.leave, watch.frames), start_response)
