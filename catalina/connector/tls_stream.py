"""Input and output of a non-blocking TLS socket, for connections of any protocol inside it."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.stream_connection import RECEIVE_SIZE, StreamConnection
from catalina.coyote.http_error import HttpError
from catalina.tomcat.util.net.cipher_names import java_name

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["TlsStream"]

#: Names of request attributes (Servlet 6.0, section 3.10; Tomcat: SSLSupport.java).
PREFIX = "jakarta.servlet.request."
PROTOCOL_VERSION = "org.apache.tomcat.util.net.secure_protocol_version"


class TlsStream(StreamConnection):
    """The half of a connection that encrypts; the other half speaks the protocol.

    One recv takes a whole TLS record, so nothing waits inside of OpenSSL that the poll set could not know of.
    """

    uses_sendfile = False
    sends_in_parts = True

    sock: ssl.SSLSocket
    #: Whether the handshake is over.
    established = False
    #: The facts that a request tells about its TLS; known after the handshake.
    _tls_attributes: dict[str, Any]

    def _receive(self) -> bytes | None:
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

    def _read_attributes(self) -> None:
        """After the handshake: what all requests of the connection say about their TLS."""
        cipher = self.sock.cipher()
        version = self.sock.version()
        # Tomcat's own name, and that of Servlet 6.1.
        attributes: dict[str, Any] = {PROTOCOL_VERSION: version, PREFIX + "secure_protocol": version}
        if cipher is not None:
            attributes[PREFIX + "cipher_suite"] = java_name(cipher[0])
            attributes[PREFIX + "key_size"] = cipher[2]
        session = self.sock.session
        if session is not None:
            attributes[PREFIX + "ssl_session_id"] = session.id.hex()
        certificate = self.sock.getpeercert(binary_form=True)
        if certificate:
            attributes[PREFIX + "X509Certificate"] = (ssl.DER_cert_to_PEM_cert(certificate),)
        self._tls_attributes = attributes

    def add_facts(self, request: Request) -> None:
        """Let a request say what is known of its TLS, the client's certificate above all."""
        request.attributes.update(self._tls_attributes)
        request.tls_socket = self.sock

    def check_host(self, host: str | None) -> None:
        """A client that has shown its certificate for one host must not use it for another (strictSni).

        Raises:
            HttpError: 421.
        """
        contexts = self.endpoint.connector.tls
        if contexts is None or not contexts.strict_sni or not contexts.needs_name:
            return
        name = getattr(self.sock, "sni_name", None)
        if contexts.config_for(name) is not contexts.config_for(host):
            raise HttpError(421, f"The host [{host}] does not match the TLS host name [{name}]")

    def close(self) -> None:
        """Say goodbye, if that needs no waiting, and close."""
        if not self.closed and self.established:
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        super().close()
