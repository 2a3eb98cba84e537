"""The handshake of a TLS connection in the loop; after it comes HTTP/1.1, or the client's choice (ALPN)."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
from collections.abc import Callable

from catalina.connector.connection import Connection, ConnectionHost
from catalina.connector.tls_contexts import TlsContexts
from catalina.connector.tls_stream import TlsStream
from catalina.reactor import READ, WRITE
from catalina.tomcat.util.net.tls_client_hello_extractor import TLSClientHelloExtractor

__all__ = ["TlsHandshake"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

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
            log.debug("%r: no handshake: %s", self, exc)
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
            log.debug("%r: Handshake failed: %s", self, exc)
            self.close()
        except (OSError, ValueError) as exc:  # ValueError: Python's wrapping of an alert during SNI
            log.debug("%r: Handshake failed: %s", self, exc)
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
