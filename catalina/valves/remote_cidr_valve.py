"""Filters requests by the client's network (Tomcat: valves/RemoteCIDRValve.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.util.net_mask import NetMask, address_in, net_masks, parse_address
from catalina.valves.request_filter_valve import RequestFilterValve

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["RemoteCIDRValve"]


class RemoteCIDRValve(RequestFilterValve):
    """The client's address must be in one of the networks; with addConnectorPort a network may end in ``;port``."""

    allow: Attribute[tuple[NetMask, ...]] = Attribute(  # type: ignore[assignment] # networks in place of a pattern
        net_masks, (), doc="Networks or addresses, comma separated, that may pass; set alone, all others may not."
    )
    deny: Attribute[tuple[NetMask, ...]] = Attribute(  # type: ignore[assignment] # networks in place of a pattern
        net_masks, (), doc="Networks or addresses, comma separated, that may not pass; wins over allow."
    )

    def property_of(self, request: Request) -> str:
        """The address, with ``;port`` if addConnectorPort is set."""
        return self.with_port(request, self.address_of(request))

    def is_allowed(self, value: str) -> bool:
        """True when a client with that address may pass; a client without an address may not."""
        text, _, port_text = value.partition(";")
        port = int(port_text) if port_text.isdecimal() else None
        if self.add_connector_port and port is None:
            self.logger.error("Request does not contain a valid server port. Request denied.")
            return False
        try:
            address = parse_address(text)
        except ValueError:
            self.logger.error("Client does not have an IP address. Request denied.")
            return False
        return address_in(address, self.allow, self.deny, port)
