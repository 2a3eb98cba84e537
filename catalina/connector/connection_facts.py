"""The facts that all requests of a connection have in common, and the connector as the code that tells them sees it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from catalina.connector.carried import RequestConnector

if TYPE_CHECKING:
    from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol
    from catalina.coyote.http2.http2_protocol import Http2Protocol
    from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol

__all__ = ["AjpConnector", "ConnectionFacts", "ConnectionsConnector", "HttpConnector"]


class ConnectionsConnector(RequestConnector, Protocol):
    """The connector, as far as it says how its connections look from outside."""

    @property
    def is_tls(self) -> bool: ...

    @property
    def scheme(self) -> str: ...

    @property
    def secure(self) -> bool: ...

    @property
    def proxy_name(self) -> str | None: ...

    @property
    def proxy_port(self) -> int: ...


class HttpConnector(ConnectionsConnector, Protocol):
    """A connector that speaks HTTP."""

    @property
    def http(self) -> Http11NioProtocol: ...

    @property
    def http2(self) -> Http2Protocol | None: ...

    @property
    def xpowered_by(self) -> bool: ...


class AjpConnector(ConnectionsConnector, Protocol):
    """A connector that speaks AJP."""

    @property
    def ajp(self) -> AjpNioProtocol: ...


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Both ends of a connection, and the connector that has accepted it; a request begins with these values.

    Args:
        connector: the connector that accepted the connection.
        remote_addr, remote_port: the client.
        local_addr, local_name, local_port: this end.
        scheme, secure: the connector's settings for its requests.
    """

    connector: RequestConnector
    remote_addr: str = ""
    remote_port: int = 0
    local_addr: str = ""
    local_name: str = ""
    local_port: int = 0
    scheme: str = "http"
    secure: bool = False

    @classmethod
    def of(cls, connector: ConnectionsConnector, sock: socket.socket, peer: tuple[str, int]) -> ConnectionFacts:
        """The facts of an accepted connection; ``peer`` is the client that the application shall see."""
        local = sock.getsockname()
        address, port = ("", -1) if isinstance(local, (str, bytes)) else (local[0].removeprefix("::ffff:"), local[1])
        scheme = "https" if connector.is_tls else connector.scheme
        return cls(connector, *peer, address, address, port, scheme, connector.secure or connector.is_tls)
