"""The facts that all requests of a connection have in common."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.connector.carried import RequestConnector
    from catalina.connector.connector import Connector

__all__ = ["ConnectionFacts"]


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
    def of(cls, connector: Connector, sock: socket.socket, peer: tuple[str, int]) -> ConnectionFacts:
        """The facts of an accepted connection; ``peer`` is the client that the application shall see."""
        local = sock.getsockname()
        address, port = ("", -1) if isinstance(local, (str, bytes)) else (local[0].removeprefix("::ffff:"), local[1])
        scheme = "https" if connector.is_tls else connector.scheme
        return cls(connector, *peer, address, address, port, scheme, connector.secure or connector.is_tls)
