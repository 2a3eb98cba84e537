"""Filters requests by the client's network (Tomcat: filters/RemoteCIDRFilter.java)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute
from catalina.filters.filter_base import Environ, FilterBase, StartResponse
from catalina.util.net_mask import NetMask, address_in, net_masks, parse_address
from catalina.webapp import send_error

__all__ = ["RemoteCIDRFilter"]


class RemoteCIDRFilter(FilterBase):
    """The client's address must be in one of the networks."""

    config_problem_fatal: ClassVar[bool] = True

    allow: Attribute[tuple[NetMask, ...]] = Attribute(
        net_masks, (), doc="Networks or addresses, comma separated, that may pass; set alone, all others may not."
    )
    deny: Attribute[tuple[NetMask, ...]] = Attribute(
        net_masks, (), doc="Networks or addresses, comma separated, that may not pass; wins over allow."
    )

    def is_allowed(self, text: str) -> bool:
        """True when a client with that address may pass; a client without an address may not."""
        try:
            address = parse_address(text)
        except ValueError:
            self.logger.error("Client does not have an IP address. Request denied.")
            return False
        return address_in(address, self.allow, self.deny)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.is_allowed(environ.get("REMOTE_ADDR", "")):
            return self.next(environ, start_response)
        return send_error(environ, start_response, 403)
