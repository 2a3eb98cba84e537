"""The connections that the clients of a connector get: by its protocol, TLS, and what the client chooses."""

from __future__ import annotations

import socket
from typing import Protocol

from catalina.connector.ajp_connection import AjpConnection
from catalina.connector.ajp_request import AjpRequestRules
from catalina.connector.connection import Connection, ConnectionFactory, ConnectionHost
from catalina.connector.connection_facts import AjpConnector, ConnectionFacts, HttpConnector
from catalina.connector.handover import Handover
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.stream import Stream
from catalina.connector.tls_contexts import TlsContexts
from catalina.connector.tls_handshake import TlsHandshake
from catalina.connector.tls_stream import TlsStream

try:
    from catalina.connector.h2c_connection import H2cConnection
    from catalina.connector.http2_connection import Http2Connection
except ModuleNotFoundError as missing:  # the connector has logged it, and then has no HTTP/2
    if missing.name != "hpack":
        raise


__all__ = ["connection_factory"]


class StartingConnector(HttpConnector, AjpConnector, Protocol):
    """A connector of either protocol."""

    @property
    def is_ajp(self) -> bool: ...

    @property
    def tls(self) -> TlsContexts | None: ...


def connection_factory(connector: StartingConnector) -> ConnectionFactory:
    """Read the attributes of a connector that starts."""
    if connector.is_ajp:
        return AjpConnections(connector)
    rules = Http11Rules(connector)
    if connector.tls is not None:
        return TlsConnections(rules, connector.tls)
    return HttpConnections(rules)


class AjpConnections:
    """Web servers that speak AJP."""

    #: None: the bytes read so far are packets of an exchange that has begun.
    resume = None

    def __init__(self, connector: AjpConnector) -> None:
        self._connector = connector
        self._rules = AjpRequestRules(connector.ajp)

    def connect(self, host: ConnectionHost, sock: socket.socket, peer: tuple[str, int]) -> Connection:
        """A connection that waits for the first request."""
        return AjpConnection(host, Stream(host, sock, peer), self._connector, self._rules)

    def flush_messages(self) -> None:
        """Log the messages that were held back because they repeated."""
        self._rules.messages.flush()


class HttpConnections:
    """Plain HTTP/1.1, and HTTP/2 where that is configured."""

    def __init__(self, rules: Http11Rules) -> None:
        self._rules = rules
        self._settings = rules.connector.http2

    def connect(self, host: ConnectionHost, sock: socket.socket, peer: tuple[str, int]) -> Connection:
        """A connection that waits for the first request."""
        return self._connect(host, sock, peer)

    def resume(self, host: ConnectionHost, handover: Handover) -> Connection:
        """A connection that continues in the middle."""
        return self._connect(host, handover.sock, handover.peer, handover.served, handover.data)

    def _connect(
        self, host: ConnectionHost, sock: socket.socket, peer: tuple[str, int], served: int = 0, data: bytes = b""
    ) -> Connection:
        rules, settings = self._rules, self._settings
        stream = Stream(host, sock, peer, rules.uses_sendfile)
        if settings is None:
            return Http11Connection(host, stream, rules, served, data)

        def http2(facts: ConnectionFacts, rest: bytes) -> Http2Connection:
            return Http2Connection(host, stream, rules, settings, facts, rest)

        return H2cConnection(host, stream, rules, served, data, http2)

    def flush_messages(self) -> None:
        """Log the messages that were held back because they repeated."""
        self._rules.messages.flush()


class TlsConnections:
    """HTTP/1.1 and HTTP/2 inside TLS."""

    #: None: the keys of a connection are in another process.
    resume = None

    def __init__(self, rules: Http11Rules, contexts: TlsContexts) -> None:
        self._rules = rules
        self._contexts = contexts
        self._settings = rules.connector.http2

    def connect(self, host: ConnectionHost, sock: socket.socket, peer: tuple[str, int]) -> Connection:
        """A connection that waits for the handshake."""
        stream = TlsStream(host, sock, peer, self._contexts)
        rules, settings = self._rules, self._settings

        def successor(protocol: str | None) -> Connection:
            if protocol == "h2" and settings is not None:
                facts = ConnectionFacts.of(rules.connector, stream.sock, stream.peer)
                return Http2Connection(host, stream, rules, settings, facts)
            return Http11Connection(host, stream, rules)

        return TlsHandshake(host, stream, self._contexts, successor)

    def flush_messages(self) -> None:
        """Log the messages that were held back because they repeated."""
        self._rules.messages.flush()
