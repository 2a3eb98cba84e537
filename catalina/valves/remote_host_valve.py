"""Filters requests by the client's host name (Tomcat: valves/RemoteHostValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.valves.request_filter_valve import RequestFilterValve

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["RemoteHostValve"]


class RemoteHostValve(RequestFilterValve):
    """The client's name must match; without enableLookups of the connector the name is the address."""

    def property_of(self, request: Request) -> str:
        """The name, with ``;port`` if addConnectorPort is set."""
        return self.with_port(request, request.remote_host)
