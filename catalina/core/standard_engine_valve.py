"""Last valve of the engine: passes requests on to the host (Tomcat: core/StandardEngineValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["StandardEngineValve"]


class StandardEngineValve(ValveBase):
    """Hands the request to the pipeline of the host that the mapper found."""

    def invoke(self, request: Request, response: Response) -> None:
        host = request.host
        if host is None:
            # There is no Host for the name and no default host. HTTP/0.9, 1.0 and unknown names end here.
            if not response.is_error:
                response.send_error(404)
            return
        host.pipeline.first.invoke(request, response)
