"""HTTP over TLS: the handshake in the loop, then HTTP/1.1 or what the client has chosen (ALPN)."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

from catalina.connector.http2_connection import TlsHttp2Connection
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.request import Request
from catalina.connector.tls_stream import TlsStream
from catalina.coyote.http11.request_head import RequestHead
from catalina.reactor import READ, WRITE
from catalina.tomcat.util.net.tls_client_hello_extractor import TLSClientHelloExtractor

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint

__all__ = ["TlsConnection"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: What a client gets that speaks plain HTTP here.
PLAIN_HTTP = (
    b"HTTP/1.1 400 \r\nContent-Type: text/plain;charset=UTF-8\r\nConnection: close\r\n\r\n"
    b"Bad Request\r\nThis combination of host and port requires TLS.\r\n"
)
#: The loop tells only once of bytes that are not taken: they stay in the kernel until the set-up is chosen.
EDGE = select.EPOLLET


class TlsConnection(TlsStream, Http11Connection):
    """An HTTP/1.1 connection inside TLS."""

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        contexts = endpoint.connector.tls
        if contexts is None:
            raise TypeError(f"{endpoint.connector} has no TLS contexts")
        #: Looks for the host name, as long as the set-up is not chosen.
        self._hello = TLSClientHelloExtractor(contexts.parse_limit) if contexts.needs_name else None
        self._seen_hello = 0  # bytes
        super().__init__(endpoint, contexts.wrap(sock) if self._hello is None else sock, peer)
        self._contexts = contexts

    def start(self) -> None:
        super().start()
        if self._hello is not None:
            self._attach(READ | EDGE)

    def _on_ready(self, events: int) -> None:
        if self.established:
            super()._on_ready(events)
        elif self._hello is None or self._choose(self._hello):
            self._shake_hands()

    def _choose(self, hello: TLSClientHelloExtractor) -> bool:
        """Choose the set-up by the ClientHello, which stays in the kernel for the handshake; False: more must come.

        The kernel calls again when there is as much as it takes to go on, so a hello in thousands of pieces costs no
        more than one in a few. A call without more bytes says that the client has ended.
        """
        plain = self.sock
        try:
            data = socket.socket.recv(plain, hello.limit, socket.MSG_PEEK)
            if len(data) > self._seen_hello and not hello.look(data):
                self._seen_hello = len(data)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, hello.needed)
                return False
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._detach()
            self._hello = None
            self.sock = self._contexts.wrap(plain, hello.server_name)
        except BlockingIOError:
            return False
        except (OSError, ValueError) as exc:  # gone already
            log.debug("%r: no handshake: %s", self, exc)
            self.close()
            return False
        return True

    def _shake_hands(self) -> None:
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._attach(READ)
        except ssl.SSLWantWriteError:
            self._attach(WRITE)
        except ssl.SSLError as exc:
            if exc.reason == "HTTP_REQUEST":
                self._answer_plain_http()
            log.debug("%r: Handshake failed: %s", self, exc)
            self.close()
        except (OSError, ValueError) as exc:  # ValueError: Python's wrapping of an alert during SNI
            log.debug("%r: Handshake failed: %s", self, exc)
            self.close()
        else:
            self._established()

    def _answer_plain_http(self) -> None:
        """Tell who forgot the s of https, as Tomcat does; below TLS, which never began."""
        with contextlib.suppress(OSError):
            socket.socket.recv(self.sock, 64 * 1024)  # unread input would reset the connection before the answer
            socket.socket.send(self.sock, PLAIN_HTTP)

    def _established(self) -> None:
        self.established = True
        self._attach(READ)
        self.deadline = time.monotonic() + self._timeout_s
        if self.sock.selected_alpn_protocol() == "h2":
            self._successor(TlsHttp2Connection).take_over(self._facts, b"")
            return
        self._read_attributes()
        self._on_input()  # the first request may have come with the end of the handshake

    @property
    def handover(self) -> None:
        """None: the keys of the connection stay in this process."""
        return None

    def _make_request(self, head: RequestHead) -> Request:
        self.check_host(head.host)
        request = super()._make_request(head)
        self.add_facts(request)
        return request

    def _end_output(self) -> None:
        """close_notify: the client sees that nothing was cut off."""
        with contextlib.suppress(ssl.SSLError):  # it waits for the client's, which is not needed
            self.sock.unwrap()
