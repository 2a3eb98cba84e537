"""HTTP over TLS: the handshake in the loop, then HTTP/1.1 or what the client has chosen (ALPN)."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from catalina.connector.http2_connection import TlsHttp2Connection
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.request import Request
from catalina.connector.tls_stream import TlsStream
from catalina.coyote.http11.request_head import RequestHead
from catalina.coyote.http_error import HttpError
from catalina.reactor import READ, WRITE

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint

__all__ = ["TlsConnection"]

log = logging.getLogger("org.apache.tomcat.util.net.NioEndpoint")

#: Names of request attributes (Servlet 6.0, section 3.10; Tomcat: SSLSupport.java).
PREFIX = "jakarta.servlet.request."
#: What a client gets that speaks plain HTTP here.
PLAIN_HTTP = (
    b"HTTP/1.1 400 \r\nContent-Type: text/plain;charset=UTF-8\r\nConnection: close\r\n\r\n"
    b"Bad Request\r\nThis combination of host and port requires TLS.\r\n"
)
PROTOCOL_VERSION = "org.apache.tomcat.util.net.secure_protocol_version"


class TlsConnection(TlsStream, Http11Connection):
    """An HTTP/1.1 connection inside TLS."""

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        contexts = endpoint.connector.tls
        if contexts is None:
            raise TypeError(f"{endpoint.connector} has no TLS contexts")
        super().__init__(endpoint, contexts.wrap(sock), peer)
        self._contexts = contexts
        self._tls_attributes: dict[str, Any] = {}

    def _on_ready(self, events: int) -> None:
        if self.established:
            super()._on_ready(events)
            return
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
            self._become_http2()
            return
        self._tls_attributes = self._read_attributes()
        self._on_input()  # the first request may have come with the end of the handshake

    def _become_http2(self) -> None:
        self._hand_over(TlsHttp2Connection)

    def _read_attributes(self) -> dict[str, Any]:
        """What a request says about its TLS."""
        cipher = self.sock.cipher()
        attributes: dict[str, Any] = {PROTOCOL_VERSION: self.sock.version()}
        if cipher is not None:
            attributes[PREFIX + "cipher_suite"] = cipher[0]
            attributes[PREFIX + "key_size"] = cipher[2]
        session = self.sock.session
        if session is not None:
            attributes[PREFIX + "ssl_session_id"] = session.id.hex()
        certificate = self.sock.getpeercert(binary_form=True)
        if certificate:
            attributes[PREFIX + "X509Certificate"] = (ssl.DER_cert_to_PEM_cert(certificate),)
        return attributes

    def _make_request(self, head: RequestHead) -> Request:
        self._check_sni(head.host)
        request = super()._make_request(head)
        request.attributes.update(self._tls_attributes)
        request.tls_socket = self.sock
        return request

    def _check_sni(self, host: str | None) -> None:
        """A client that has shown its certificate for one host must not use it for another (strictSni).

        Raises:
            HttpError: 421.
        """
        contexts = self._contexts
        if not contexts.strict_sni or len(contexts.configs) < 2:
            return
        name = getattr(self.sock, "sni_name", None)
        if contexts.config_for(name) is not contexts.config_for(host):
            raise HttpError(421, f"The host [{host}] does not match the TLS host name [{name}]")

    def _end_output(self) -> None:
        """close_notify: the client sees that nothing was cut off."""
        with contextlib.suppress(ssl.SSLError):  # it waits for the client's, which is not needed
            self.sock.unwrap()
