"""Filters requests by a property of the client (Tomcat: valves/RequestFilterValve.java)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused
from catalina.errors import LifecycleError
from catalina.java_pattern import pattern
from catalina.operations import Impact, operation
from catalina.util.net_mask import may_pass
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["RequestFilterValve"]


class RequestFilterValve(ValveBase):
    """Checks ``deny`` first, then ``allow``; without ``allow`` everything passes that is not denied.

    A value that is no pattern stops the start, because a valve that guards access must not be left out.
    """

    allow: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of clients that may pass; set alone, it refuses all others."
    )
    deny: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of clients that may not pass; wins over allow."
    )
    deny_status = Attribute(int, 403, doc="Status for refused requests.")
    add_connector_port = Attribute(
        bool, False, doc='Match against "address;port" with the connector\'s port instead of the bare address.'
    )
    invalid_authentication_when_deny = Attribute(
        bool,
        False,
        doc="Instead of refusing, put a wrong Authorization header on the request, so that the application's login is "
        "triggered (needs preemptiveAuthentication).",
    )
    use_peer_address = Attribute(
        bool, False, doc="Match the TCP peer instead of the client address that a proxy reported."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._refused: list[str] = []

    @property
    def logger(self) -> logging.Logger:
        """The logger of the concrete class."""
        return logging.getLogger(f"org.apache.{type(self).__module__.rpartition('.')[0]}.{type(self).__name__}")

    def set_attribute(self, name: str, text: str) -> bool:
        """As for every component; a refused ``allow`` or ``deny`` also keeps the valve from starting."""
        try:
            return super().set_attribute(name, text)
        except AttributeRefused:
            if name in ("allow", "deny"):
                self._refused.append(f"{name}={text!r}")
            raise

    def _init(self) -> None:
        if self._refused:
            raise LifecycleError(
                f"{self.place or self}: One or more invalid configuration settings were provided for the"
                f" {type(self).__name__} which prevented the Valve and its parent containers from starting:"
                f" {', '.join(self._refused)}"
            )

    def property_of(self, request: Request) -> str:
        """The property of the client that is matched."""
        raise NotImplementedError(f"{type(self).__name__} does not override property_of()")

    @operation(impact=Impact.INFO, value="an address, or what the valve compares")
    def is_allowed(self, value: str) -> bool:
        """True when a client with that property may pass."""
        return may_pass(value, self.allow, self.deny)

    def invoke(self, request: Request, response: Response) -> None:
        """Match the property, and pass the request on or refuse it."""
        value = self.property_of(request)
        if self.is_allowed(value):
            self.next.invoke(request, response)
            return
        self.logger.debug("Denied request for [%s] based on property [%s]", request.request_uri, value)
        self._deny(request, response)

    def _deny(self, request: Request, response: Response) -> None:
        context = request.context
        if self.invalid_authentication_when_deny and context is not None and context.preemptive_authentication:
            if request.headers.get("authorization") is None:
                request.headers.add("Authorization", "invalid")
            self.next.invoke(request, response)
        else:
            response.send_error(self.deny_status)

    def with_port(self, request: Request, value: str) -> str:
        """Add the connector's port if the attribute asks for it."""
        return f"{value};{request.connector.port_with_offset}" if self.add_connector_port else value

    def address_of(self, request: Request) -> str:
        """The client's address, or that of the TCP peer."""
        return (request.peer_addr or request.remote_addr) if self.use_peer_address else request.remote_addr
