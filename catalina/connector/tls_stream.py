"""Input and output of a non-blocking TLS socket, for connections of any protocol inside it."""

from __future__ import annotations

import contextlib
import ssl

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.stream_connection import RECEIVE_SIZE, StreamConnection

__all__ = ["TlsStream"]


class TlsStream(StreamConnection):
    """The half of a connection that encrypts; the other half speaks the protocol.

    One recv takes a whole TLS record, so nothing waits inside of OpenSSL that the poll set could not know of.
    """

    uses_sendfile = False
    sends_in_parts = True

    sock: ssl.SSLSocket
    #: Whether the handshake is over.
    established = False

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

    def close(self) -> None:
        """Say goodbye, if that needs no waiting, and close."""
        if not self.closed and self.established:
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        super().close()
