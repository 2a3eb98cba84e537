"""A connection between members as a stream of bytes (Tomcat: tribes/transport/nio/TlsChannel.java, PlainChannel.java).

The sender, the receiver and the probe only move bytes, and wait for readiness on the loop: a plain socket will do, and
so will a :class:`TlsChannel`, which needs its :meth:`~TlsChannel.handshake` first.
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

#: Plain bytes of one TLS record at most. Less would leave decrypted bytes where the loop does not see them.
_RECORD = 16384


class ByteStream(Protocol):
    """A connection that does not block: BlockingIOError where nothing can be moved now, OSError where it is broken."""

    def fileno(self) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytes | bytearray | memoryview, /) -> int: ...

    def close(self) -> None: ...


class TlsChannel:
    """TLS around a connected socket, not blocking.

    Args:
        sock: connected, not blocking; it is this channel's from here on.
        context: of the group.
        server_side: whether the peer has connected to us.

    Raises:
        OSError: the peer is gone already.
    """

    def __init__(self, sock: socket.socket, context: TribesSslContext, server_side: bool) -> None:
        sock.getpeername()  # a socket that is not connected any more would be wrapped by halves, and never closed
        self._context = context
        side = context.server if server_side else context.client
        self._tls = side.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=False)
        self._is_open = False

    def fileno(self) -> int:
        """The descriptor, for the loop."""
        return self._tls.fileno()

    def handshake(self) -> int:
        """Go on with the handshake; return the events to wait for, 0 when it is done and the peer has the key.

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
        """How many bytes have left; the rest must be offered again."""
        return _moved(lambda: self._tls.send(data))

    def close(self) -> None:
        """Say that this is the end, as far as that is possible at once, and close."""
        if self._is_open:
            with contextlib.suppress(OSError):
                self._tls.unwrap()
        self._tls.close()


def _moved(move: Callable[[], T]) -> T:
    try:
        return move()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
        raise BlockingIOError from exc
