"""Filters requests by the client's address, with regular expressions (Tomcat: valves/RemoteAddrValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.valves.request_filter_valve import RequestFilterValve

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["RemoteAddrValve"]


class RemoteAddrValve(RequestFilterValve):
    """The client's address must match; RemoteCIDRValve does the same without regular expressions."""

    def property_of(self, request: Request) -> str:
        """The address, with ``;port`` if addConnectorPort is set."""
        return self.with_port(request, self.address_of(request))
