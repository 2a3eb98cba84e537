"""``/metrics``, for Prometheus. The application decides who may read it (webapps/metrics, webapps/manager)."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Environ, StartResponse
from catalina.manager.metrics import CONTENT_TYPE, exposition
from catalina.webapp import send_error

__all__ = ["MetricsServlet"]


class MetricsServlet(ContainerServlet):
    """Answers GET with the metrics of the whole server."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        if environ["PATH_INFO"].strip("/") and environ.get("catalina.mount") is not None:
            return send_error(environ, start_response, 404)
        server = self.wrapper.context.server
        if server is None:
            return send_error(environ, start_response, 503)
        body = exposition(server.mbeans).encode()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return [body]
