"""Moves bytes through TLS, for any protocol, and has the facts that TLS gives about the client."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.stream import RECEIVE_SIZE, ClientFacts, Stream, StreamHost
from catalina.coyote.http_error import HttpError
from catalina.tomcat.util.net.cipher_names import java_name

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.tls_contexts import TlsContexts

__all__ = ["TlsFacts", "TlsStream"]

#: Names of request attributes (Servlet 6.0, section 3.10; Tomcat: SSLSupport.java).
PREFIX = "jakarta.servlet.request."
PROTOCOL_VERSION = "org.apache.tomcat.util.net.secure_protocol_version"


class TlsStream(Stream):
    """A socket whose bytes are encrypted in this process.

    One recv takes a whole TLS record, so nothing waits inside OpenSSL where the poll set does not see it.

    Args:
        contexts: the TLS contexts of the connector.
    """

    __slots__ = ("_contexts", "established", "tls")

    sends_in_parts = True
    #: The keys stay in this process.
    can_be_handed_over = False

    sock: socket.socket

    def __init__(self, host: StreamHost, sock: socket.socket, peer: tuple[str, int], contexts: TlsContexts) -> None:
        super().__init__(host, sock, peer, uses_sendfile=False)
        self._contexts = contexts
        #: True when the handshake is over.
        self.established = False
        self.tls: ClientFacts | None = None

    @property
    def ssl_socket(self) -> ssl.SSLSocket:
        """The socket after :meth:`wrap`."""
        if not isinstance(self.sock, ssl.SSLSocket):
            raise TypeError(f"{self!r}: the handshake has not begun")
        return self.sock

    def wrap(self, server_name: str | None = None) -> None:
        """Choose the configuration for a host name, None for the default, and begin the handshake.

        Raises:
            OSError, ValueError: the client has gone.
        """
        self.detach()
        self.sock = self._contexts.wrap(self.sock, server_name)

    def establish(self) -> None:
        """The handshake is over: read the TLS facts that all requests of the connection share."""
        self.established = True
        self.tls = TlsFacts(self.ssl_socket, self._contexts)

    def receive(self) -> bytes | None:
        """Read what is there: None when nothing is, ``b""`` at the end of the stream."""
        try:
            return self.sock.recv(RECEIVE_SIZE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:  # an alert, a reset, or an end without close_notify
            return b""

    def _transmit(self, data: bytes | memoryview) -> int:
        try:
            return self.sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as exc:
            raise ClientAbortException(f"{self.peer[0]}: {exc}") from exc

    def end_output(self) -> None:
        """Send close_notify, so that the client sees that nothing was cut off."""
        with contextlib.suppress(ssl.SSLError):  # it waits for the client's own, which is not needed
            self.ssl_socket.unwrap()

    def close(self) -> None:
        """Send close_notify if that needs no waiting, and close."""
        if not self.closed and self.established:
            with contextlib.suppress(OSError, ValueError):
                self.ssl_socket.unwrap()
        super().close()


class TlsFacts:
    """The facts that a handshake has told of a client.

    Args:
        sock: the connection's socket.
        contexts: the TLS contexts of the connector.
    """

    def __init__(self, sock: ssl.SSLSocket, contexts: TlsContexts) -> None:
        self._sock = sock
        self._contexts = contexts
        cipher = sock.cipher()
        version = sock.version()
        # Tomcat's own name, and that of Servlet 6.1.
        attributes: dict[str, Any] = {PROTOCOL_VERSION: version, PREFIX + "secure_protocol": version}
        if cipher is not None:
            attributes[PREFIX + "cipher_suite"] = java_name(cipher[0])
            attributes[PREFIX + "key_size"] = cipher[2]
        session = sock.session
        if session is not None:
            attributes[PREFIX + "ssl_session_id"] = session.id.hex()
        certificate = sock.getpeercert(binary_form=True)
        if certificate:
            attributes[PREFIX + "X509Certificate"] = (ssl.DER_cert_to_PEM_cert(certificate),)
        self._attributes = attributes

    def add_to(self, request: Request) -> None:
        """Give a request the TLS facts, above all the client's certificate."""
        request.attributes.update(self._attributes)
        request.tls_socket = self._sock

    def check_host(self, host: str | None) -> None:
        """Refuse a client that has shown its certificate for one host and uses it for another (strictSni).

        Raises:
            HttpError: 421.
        """
        contexts = self._contexts
        if not contexts.strict_sni or not contexts.needs_name:
            return
        name = getattr(self._sock, "sni_name", None)
        if contexts.config_for(name) is not contexts.config_for(host):
            raise HttpError(421, f"The host [{host}] does not match the TLS host name [{name}]")
