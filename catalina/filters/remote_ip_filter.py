"""Takes the client's address, scheme, host and port from trusted proxies (Tomcat: filters/RemoteIpFilter.java).

RemoteIpValve does the same for the whole container, including its access log; this filter's changes are seen by the
filters and the servlet after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from catalina.attributes import Attribute
from catalina.coyote.http_error import HttpError
from catalina.filters.filter_base import Environ, FilterBase, StartResponse
from catalina.java_pattern import pattern
from catalina.util.forwarded import (
    INTERNAL_PROXIES,
    Client,
    canonical_name,
    follow_chain,
    forwarded_host,
    host_field,
    is_https,
)

__all__ = ["RemoteIpFilter"]

ACCESS_LOG = "org.apache.catalina.AccessLog."


def _key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


class RemoteIpFilter(FilterBase):
    """Puts the facts from the proxies into the environ."""

    config_problem_fatal: ClassVar[bool] = True

    remote_ip_header = Attribute(str, "X-Forwarded-For", doc="Header with the chain of clients and proxies.")
    internal_proxies: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, INTERNAL_PROXIES, doc="Regular expression of own proxies; they vanish from the chain."
    )
    trusted_proxies: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of trusted proxies; they are kept in proxiesHeader."
    )
    proxies_header = Attribute(str, "X-Forwarded-By", doc="Header written with the trusted proxies passed.")
    request_attributes_enabled = Attribute(bool, True, doc="Publish it under org.apache.catalina.AccessLog.*")
    protocol_header = Attribute(str, "X-Forwarded-Proto", doc="Header with http or https; empty believes none.")
    protocol_header_https_value = Attribute(str, "https", doc="Value of it that means https.")
    host_header = Attribute(str, "", doc="Header with the host name; not given believes none.")
    port_header = Attribute(str, "", doc="Header with the port; not given believes none.")
    http_server_port = Attribute(int, 80, doc="Port of the server for http when no port is believed.")
    https_server_port = Attribute(int, 443, doc="Port of the server for https when no port is believed.")
    change_local_name = Attribute(bool, False, inert="WSGI does not know a local name")
    change_local_port = Attribute(bool, False, inert="WSGI does not know a local port")
    enable_lookups = Attribute(bool, False, doc="Look the client's name up (DNS, may wait).")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        chain = environ.get(_key(self.remote_ip_header))
        peer = environ.get("REMOTE_ADDR", "")
        client = follow_chain(peer, [chain] if chain else [], self.internal_proxies, self.trusted_proxies)
        if client is not None:
            environ = dict(environ)
            self._believe_address(environ, client)
            self._believe_protocol(environ)
            self._believe_host(environ)
            self._tell_host(environ)
            environ["org.apache.tomcat.request.forwarded"] = True
            if self.request_attributes_enabled:  # the valve tells them of every request, as in Tomcat
                _publish(environ)
        return self.next(environ, start_response)

    def _believe_address(self, environ: Environ, client: Client) -> None:
        if client.address is None:
            return
        environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = client.address
        if self.enable_lookups:
            environ["REMOTE_HOST"] = canonical_name(client.address)
        for name, values in ((self.proxies_header, client.proxies), (self.remote_ip_header, client.unread)):
            if values:
                environ[_key(name)] = ",".join(values)
            else:
                environ.pop(_key(name), None)

    def _believe_protocol(self, environ: Environ) -> None:
        value = environ.get(_key(self.protocol_header)) if self.protocol_header else None
        if not value:
            return
        secure = is_https([value], self.protocol_header_https_value)
        environ["wsgi.url_scheme"] = "https" if secure else "http"
        environ["org.apache.catalina.filters.RemoteIpFilter.secure"] = secure
        port = environ.get(_key(self.port_header), "").strip() if self.port_header else ""
        default = self.https_server_port if secure else self.http_server_port
        environ["SERVER_PORT"] = port if port.isdecimal() else str(default)

    def _tell_host(self, environ: Environ) -> None:
        believed = any(name and environ.get(_key(name)) for name in (self.host_header, self.port_header))
        port = environ.get("SERVER_PORT", "")
        if port.isdecimal():
            host = host_field(environ["wsgi.url_scheme"], environ.get("SERVER_NAME", ""), int(port), believed)
            if host is not None:
                environ["HTTP_HOST"] = host

    def _believe_host(self, environ: Environ) -> None:
        value = environ.get(_key(self.host_header)) if self.host_header else None
        if not value:
            return
        try:
            environ["SERVER_NAME"] = forwarded_host(value)
        except HttpError:
            self.logger.debug("Invalid value [%s] found for Host in HTTP header [%s]", value, self.host_header)


def _publish(environ: Environ) -> None:
    environ[ACCESS_LOG + "RemoteAddr"] = environ["org.apache.tomcat.remoteAddr"] = environ.get("REMOTE_ADDR", "")
    environ[ACCESS_LOG + "RemoteHost"] = environ.get("REMOTE_HOST") or environ.get("REMOTE_ADDR", "")
    environ[ACCESS_LOG + "Protocol"] = environ.get("SERVER_PROTOCOL", "")
    environ[ACCESS_LOG + "ServerName"] = environ.get("SERVER_NAME", "")
    environ[ACCESS_LOG + "ServerPort"] = environ.get("SERVER_PORT", "")
