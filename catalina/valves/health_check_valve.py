"""Answers health checks (Tomcat: valves/HealthCheckValve.java)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.valves.valve_base import ValveBase, ValveContainer

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["HealthCheckValve"]

SERVICE_UNAVAILABLE = 503


def _body(status: str, checks: str = "[]") -> bytes:
    return f'{{\n  "status": "{status}",\n  "checks": {checks}\n}}'.encode()


UP = _body("UP")


class HealthCheckValve(ValveBase):
    """Answers 200 while the container and everything below it run, otherwise (also while the node drains) 503, in the
    form of MicroProfile Health.

    Beyond Tomcat, the answer is 503 while the manager of an application waits for the sessions of the group. Its
    ``checks`` then have the number that have come, and the number in all (0 while it is unknown).

    In a Context the path is inside the application; elsewhere it is the whole path.
    """

    path = Attribute(str, "/health", doc="Path that is answered.")
    check_containers_available = Attribute(
        bool, True, doc="Look at the container and those below; false is always 200."
    )

    def invoke(self, request: Request, response: Response) -> None:
        """Answer for the path; pass on everything else."""
        path = request.decoded_uri
        container = self.container
        if container is not None and container.is_context:
            path = request.servlet_path + (request.path_info or "")
        if path != self.path:
            self.next.invoke(request, response)
            return
        response.content_type = "application/json"
        draining = request.connector.draining
        waiting: list[dict[str, Any]] = []
        available = True
        if self.check_containers_available:
            available = container is not None and _is_available(container)
            waiting = [] if container is None else list(_waiting(container))
        if available and not waiting and not draining:
            response.write(UP)
        else:
            response.status = SERVICE_UNAVAILABLE
            response.write(_body("DOWN", json.dumps(waiting)))


def _is_available(container: ValveContainer) -> bool:
    return container.state.available and all(_is_available(child) for child in container.children)


def _waiting(container: ValveContainer) -> Iterator[dict[str, Any]]:
    """A check for each application whose manager waits for the sessions of the group."""
    progress = getattr(getattr(container, "manager", None), "state_progress", None)
    if progress is not None:
        received, expected = progress
        data = {"received": received, "expected": expected}
        yield {"name": f"sessions of {container.name or '/'}", "status": "DOWN", "data": data}
    for child in container.children:
        yield from _waiting(child)
