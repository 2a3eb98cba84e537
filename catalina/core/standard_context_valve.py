"""Last valve of an application: passes requests on to the servlet (Tomcat: core/StandardContextValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.valves.valve_base import ValveBase
from catalina.webresources.unserved_names import is_protected

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["StandardContextValve"]

FIRST_LETTERS = frozenset("MmWw")


class StandardContextValve(ValveBase):
    """Refuses paths below WEB-INF and META-INF, then hands the request to the servlet that the mapper found."""

    def invoke(self, request: Request, response: Response) -> None:
        path = request.servlet_path or request.path_info or ""
        # In the common case only the first letter is compared.
        if path[1:2] in FIRST_LETTERS and is_protected(path + (request.path_info or "")):
            response.send_error(404)
            return
        wrapper = request.wrapper
        if wrapper is None:
            response.send_error(404)
            return
        if request.expects_continue and request.connector.acknowledges_when_mapped:
            request.acknowledge()
        wrapper.pipeline.first.invoke(request, response)
