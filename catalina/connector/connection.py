"""A connection as the endpoint sees it, and the endpoint as its connections see it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.connector.stream import Stream, StreamHost
from catalina.reactor import READ

if TYPE_CHECKING:
    from catalina.connector.coyote_adapter import CoyoteAdapter
    from catalina.connector.handover import Handover
    from catalina.connector.request import Request
    from catalina.repeated_messages import RepeatedMessages

__all__ = ["Connection", "ConnectionFactory", "ConnectionHost"]

#: Seconds that a connection without a request yet gets for one when the connector stops.
LAST_REQUEST_SECONDS = 0.5


class ConnectionHost(StreamHost, Protocol):
    """The endpoint."""

    @property
    def adapter(self) -> CoyoteAdapter: ...

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
        """True when each connection ends with its next answer: the connector is paused, or will be soon."""

    def forget(self, connection: Connection) -> None:
        """It was closed; there may be room for another. Any thread."""


class Connection:
    """One client. A subclass speaks a protocol; it is the user of the stream.

    All is called in the loop's thread, but where it says otherwise.

    Args:
        host: the endpoint that accepted it.
        stream: its socket. A connection that another one is changed to has the stream of that.
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
        """It was accepted: wait for the first bytes."""
        self.stream.deadline = time.monotonic() + self.stream.timeout_s
        self.stream.attach(READ)

    def on_input(self) -> None:
        """The socket has input, or its end."""
        raise NotImplementedError

    def on_output_sent(self) -> None:
        """Everything that waited has been taken by the kernel."""
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
        """The deadline of the stream is over."""
        self.close()

    @property
    def is_unread(self) -> bool:
        """True when a request is, or may be, on its way: nothing was served yet, or there is input. Any thread."""
        return not self.stream.closed and not self.is_running and (self.is_new or self.stream.has_input)

    def close_when_idle(self) -> None:
        """The connector pauses: what the client has sent already is answered; a new client gets a moment for it."""
        if self.is_running:
            return
        if self.is_unread:
            self.stream.deadline = min(self.stream.deadline, time.monotonic() + LAST_REQUEST_SECONDS)
        else:
            self.close()

    def change_to(self, successor: Connection) -> None:
        """Another protocol goes on with the stream."""
        self.host.connections.discard(self)
        self.host.connections.add(successor)

    def close(self) -> None:
        """Close now, whatever runs; idempotent."""
        if not self.stream.closed:
            self.host.forget(self)  # first: a client that sees the end finds no trace
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
        """The same for a socket that another process has left; None where nothing can be taken up in the middle."""

    def flush_messages(self) -> None:
        """Log what was held back because it repeated."""
