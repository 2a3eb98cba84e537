"""A plain HTTP/1.1 connection on its way to another process: the socket, and everything that was read and not answered.

The kernel moves the socket (``SCM_RIGHTS``, ``socket.send_fds``); the bytes and numbers go beside it. The process that
gets them (:meth:`~catalina.connector.connector.Connector.adopt`) continues as if it had read the bytes itself, so
nothing that this process made from them is passed on: neither the decoded part of a body nor the state of its chunks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Handover", "Taker"]


class Handover(NamedTuple):
    """A connection without its process. The code that holds it owns the socket, and closes it or passes it on.

    Args:
        sock: non-blocking, and in no poll set.
        data: the bytes that were read and not answered, from the first byte of a request's head, with requests that the
            client has sent behind it. It is at most the head's and the body's buffers and one read: about a megabyte in
            the worst case, a chunked body of one-byte chunks.
        peer: address and port of the client; the kernel forgets them when the client goes.
        served: the number of requests answered on this connection, for maxKeepAliveRequests and the next time-out.
    """

    sock: socket.socket
    data: bytes
    peer: tuple[str, int]
    served: int


#: Takes over a connection. It runs in the thread that ran the request, mostly the loop's, so it must not wait. Its
#: exception is logged, and the socket is closed.
Taker = Callable[[Handover], None]
