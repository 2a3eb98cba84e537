"""The neighbours of a response: where it goes, what codes its body, what it waits for before it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from catalina.connector.handover import Taker
    from catalina.connector.response import Response

__all__ = ["Delivery", "Encoder", "Outlet"]


class Outlet(Protocol):
    """Where a response goes: the connection, which knows the protocol and when the client takes bytes.

    The methods may wait for a client that reads slowly, and raise
    :class:`~catalina.connector.client_abort_exception.ClientAbortException` when it has gone.
    """

    @property
    def handover(self) -> Callable[[Taker], None] | None:
        """Leaves the connection, with the request in progress, to another process, when the request has returned from
        the container; None where, or when, that cannot be."""

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send the head and the first bytes of the body, which are all of it when ``complete``."""

    def send_body(self, data: bytes) -> None:
        """Send more of the body; ``data`` is not empty."""

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file as the rest of the body; the connection closes the file."""

    def flushed(self) -> None:
        """The application has asked that what it wrote so far gets to the client."""

    def end(self) -> None:
        """The body is complete. Not called when :meth:`send_head` was told so."""


class Delivery(Protocol):
    """The handle of messages on their way to other members (``catalina.tribes.channel.Delivery``)."""

    @property
    def done(self) -> bool: ...

    def add_done_callback(self, callback: Callable[[Any], None]) -> None: ...


class Encoder(Protocol):
    """A content coding of the connector's (gzip ...): bytes in, fewer bytes out."""

    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...

    def finish(self) -> bytes: ...
