"""Takes the client's address, scheme, host and port from trusted proxies (Tomcat: valves/RemoteIpValve.java)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.coyote.http_error import HttpError
from catalina.java_pattern import pattern
from catalina.util.forwarded import (
    INTERNAL_PROXIES,
    REQUEST_FORWARDED_ATTRIBUTE,
    Client,
    canonical_name,
    follow_chain,
    forwarded_host,
    host_field,
    is_https,
)
from catalina.valves.access_log_elements import (
    PROTOCOL_ATTRIBUTE,
    REMOTE_ADDR_ATTRIBUTE,
    REMOTE_HOST_ATTRIBUTE,
    SERVER_NAME_ATTRIBUTE,
    SERVER_PORT_ATTRIBUTE,
)
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["RemoteIpValve"]

log = logging.getLogger("org.apache.catalina.valves.RemoteIpValve")

#: The access log's attribute, under the name that applications know.
REMOTE_ADDR_FOR_APPLICATIONS = "org.apache.tomcat.remoteAddr"


class RemoteIpValve(ValveBase):
    """Replaces the facts of the connection by those of the proxies, for everything behind this valve; restores them at
    the end.
    """

    remote_ip_header = Attribute(str, "X-Forwarded-For", doc="Header with the chain of clients and proxies.")
    internal_proxies: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, INTERNAL_PROXIES, doc="Regular expression of own proxies; they vanish from the chain."
    )
    trusted_proxies: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of trusted proxies; they are kept in proxiesHeader."
    )
    proxies_header = Attribute(str, "X-Forwarded-By", doc="Header written with the trusted proxies passed.")
    request_attributes_enabled = Attribute(
        bool, True, doc="Publish what is believed in request attributes, for access logs."
    )
    protocol_header = Attribute(str, "X-Forwarded-Proto", doc="Header with http or https; empty believes none.")
    protocol_header_https_value = Attribute(str, "https", doc="Value of it that means https.")
    host_header = Attribute(str, "", doc="Header with the host name; not given believes none.")
    port_header = Attribute(str, "", doc="Header with the port; not given believes none.")
    http_server_port = Attribute(int, 80, doc="Port of the server for http when no port is believed.")
    https_server_port = Attribute(int, 443, doc="Port of the server for https when no port is believed.")
    change_local_name = Attribute(bool, False, doc="Change the local name with the host name.")
    change_local_port = Attribute(bool, False, doc="Change the local port with the server's port.")

    def invoke(self, request: Request, response: Response) -> None:
        """Replace the facts of the connection by those of the proxies."""
        headers = request.headers
        client = follow_chain(
            request.remote_addr, headers.get_all(self.remote_ip_header), self.internal_proxies, self.trusted_proxies
        )
        before = _Before(request)
        if client is not None:
            request.peer_addr = request.peer_addr or request.remote_addr
            self._believe_address(request, client)
            self._believe_protocol(request)
            self._believe_host(request)
            self._tell_host(request)
            request.attributes[REQUEST_FORWARDED_ATTRIBUTE] = True
        if self.request_attributes_enabled:
            _publish(request)
        try:
            self.next.invoke(request, response)
        finally:
            before.restore(request)

    def _believe_address(self, request: Request, client: Client) -> None:
        if client.address is None:
            return
        request.remote_addr = client.address
        if request.connector.enable_lookups:
            request.remote_host = canonical_name(client.address)
        else:
            request.remote_host = client.address
        for name, values in ((self.proxies_header, client.proxies), (self.remote_ip_header, client.unread)):
            if values:
                request.headers.set(name, ",".join(values))
            elif name in request.headers:
                request.headers.remove(name)

    def _believe_protocol(self, request: Request) -> None:
        values = request.headers.get_all(self.protocol_header) if self.protocol_header else []
        if not values:
            return
        request.secure = is_https(values, self.protocol_header_https_value)
        request.scheme = "https" if request.secure else "http"
        self._set_port(request, self.https_server_port if request.secure else self.http_server_port)

    def _set_port(self, request: Request, port: int) -> None:
        text = request.headers.get(self.port_header) if self.port_header else None
        if text is not None:
            if text.strip().isdecimal():
                port = int(text)
            else:
                log.debug("Invalid value [%s] found for port in HTTP header [%s]", text, self.port_header)
        request.server_port = port
        if self.change_local_port:
            request.local_port = port

    def _believe_host(self, request: Request) -> None:
        text = request.headers.get(self.host_header) if self.host_header else None
        if not text:
            return
        try:
            name = forwarded_host(text)
        except HttpError:
            log.debug("Invalid value [%s] found for Host in HTTP header [%s]", text, self.host_header)
            return
        request.server_name = name
        if self.change_local_name:
            request.local_name = name

    def _tell_host(self, request: Request) -> None:
        believed = any(name and name in request.headers for name in (self.host_header, self.port_header))
        host = host_field(request.scheme, request.server_name, request.server_port, believed)
        if host is not None and host != request.headers.get("Host"):
            request.headers.set("Host", host)


class _Before:
    """The request as the connection made it."""

    __slots__ = ("headers", "values")

    NAMES = (
        "remote_addr", "remote_host", "scheme", "secure", "server_name", "server_port", "local_name", "local_port",
    )  # fmt: skip

    def __init__(self, request: Request) -> None:
        self.values = [getattr(request, name) for name in self.NAMES]
        self.headers = request.headers.raw

    def restore(self, request: Request) -> None:
        for name, value in zip(self.NAMES, self.values, strict=True):
            setattr(request, name, value)
        request.headers = type(request.headers)(self.headers)


def _publish(request: Request) -> None:
    attributes = request.attributes
    attributes[REMOTE_ADDR_ATTRIBUTE] = request.remote_addr
    attributes[REMOTE_ADDR_FOR_APPLICATIONS] = request.remote_addr
    attributes[REMOTE_HOST_ATTRIBUTE] = request.remote_host
    attributes[PROTOCOL_ATTRIBUTE] = request.protocol
    attributes[SERVER_NAME_ATTRIBUTE] = request.server_name
    attributes[SERVER_PORT_ATTRIBUTE] = request.server_port
