"""The connections that the clients of a connector get: by its protocol, TLS, and what the client chooses.

- Without TLS, on a port that understands HTTP/2, a client may begin with it, or change to it (:class:`H2cConnection`):
  RFC 9113 section 3.3 (prior knowledge) and RFC 7540 section 3.2 (``Upgrade: h2c``; Tomcat: Http11Processor.java,
  Http2Protocol.accept). A client that asks for the change in another form than the RFC's is answered by HTTP/1.1.
- With TLS the handshake comes first (:class:`TlsHandshake`), in the loop; after it HTTP/1.1, or the client's choice
  (ALPN).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import select
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from catalina.connector.ajp_connection import AjpConnection
from catalina.connector.ajp_request import AjpRequestRules
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import Connection, ConnectionFactory, ConnectionHost
from catalina.connector.connection_facts import AjpConnector, ConnectionFacts, HttpConnector
from catalina.connector.handover import Handover
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.connector.stream import Stream
from catalina.connector.tls_contexts import TlsContexts
from catalina.connector.tls_stream import TlsStream
from catalina.coyote.http2.http2_parser import PREFACE
from catalina.reactor import READ, WRITE
from catalina.tomcat.util.net.tls_client_hello_extractor import TLSClientHelloExtractor

try:
    from catalina.connector.http2_connection import Http2Connection
except ModuleNotFoundError as missing:  # the connector has logged it, and then has no HTTP/2
    if missing.name != "hpack":
        raise


__all__ = ["H2cConnection", "TlsHandshake", "connection_factory"]
log = logging.getLogger("org.apache.coyote.http2.Http2UpgradeHandler")

SWITCHING = b"HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
tls_log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: The answer to a client that speaks plain HTTP here.
PLAIN_HTTP = (
    b"HTTP/1.1 400 \r\nContent-Type: text/plain;charset=UTF-8\r\nConnection: close\r\n\r\n"
    b"Bad Request\r\nThis combination of host and port requires TLS.\r\n"
)
#: The loop reports bytes only once that are not taken: they stay in the kernel until the configuration is chosen.
EDGE = select.EPOLLET


class TlsHandshake(Connection):
    """A connection before its protocol is known.

    Args:
        contexts: the TLS contexts of the connector.
        successor: makes the connection that continues after the handshake, for the chosen protocol.
    """

    __slots__ = ("_hello", "_seen_hello", "_successor", "_tls")

    def __init__(
        self,
        host: ConnectionHost,
        stream: TlsStream,
        contexts: TlsContexts,
        successor: Callable[[str | None], Connection],
    ) -> None:
        super().__init__(host, stream)
        self._tls = stream
        self._successor = successor
        #: Looks for the host name, until the configuration is chosen.
        self._hello = TLSClientHelloExtractor(contexts.parse_limit) if contexts.needs_name else None
        self._seen_hello = 0  # bytes
        if self._hello is None:
            stream.wrap()

    @property
    def is_new(self) -> bool:
        """True: a request may follow."""
        return True

    def start(self) -> None:
        """Wait for the ClientHello."""
        super().start()
        if self._hello is not None:
            self.stream.attach(READ | EDGE)

    def on_input(self) -> None:
        """The ClientHello, or another step of the handshake."""
        if self._hello is None or self._choose(self._hello):
            self._shake_hands()

    def on_output_sent(self) -> None:
        """The client takes the next step."""
        self._shake_hands()

    def _choose(self, hello: TLSClientHelloExtractor) -> bool:
        """Choose the configuration by the ClientHello, which stays in the kernel for the handshake; returns False if
        more must come.

        The kernel wakes us when there are enough bytes to continue, so a hello in thousands of pieces costs no more
        than one in a few. A call without further bytes means that the client has ended.
        """
        plain = self.stream.sock
        try:
            data = plain.recv(hello.limit, socket.MSG_PEEK)
            if len(data) > self._seen_hello and not hello.look(data):
                self._seen_hello = len(data)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, hello.needed)
                return False
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._hello = None
            self._tls.wrap(hello.server_name)
        except BlockingIOError:
            return False
        except (OSError, ValueError) as exc:  # the client has already gone
            tls_log.debug("%r: no handshake: %s", self, exc)
            self.close()
            return False
        return True

    def _shake_hands(self) -> None:
        try:
            self._tls.ssl_socket.do_handshake()
        except ssl.SSLWantReadError:
            self.stream.attach(READ)
        except ssl.SSLWantWriteError:
            self.stream.attach(WRITE)
        except ssl.SSLError as exc:
            if exc.reason == "HTTP_REQUEST":
                self._answer_plain_http()
            tls_log.debug("%r: Handshake failed: %s", self, exc)
            self.close()
        except (OSError, ValueError) as exc:  # ValueError: Python's wrapping of an alert during SNI
            tls_log.debug("%r: Handshake failed: %s", self, exc)
            self.close()
        else:
            self._go_on()

    def _answer_plain_http(self) -> None:
        """Answer a client that forgot the s of https, as Tomcat does; outside TLS, which never began."""
        sock = self.stream.sock
        with contextlib.suppress(OSError):
            socket.socket.recv(sock, 64 * 1024)  # unread input would reset the connection before the answer
            socket.socket.send(sock, PLAIN_HTTP)

    def _go_on(self) -> None:
        """Begin the protocol; its first request may have come with the end of the handshake."""
        self._tls.establish()
        successor = self._successor(self._tls.ssl_socket.selected_alpn_protocol())
        self.change_to(successor)
        successor.start()
        if not self.stream.closed:
            successor.on_input()


class H2cConnection(Http11Connection):
    """HTTP/1.1 until the client speaks HTTP/2.

    Args:
        http2: makes the connection that continues with the stream, from the common facts of its requests and the bytes
            read.
    """

    __slots__ = ("_http2",)

    def __init__(
        self,
        host: ConnectionHost,
        stream: Stream,
        rules: Http11Rules,
        served: int,
        data: bytes,
        http2: Callable[[ConnectionFacts, bytes], Http2Connection],
    ) -> None:
        super().__init__(host, stream, rules, served, data)
        self._http2 = http2

    def advance(self) -> None:
        """Serve the received bytes, of either protocol."""
        data = self.exchange.data
        if self.exchange.requests == 0 and data.startswith(PREFACE[: len(data)]):
            if len(data) >= len(PREFACE):
                successor = self._http2(self._facts, data)
                self.change_to(successor)
                successor.start()
                return
            if len(data) > len(b"PRI "):  # no used method of HTTP/1.1 begins like that
                self._wait_for_head()
                return
        super().advance()

    def _run(self) -> bool:
        # The body must be complete, because HTTP/2 follows it. A thread other than the loop's cannot change the
        # protocol.
        request = self.runner.request
        if self.stream.attached and self.exchange.body.complete and request.headers.get("upgrade") == "h2c":
            settings = _settings_of(request)
            if settings is not None:
                self._upgrade(request, settings)
                return False
        return super()._run()

    def _upgrade(self, request: Request, settings: bytes) -> None:
        """Send 101, and continue with the request as the first stream."""
        try:
            self.stream.send(SWITCHING)
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()
            return
        first = Request(
            self._facts,
            request.method,
            request.request_uri,
            request.query_string,
            "HTTP/2.0",
            request.headers,
            request.input,
        )
        first.server_name, first.server_port = request.server_name, request.server_port
        first.content_length = request.content_length
        successor = self._http2(self._facts, self.exchange.data)
        self.change_to(successor)
        successor.upgrade(first, settings)


def _settings_of(request: Request) -> bytes | None:
    """The client's settings, if its request for the change is valid."""
    headers = request.headers
    options = {option.strip().lower() for field in headers.get_all("connection") for option in field.split(",")}
    fields = headers.get_all("http2-settings")
    if len(fields) != 1 or not {"upgrade", "http2-settings"} <= options:
        return None
    try:
        return base64.b64decode(fields[0] + "=" * (-len(fields[0]) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


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
