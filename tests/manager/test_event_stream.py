"""Streams of events, apart from a server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.core.standard_service import StandardService
from catalina.lifecycle import LifecycleState
from catalina.manager import event_stream
from catalina.manager.event_stream import EventStream, begun, most_streams
from catalina.reactor import Reactor
from tests.support.stand_in import stand_in


class FakeServer:
    """A server with one connector."""

    def __init__(self, threads: int = 200) -> None:
        self.draining = False
        self.services = [stand_in(StandardService, connectors=[stand_in(Connector, thread_limit=threads)])]
        self.reactor = stand_in(Reactor, blocking=contextlib.nullcontext)
        self.left = 0

    def leave(self) -> None:
        self.left += 1


def frames(ended: Callable[[], bool]) -> Iterator[bytes]:
    while not ended():
        yield b"x"


def stream(server: Any, available: bool = True) -> EventStream:
    context: Any = stand_in(StandardContext, state=LifecycleState.STARTED if available else LifecycleState.STOPPED)
    return EventStream(context, server, server.leave, frames)


@pytest.mark.parametrize(("threads", "most"), [(200, 8), (8, 2), (1, 1)])
def test_streams_hold_a_quarter_of_the_threads_at_most(threads: int, most: int) -> None:
    server: Any = FakeServer(threads)
    assert most_streams(server, 8) == most


def test_a_stream_tells_first_when_to_come_again_and_ends_with_a_drain() -> None:
    server = FakeServer()
    parts = iter(stream(server))
    assert [next(parts), next(parts)] == [b"retry: 2000\n\n", b"x"]
    server.draining = True
    assert list(parts) == []


def test_a_stream_ends_with_its_application_and_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(stream(FakeServer(), available=False)) == [b"retry: 2000\n\n"]
    monkeypatch.setattr(event_stream, "STREAM_SECONDS", -1.0)
    assert list(stream(FakeServer())) == [b"retry: 2000\n\n"]


def test_a_reader_leaves_once_also_when_its_response_does_not_begin() -> None:
    server = FakeServer()
    one = stream(server)
    one.close()
    one.close()
    assert server.left == 1

    def refuse(*_: object) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        begun(stream(server), refuse)
    assert server.left == 2
