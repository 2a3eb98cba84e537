"""A valve of our node that shows the container's own view of a request to the application of the differential test."""

from __future__ import annotations

from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.valves.valve_base import ValveBase


class ProbeValve(ValveBase):
    """Leaves the request in its own environ as ``probe``."""

    def invoke(self, request: Request, response: Response) -> None:
        request.attributes["probe"] = request
        self.next.invoke(request, response)
