"""Server-sent events of the manager applications: readers that wait outside the event loop, and end in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from catalina.manager.asked import StartResponse

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer

__all__ = ["EventStream", "begun", "most_streams"]

#: Share of a connector's threads that streams of one kind may hold.
THREADS_SHARE = 0.25
#: Seconds after which a reader has to come, and log in, anew.
STREAM_SECONDS = 300.0
#: Milliseconds after which a browser reconnects when its stream has ended.
RETRY_MS = 2000

HEADERS = (
    ("Content-Type", "text/event-stream;charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),  # nginx passes it on at once
)


def begun(
    stream: EventStream, start_response: StartResponse, headers: Sequence[tuple[str, str]] = ()
) -> Iterable[bytes]:
    """Start the response with a stream as its body."""
    try:
        start_response("200 OK", [*headers, *HEADERS])
    except BaseException:  # the container does not know of the stream yet
        stream.close()
        raise
    return stream


def most_streams(server: StandardServer, most: int) -> int:
    """The number of streams that may be open: ``most``, or what :data:`THREADS_SHARE` allows."""
    connectors = [connector for service in server.services for connector in service.connectors]
    threads = min((connector.thread_limit for connector in connectors), default=0)
    return min(most, max(1, int(threads * THREADS_SHARE)))


class EventStream:
    """One reader, from its making to :meth:`close`: the body of a response.

    The stream ends after its time, and when the node is drained or the application stops, so that neither waits for
    readers; the browser then reconnects.

    Args:
        frames: makes the events, each as bytes; is given a function that says if the stream has to end.
        leave: called once, at the end.
    """

    def __init__(
        self, context: StandardContext, server: StandardServer, leave: Callable[[], None],
        frames: Callable[[Callable[[], bool]], Iterator[bytes]],
    ) -> None:  # fmt: skip
        self._context = context
        self._server = server
        self._leave: Callable[[], None] | None = leave
        self._until = time.monotonic() + STREAM_SECONDS
        self._frames = frames(self._ends)

    def __iter__(self) -> Iterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while True:
            with self._server.reactor.blocking():
                frame = next(self._frames, None)
            if frame is None:
                return
            yield frame

    def _ends(self) -> bool:
        return time.monotonic() > self._until or not self._context.state.available or self._server.draining

    def close(self) -> None:
        """Nobody reads it any more."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
