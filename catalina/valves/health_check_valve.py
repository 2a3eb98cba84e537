"""Answer health checks (Tomcat: valves/HealthCheckValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.container_base import ContainerBase

__all__ = ["HealthCheckValve"]

SERVICE_UNAVAILABLE = 503


def _body(status: str) -> bytes:
    return f'{{\n  "status": "{status}",\n  "checks": []\n}}'.encode()


UP, DOWN = _body("UP"), _body("DOWN")


class HealthCheckValve(ValveBase):
    """200 while the container and all below it run, else 503, also while the node drains; MicroProfile Health's form.

    In a Context the path is inside the application, elsewhere it is the whole path.
    """

    path = Attribute(str, "/health", doc="Path that is answered.")
    check_containers_available = Attribute(
        bool, True, doc="Look at the container and those below; false is always 200."
    )

    def invoke(self, request: Request, response: Response) -> None:
        """Answer for the path, pass on everything else."""
        path = request.decoded_uri
        container = self.container
        if container is not None and hasattr(container, "constraints"):  # a Context
            path = request.servlet_path + (request.path_info or "")
        if path != self.path:
            self.next.invoke(request, response)
            return
        response.content_type = "application/json"
        draining = request.connector is not None and request.connector.draining
        available = not self.check_containers_available or (container is not None and _is_available(container))
        if available and not draining:
            response.write(UP)
        else:
            response.status = SERVICE_UNAVAILABLE
            response.write(DOWN)


def _is_available(container: ContainerBase) -> bool:
    return container.state.available and all(_is_available(child) for child in container.children)
