"""Two serving connectors: one has the clients' connections, the other the application."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from catalina.connector.connector import Connector
from catalina.connector.stream import Stream
from catalina.workers.relay_connection import RelayConnection
from catalina.workers.request_relay import RelayError, RequestRelay
from tests.connector.serving import Container, serving

__all__ = ["Hop", "hop"]


class Hop:
    """The way between the two.

    Attributes:
        lost: True while the other worker does not take streams; they stay in ``waiting``.
        front: where clients connect.
        errors: why requests were not relayed.
    """

    def __init__(self, back: Connector) -> None:
        self._back = back
        self.lost = False
        self.waiting: list[socket.socket] = []
        self.streams: list[socket.socket] = []
        self.errors: list[RelayError] = []
        self.front: Connector
        self.relay: RequestRelay

    def give_stream(self, worker: int, number: int, sock: socket.socket) -> None:
        """As :class:`ConnectionMoves`."""
        assert (worker, number) == (1, 0)
        taken = sock.dup()
        if self.lost:
            self.waiting.append(taken)
        else:
            self.take(taken)

    def take(self, sock: socket.socket) -> None:
        self.streams.append(sock)
        self._back.serve(sock, lambda host: RelayConnection(host, Stream(host, sock, ("", 0)), self._back))

    def prepare(self, connector: Connector, container: Container) -> None:
        moves: Any = self
        self.relay = RequestRelay(moves, container.reactor)
        container.valve.before = partial(self._pass_on)

    def _pass_on(self, request: Any, response: Any) -> None:
        try:
            self.relay.relay(lambda: 1, 0, request, response)
        except RelayError as error:
            self.errors.append(error)
            response.send_error(error.status, str(error))
        request.context = None


@contextlib.contextmanager
def hop(
    application: Callable[..., Any], back: dict[str, str] | None = None, serve: Any = serving, /, **front: str
) -> Iterator[Hop]:
    """Both ends run; the front's own application is never called.

    Args:
        back: the attributes of the connector behind.
        serve: makes the front.
    """
    with serving(application, **(back or {})) as behind:
        made = Hop(behind)
        with serve(lambda *_: ["not here"], made.prepare, **front) as connector:
            made.front = connector
            yield made
        made.relay.close()
    for sock in made.waiting:
        sock.close()
