"""Connections that go from one worker to another, because the session of a request is there.

The arbiter has made a pair of Unix sockets for each worker: all other workers write to one end, and the worker reads
from the other end. If a worker is killed, the next process in its place reads what the worker has not read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from catalina.connector.handover import Handover
from catalina.errors import ProtocolError
from catalina.reactor import READ, Reactor

__all__ = ["ConnectionMoves", "MovedConnection", "decode_moved", "encode_moved", "make_pairs"]

log = logging.getLogger("org.apache.catalina.workers.ConnectionMoves")

#: Version of the format, connector's number, moves so far, requests served, client's port, bytes of its address.
_HEAD = struct.Struct(">BHBIHB")
FORMAT = 1
#: The message beside a stream for relayed requests (``relay_frames.py``): this number, and the connector's.
_STREAM = struct.Struct(">BH")
STREAM = 2
#: A connection that has moved this number of times belongs to many sessions (a balancer's pool), so it stays where it
#: is.
MAX_MOVES = 8
#: Bytes that travel in the message itself. A larger number of bytes goes into a file of memory beside the message.
MAX_INLINE = 64 * 1024
#: Number of clients whose moves this worker remembers.
MAX_REMEMBERED = 10_000
#: Number of messages that a worker takes in a row.
MAX_TAKEN = 64

Pair = tuple[socket.socket, socket.socket]


def make_pairs(workers: Iterable[int]) -> dict[int, Pair]:
    """Make a pair for each worker, by its index: the socket from which it reads, and the socket to which the others
    write. Before the fork.
    """
    pairs = {}
    for index in workers:
        reads, writes = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for sock in (reads, writes):
            sock.setblocking(False)
        writes.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
        pairs[index] = reads, writes
    return pairs


class MovedConnection(NamedTuple):
    """The data that travels with the descriptor of a connection.

    Args:
        connector: its number among the node's connectors.
        moves: how often the connection has changed its worker, with this time.
        data: what was read of it; None when it is in the file beside it.
    """

    connector: int
    moves: int
    served: int
    peer: tuple[str, int]
    data: bytes | None


def encode_moved(moved: MovedConnection) -> bytes:
    """The message beside the descriptors."""
    address = moved.peer[0].encode("ascii", "replace")[:255]
    head = _HEAD.pack(FORMAT, moved.connector, moved.moves, moved.served & 0xFFFFFFFF, moved.peer[1], len(address))
    return head + address + (b"" if moved.data is None else b"\1" + moved.data)


def decode_moved(message: bytes) -> MovedConnection:
    """Decode the bytes of :func:`encode_moved`. Raises ProtocolError."""
    if len(message) < _HEAD.size or message[0] != FORMAT:
        raise ProtocolError(f"expected a connection in format {FORMAT}, got {message[:16].hex()}")
    _, connector, moves, served, port, size = _HEAD.unpack_from(message)
    start = _HEAD.size + size
    if start > len(message) or not message[_HEAD.size : start].isascii():
        raise ProtocolError(f"expected an address of {size} bytes, got {message[_HEAD.size : start].hex()}")
    data = message[start + 1 :] if len(message) > start else None
    return MovedConnection(connector, moves, served, (message[_HEAD.size : start].decode("ascii"), port), data)


class ConnectionMoves:
    """The part of one worker.

    Args:
        index: of this worker.
        pairs: those of :func:`make_pairs`.
        adopt: takes a connection up at the connector of that number; raises when it cannot.
        serve: serves a stream of another worker at the connector of that number; raises when it cannot.
    """

    def __init__(
        self,
        index: int,
        pairs: Mapping[int, Pair],
        reactor: Reactor,
        adopt: Callable[[int, Handover], None],
        serve: Callable[[int, socket.socket], None],
    ) -> None:
        #: The number of this worker.
        self.index = index
        self._pairs = pairs
        self._reactor = reactor
        self._adopt = adopt
        self._serve = serve
        self._moves: OrderedDict[tuple[str, int], int] = OrderedDict()

    def open(self) -> None:
        """Take connections from now on."""
        self._reactor.register(self._pairs[self.index][0], READ, self._on_ready)

    def close(self) -> None:
        """Take no more connections: the next process in this place does."""
        self._reactor.unregister(self._pairs[self.index][0])

    def close_after(self) -> None:
        """Take what is there, then no more: no process follows in this place."""
        self.close()
        self._on_ready(READ)

    def may_move(self, peer: tuple[str, int]) -> bool:
        """True when a client's connection has not moved too often."""
        return self._moves.get(peer, 0) < MAX_MOVES

    def move(self, worker: int, connector: int, handover: Handover) -> None:
        """Send a connection to another worker. If that worker has no room, this one takes the connection up, and it
        stays here.
        """
        peer = handover.peer
        if worker not in self._pairs:  # the worker was added later than this one
            self._stay(connector, handover)
            return
        moves = self._moves.pop(peer, 0) + 1
        try:
            self._send(worker, MovedConnection(connector, moves, handover.served, peer, handover.data), handover.sock)
        except OSError as error:
            log.debug("A connection cannot go to worker [%d]: %s", worker, error)
            self._stay(connector, handover)
            return
        handover.sock.close()

    def _stay(self, connector: int, handover: Handover) -> None:
        self._remember(handover.peer, MAX_MOVES)
        self._adopt(connector, handover)

    def give(self, worker: int, connector: int, handover: Handover) -> None:
        """Send a connection to another worker, because this one ends. It is closed when that has no room."""
        try:
            moved = MovedConnection(connector, 0, handover.served, handover.peer, handover.data)
            self._send(worker, moved, handover.sock)
        except OSError as error:
            log.debug("A connection cannot go to worker [%d]: %s", worker, error)
        handover.sock.close()

    def give_stream(self, worker: int, connector: int, sock: socket.socket) -> None:
        """Let another worker serve a stream; the next process in its place does if it is being replaced.

        Raises:
            OSError: it has no room, or there is no such place.
        """
        if worker not in self._pairs:
            raise OSError(f"the node has no place for worker [{worker}]")
        socket.send_fds(self._pairs[worker][1], [_STREAM.pack(STREAM, connector)], [sock.fileno()])

    def _send(self, worker: int, moved: MovedConnection, sock: socket.socket) -> None:
        writes = self._pairs[worker][1]
        data = moved.data
        if data is None or len(data) <= MAX_INLINE:
            socket.send_fds(writes, [encode_moved(moved)], [sock.fileno()])
            return
        file = os.memfd_create("catalina-connection", os.MFD_CLOEXEC)
        try:
            with open(file, "wb", closefd=False) as out:
                out.write(data)
            socket.send_fds(writes, [encode_moved(moved._replace(data=None))], [sock.fileno(), file])
        finally:
            os.close(file)

    def _remember(self, peer: tuple[str, int], moves: int) -> None:
        self._moves[peer] = moves
        if len(self._moves) > MAX_REMEMBERED:
            self._moves.popitem(last=False)

    def _on_ready(self, _: int) -> None:
        reads = self._pairs[self.index][0]
        for _ in range(MAX_TAKEN):
            try:
                message, descriptors, _, _ = socket.recv_fds(reads, MAX_INLINE + 1024, 2)
            except BlockingIOError:
                return
            with contextlib.ExitStack() as opened:
                for descriptor in descriptors[1:]:
                    opened.callback(os.close, descriptor)
                if not message or not descriptors:
                    return
                sock = socket.socket(fileno=descriptors[0])
                try:
                    self._take(message, sock, descriptors[1:])
                except Exception:
                    log.exception("A connection of another worker cannot be taken up")
                    sock.close()

    def _take(self, message: bytes, sock: socket.socket, files: Sequence[int]) -> None:
        if len(message) == _STREAM.size and message[0] == STREAM:
            self._serve(_STREAM.unpack(message)[1], sock)
            return
        moved = decode_moved(message)
        data = moved.data
        if data is None:
            with open(files[0], "rb", closefd=False) as file:
                file.seek(0)
                data = file.read()
        self._remember(moved.peer, moved.moves)
        sock.setblocking(False)
        self._adopt(moved.connector, Handover(sock, data, moved.peer, moved.served))
