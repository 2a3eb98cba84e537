from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from catalina.connector.connection import Connection
from catalina.connector.stream import Stream
from tests.connector.bare import bare_connector


class Reactor:
    def register(self, sock: socket.socket, interest: int, callback: Any) -> None:
        pass

    def unregister(self, sock: socket.socket) -> None:
        pass


class Host:
    """An endpoint with one connection."""

    reactor = Reactor()
    handler = bare_connector().protocol_handler

    def __init__(self) -> None:
        self.connections: set[Connection] = set()

    def forget(self, connection: Connection) -> None:
        self.connections.discard(connection)


class Silent(Connection):
    """A connection that does nothing; ``new`` and ``running`` are as the test says."""

    new = running = False

    @property
    def is_new(self) -> bool:
        return self.new

    @property
    def is_running(self) -> bool:
        return self.running


@pytest.fixture
def ends() -> Iterator[tuple[Silent, socket.socket]]:
    client, ours = socket.socketpair()
    host: Any = Host()
    connection = Silent(host, Stream(host, ours, ("::ffff:10.0.0.1", 5)))
    host.connections.add(connection)
    yield connection, client
    connection.close()
    client.close()


def test_a_connection_is_named_by_its_client(ends):
    assert repr(ends[0]) == "<Silent 10.0.0.1:5>"


def test_input_or_newness_means_that_a_request_may_be_on_its_way_unless_one_runs(ends):
    connection, client = ends
    assert not connection.is_unread
    connection.new = True
    assert connection.is_unread
    connection.new = False
    client.send(b"x")
    assert connection.is_unread
    connection.running = True
    assert not connection.is_unread
    connection.running = False
    connection.close()
    assert not connection.is_unread


def test_when_the_connector_pauses_an_idle_connection_closes_and_another_gets_a_moment(ends):
    connection, client = ends
    connection.start()
    client.send(b"x")
    before = connection.stream.deadline
    connection.close_when_idle()
    assert not connection.stream.closed
    assert connection.stream.deadline < before
    connection.stream.receive()
    connection.close_when_idle()
    assert connection.stream.closed
    assert client.recv(1) == b""


def test_closing_is_told_to_the_host_once(ends):
    connection, _ = ends
    connection.close()
    assert not connection.host.connections
    connection.host.connections.add(connection)
    connection.close()
    assert connection.host.connections == {connection}


def test_a_successor_has_the_stream_and_the_place_among_the_connections(ends):
    connection, _ = ends
    successor = Silent(connection.host, connection.stream)
    connection.change_to(successor)
    assert connection.host.connections == {successor}
    assert successor.stream.user is successor
    successor.close()
