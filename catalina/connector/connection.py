"""The interfaces between the endpoint and its connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.connector.stream import Stream, StreamHost
from catalina.reactor import READ

if TYPE_CHECKING:
    from catalina.connector.handover import Handover, Taker
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.repeated_messages import RepeatedMessages

__all__ = ["Adapter", "Connection", "ConnectionFactory", "ConnectionHost"]

#: Seconds that a connection without a request yet gets for one when the connector stops.
LAST_REQUEST_SECONDS = 0.5


class Adapter(Protocol):
    """The way into the container."""

    def service(self, request: Request, response: Response) -> None:
        """Run a request to its end; see :meth:`CoyoteAdapter.service`."""

    def refuse(self, request: Request, response: Response, status: int, text: str) -> None:
        """Answer what is no request."""


class ConnectionHost(StreamHost, Protocol):
    """The endpoint, as its connections see it."""

    @property
    def adapter(self) -> Adapter: ...

    @property
    def connections(self) -> set[Connection]: ...

    @property
    def messages(self) -> RepeatedMessages:
        """Lines that clients may cause to be logged."""

    @property
    def paused(self) -> bool:
        """True when no further request is taken."""

    @property
    def ending(self) -> bool:
        """True when each connection ends with its next answer, because the connector is or will soon be paused."""

    @property
    def taker(self) -> Taker | None:
        """Takes the connections that are idle while the connector pauses; None when they end."""

    def forget(self, connection: Connection) -> None:
        """A connection was closed, so there may be room for another. Any thread."""


class Connection:
    """The connection of one client. A subclass implements a protocol and uses the stream.

    The loop's thread calls all methods, unless they say otherwise.

    Args:
        host: the endpoint that accepted it.
        stream: its socket. A connection that replaces another one takes over its stream.
    """

    # Slots in all its kinds; see Stream.
    __slots__ = ("host", "stream")

    def __init__(self, host: ConnectionHost, stream: Stream) -> None:
        self.host = host
        self.stream = stream
        stream.user = self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stream.peer[0]}:{self.stream.peer[1]}>"

    def start(self) -> None:
        """The connection was accepted: wait for the first bytes."""
        self.stream.deadline = time.monotonic() + self.stream.timeout_s
        self.stream.attach(READ)

    def on_input(self) -> None:
        """The socket has input, or its end."""
        raise NotImplementedError

    def on_output_sent(self) -> None:
        """The kernel has taken all waiting output."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        """True while a request is processed or held, or its answer on the way. Any thread."""
        return False

    @property
    def is_new(self) -> bool:
        """True when the connection has not served anything yet. Any thread."""
        return False

    def running_requests(self) -> Sequence[Request]:
        """The requests that run now. Any thread."""
        return ()

    def time_out(self) -> None:
        """The stream's deadline has passed."""
        self.close()

    @property
    def is_unread(self) -> bool:
        """True when a request is, or may be, on its way: nothing was served yet, or there is input. Any thread."""
        return not self.stream.closed and not self.is_running and (self.is_new or self.stream.has_input)

    def close_when_idle(self) -> None:
        """The connector pauses: answer requests that the client has already sent; a new client gets a moment for its
        first.
        """
        if self.is_running:
            return
        if self.is_unread:
            self.stream.deadline = min(self.stream.deadline, time.monotonic() + LAST_REQUEST_SECONDS)
        else:
            self.close()

    def change_to(self, successor: Connection) -> None:
        """Let another protocol continue with the stream."""
        self.host.connections.discard(self)
        self.host.connections.add(successor)

    def close(self) -> None:
        """Close now, whatever is running; idempotent."""
        if not self.stream.closed:
            self.host.forget(self)  # first, so that a client that sees the end finds no trace of it
            self.stream.close()


class ConnectionFactory(Protocol):
    """Makes the connections of one connector."""

    def connect(self, host: ConnectionHost, sock: socket.socket, peer: tuple[str, int]) -> Connection:
        """The connection for a socket that was accepted.

        Raises:
            OSError: the client has gone already.
        """

    @property
    def resume(self) -> Callable[[ConnectionHost, Handover], Connection] | None:
        """The connection for a socket that another process has left; None when this kind cannot be resumed in the
        middle.
        """

    def flush_messages(self) -> None:
        """Log the messages that were held back because they repeated."""
