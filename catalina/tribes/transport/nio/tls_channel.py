"""A connection between members as a stream of bytes (Tomcat: tribes/transport/nio/TlsChannel.java, PlainChannel.java).

The sender, the receiver and the probe only move bytes and wait for readiness on the loop. They work on a plain socket
or on a :class:`TlsChannel`, whose :meth:`~TlsChannel.handshake` must come first.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar

from catalina.reactor import READ, WRITE
from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = ["ByteStream", "TlsChannel"]

T = TypeVar("T")

#: Plain bytes of one TLS record at most. A smaller read would leave decrypted bytes where the loop does not see them.
_RECORD = 16384


class ByteStream(Protocol):
    """A non-blocking connection: BlockingIOError when no byte can be moved now, OSError when it is broken."""

    def fileno(self) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytes | bytearray | memoryview, /) -> int: ...

    def close(self) -> None: ...


class TlsChannel:
    """TLS around a connected socket, not blocking.

    Args:
        sock: connected, not blocking; the channel owns it from now on.
        context: the group's context.
        server_side: True when the peer has connected to us.

    Raises:
        OSError: the peer has already gone.
    """

    def __init__(self, sock: socket.socket, context: TribesSslContext, server_side: bool) -> None:
        sock.getpeername()  # the ssl module would half wrap a socket that is no longer connected, and never close it
        self._context = context
        side = context.server if server_side else context.client
        self._tls = side.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=False)
        self._is_open = False

    def fileno(self) -> int:
        """The descriptor, for the loop."""
        return self._tls.fileno()

    def handshake(self) -> int:
        """Continue the handshake; returns the events to wait for, 0 when it is done and the peer has proved that it has
        the key.

        Raises:
            OSError: the peer does not have the key, or the connection is broken.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return READ
        except ssl.SSLWantWriteError:
            return WRITE
        self._context.check_peer(self._tls)
        self._is_open = True
        return 0

    def recv(self, size: int, /) -> bytes:
        """The next bytes, at most a record; empty when the peer has closed."""
        return _moved(lambda: self._tls.recv(max(size, _RECORD)))

    def send(self, data: bytes | bytearray | memoryview, /) -> int:
        """Send; returns the number of bytes that left. The rest must be offered again."""
        return _moved(lambda: self._tls.send(data))

    def close(self) -> None:
        """Announce the end to the peer if that is possible without waiting, and close."""
        if self._is_open:
            with contextlib.suppress(OSError):
                self._tls.unwrap()
        self._tls.close()


def _moved(move: Callable[[], T]) -> T:
    try:
        return move()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
        raise BlockingIOError from exc
