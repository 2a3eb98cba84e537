"""Connections that go from one worker to another."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.connector.handover import Handover
from catalina.errors import ProtocolError
from catalina.reactor import Reactor
from catalina.workers.connection_moves import (
    MAX_INLINE,
    MAX_MOVES,
    ConnectionMoves,
    MovedConnection,
    decode_moved,
    encode_moved,
    make_pairs,
)
from tests.support.waiting import wait_until
from tests.workers.links import running_reactor

PEER = ("192.0.2.7", 40_000)


class Workers:
    """Two workers in one process, and the connections that each has taken up."""

    def __init__(self, reactor: Reactor) -> None:
        self.pairs = make_pairs(range(2))
        self.taken: list[list[tuple[int, Handover]]] = [[], []]
        self.streams: list[tuple[int, socket.socket]] = []
        self.moves = [
            ConnectionMoves(index, self.pairs, reactor, partial(self._take, index), self._serve) for index in range(2)
        ]

    def _serve(self, number: int, sock: socket.socket) -> None:
        self.streams.append((number, sock))

    def _take(self, index: int, number: int, handover: Handover) -> None:
        self.taken[index].append((number, handover))

    def close(self) -> None:
        for pair in self.pairs.values():
            for sock in pair:
                sock.close()
        for taken in self.taken:
            for _, handover in taken:
                handover.sock.close()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with running_reactor() as reactor:
        made = Workers(reactor)
        for moves in made.moves:
            moves.open()
        yield made
        for moves in made.moves:
            moves.close()
        made.close()


@given(
    st.integers(0, 65535), st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 65535),
    st.ip_addresses().map(str) | st.just(""), st.binary(max_size=100) | st.none(),
)  # fmt: skip
def test_what_goes_beside_a_connection_comes_back(
    connector: int, moves: int, served: int, port: int, address: str, data: bytes | None
) -> None:
    moved = MovedConnection(connector, moves, served, (address, port), data)
    assert decode_moved(encode_moved(moved)) == moved


@given(st.binary(max_size=100))
def test_any_bytes_are_a_connection_or_the_documented_error(message: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode_moved(message)


@pytest.mark.parametrize("size", [0, 10, MAX_INLINE, MAX_INLINE + 1, 5 * 2**20])
def test_a_connection_arrives_with_all_that_was_read(workers: Workers, size: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        workers.moves[0].move(1, 3, Handover(ours, bytes(size), PEER, 12))
        wait_until(lambda: workers.taken[1], "the other worker has it")
        ((number, handover),) = workers.taken[1]
        assert (number, len(handover.data), handover.peer, handover.served) == (3, size, PEER, 12)
        handover.sock.send(b"answer")
        assert theirs.recv(10) == b"answer"


def test_a_connection_that_moves_again_and_again_stays_where_it_is(workers: Workers) -> None:
    sock, theirs = socket.socketpair()
    with theirs:
        for number in range(MAX_MOVES):
            here, there = number % 2, 1 - number % 2
            assert workers.moves[here].may_move(PEER)
            workers.moves[here].move(there, 0, Handover(sock, b"", PEER, 0))
            wait_until(partial(bool, workers.taken[there]), "the other worker has it")
            sock = workers.taken[there].pop()[1].sock
        assert not workers.moves[MAX_MOVES % 2].may_move(PEER)
        sock.close()


def test_a_worker_that_has_no_room_gets_none_and_the_connection_stays(workers: Workers) -> None:
    workers.moves[1].close()
    sockets = []
    while not workers.taken[0]:
        ours, theirs = socket.socketpair()
        sockets.append(theirs)
        workers.moves[0].move(1, 0, Handover(ours, bytes(MAX_INLINE), PEER, 0))
    assert not workers.moves[0].may_move(PEER)
    workers.moves[1].open()
    wait_until(lambda: len(workers.taken[1]) == len(sockets) - 1, "the others wait for the worker")
    for sock in sockets:
        sock.close()


def test_a_stream_arrives(workers: Workers) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        workers.moves[0].give_stream(1, 3, theirs)
        wait_until(lambda: workers.streams, "the other worker has it")
        ((number, sock),) = workers.streams
        with sock:
            sock.send(b"here")
            assert (number, ours.recv(10)) == (3, b"here")


def test_a_stream_for_no_place_is_refused(workers: Workers) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OSError, match=r"no place for worker \[7\]"):
        workers.moves[0].give_stream(7, 0, theirs)


def test_a_worker_that_was_added_later_gets_none(workers: Workers) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        workers.moves[0].move(7, 0, Handover(ours, b"", PEER, 0))
        assert len(workers.taken[0]) == 1


def test_bytes_that_are_none_cost_nobody_else_anything(workers: Workers, caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = socket.socketpair()
    with theirs, ours:
        socket.send_fds(workers.pairs[1][1], [b"no connection"], [ours.fileno()])
        workers.moves[0].move(1, 0, Handover(ours.dup(), b"", PEER, 0))
        wait_until(lambda: workers.taken[1], "the next one is taken up")
        assert "A connection of another worker cannot be taken up" in caplog.text
