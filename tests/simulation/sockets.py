"""TCP as the code of a node sees it: bytes that come in any pieces, late, or not; buffers that are full; resets.

A direction of a connection keeps its bytes in order. A cut keeps them until it ends and some time longer, as TCP does
when it sends them again. A process that ends resets its connections; where the way is cut, its peer learns that only
when it sends again after the cut. A process that stands still has a kernel that goes on taking bytes until its buffer
is full.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalina.reactor import READ, WRITE

if TYPE_CHECKING:
    from tests.simulation.nodes import Life
    from tests.simulation.wires import WireNetwork

__all__ = ["SimSocket"]

#: Bytes that a connection holds until its reader takes them: little, so that it is full now and then.
BUFFER = 16 * 1024
#: Seconds between two tries to connect through a cut.
SYN_SECONDS = 1.0
#: At most so long after a cut TCP sends again.
RESEND_SECONDS = 3.0


class SimSocket:
    """A stream socket that does not block."""

    family = socket.AF_INET

    def __init__(self, network: WireNetwork, life: Life) -> None:
        self.network = network
        self.life = life
        self.peer: SimSocket | None = None
        self.callback: Callable[[int], None] | None = None
        self._interest = 0
        self._is_due = False
        self.is_closed = False
        self.accepting: deque[SimSocket] | None = None
        self.port = 0
        self.peer_address = ("", 0)
        self._connecting: Any = None
        self._error = 0
        self._buffer = bytearray()
        self._is_eof = False
        #: Bytes that are on their way or wait at the peer.
        self._unread = 0
        self._under_way: deque[bytes | None] = deque()  # None: no more will come
        self._last = 0.0

    # -- what the code calls ---------------------------------------------------------------------------------------

    def fileno(self) -> int:
        return id(self)

    def setsockopt(self, *_: Any) -> None: ...

    def setblocking(self, _: bool) -> None: ...

    def bind(self, address: tuple[str, int]) -> None:
        if (self.life.name, address[1]) in self.network.listening:
            raise OSError(errno.EADDRINUSE, "the port is taken")
        self.port = address[1]

    def listen(self, _: int) -> None:
        self.accepting = deque()
        self.network.listening[self.life.name, self.port] = self

    def getsockname(self) -> tuple[str, int]:
        return self.network.address_of(self.life), self.port

    def accept(self) -> tuple[SimSocket, tuple[str, int]]:
        if not self.accepting:
            raise BlockingIOError
        found = self.accepting.popleft()
        return found, found.peer_address

    def connect_ex(self, address: tuple[str, int]) -> int:
        self._connecting = address
        self._later(self.network.world.random.random() * 0.002, self._connect)
        return errno.EINPROGRESS

    def getsockopt(self, *_: Any) -> int:
        return self._error

    def send(self, data: bytes | memoryview) -> int:
        self._raise_error()
        if self.peer is None:
            raise BlockingIOError
        room = BUFFER - self._unread
        if room <= 0:
            raise BlockingIOError
        dice = self.network.world.random
        taken = bytes(data[: min(len(data), room)])
        self._unread += len(taken)
        pieces = [taken]
        if len(taken) > 1 and dice.random() < 0.2:  # a frame is cut anywhere
            at = dice.randrange(1, len(taken))
            pieces = [taken[:at], taken[at:]]
        for piece in pieces:
            self._put(piece)
        return len(taken)

    def recv(self, size: int) -> bytes:
        if self._buffer:
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            if self.peer is not None:
                self.peer._was_read(len(data))
            return data
        self._raise_error()
        if self._is_eof:
            return b""
        raise BlockingIOError

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self.callback = None
        if self.accepting is not None:
            if self.network.listening.get((self.life.name, self.port)) is self:
                del self.network.listening[self.life.name, self.port]
            for waiting in self.accepting:
                waiting.reset()
        if self.peer is not None:
            if self._buffer:
                self.reset()
            else:
                self._put(None)

    # -- what happens ----------------------------------------------------------------------------------------------

    def watch(self, events: int, callback: Callable[[int], None] | None) -> None:
        self._interest, self.callback = events, callback
        self.poke()

    @property
    def _ready(self) -> int:
        if self.accepting is not None:
            return READ if self.accepting else 0
        ready = 0
        if self._buffer or self._is_eof or self._error:
            ready |= READ
        if self._error or (self.peer is not None and self._unread < BUFFER):
            ready |= WRITE
        return ready

    def poke(self) -> None:
        """Call back, if it is ready for what is waited for."""
        if self.callback is not None and not self._is_due and self._ready & self._interest:
            self._is_due = True
            self._later(0.0, lambda: self.life.run(self._call, is_input=True))

    def _call(self) -> None:
        self._is_due = False
        events = self._ready & self._interest
        if self.callback is not None and events:
            self.callback(events)
            self.poke()

    def _later(self, seconds: float, task: Callable[[], None]) -> None:
        self.network.world.after(seconds, task)

    def _raise_error(self) -> None:
        if self._error:
            raise OSError(self._error, "the connection is broken")

    def _connect(self) -> None:
        if self.is_closed or not self.life.alive:
            return
        host, port = self._connecting
        other = self.network.life_at(host)
        if other is None or not self.network.is_open(self.life, other) or not self.network.is_open(other, self.life):
            self._later(SYN_SECONDS, self._connect)
            return
        server = self.network.listening.get((other.name, port))
        if server is None or server.accepting is None:
            self.broken(errno.ECONNREFUSED)
            return
        accepted = SimSocket(self.network, other)
        accepted.peer, self.peer = self, accepted
        accepted.peer_address = (self.network.address_of(self.life), 40000)
        self.network.connections.append((self, accepted))
        server.accepting.append(accepted)
        server.poke()
        self.poke()

    def _put(self, piece: bytes | None) -> None:
        """Send bytes, or with None that there are no more, on their way."""
        assert self.peer is not None
        world = self.network.world
        self._under_way.append(piece)
        self._last = max(self._last + 1e-6, world.now + self.network.delay(self.life, self.peer.life))
        self._later(self._last - world.now, self._arrive)

    def _arrive(self) -> None:
        peer = self.peer
        if peer is None or not self._under_way:
            return
        if not self.network.is_open(self.life, peer.life):
            self._later(0.05, self._arrive_after_cut)
            return
        piece = self._under_way.popleft()
        if peer.is_closed or not peer.life.alive:
            if piece is not None:
                self.broken(errno.ECONNRESET)
            return
        if piece is None:
            peer._is_eof = True
        else:
            peer._buffer += piece
        peer.poke()

    def _arrive_after_cut(self) -> None:
        """Bytes that were sent before come first, and all wait for TCP to send them again."""
        if self.peer is not None and self.network.is_open(self.life, self.peer.life):
            self._later(self.network.resend_delay(self), self._arrive)
        else:
            self._later(0.05, self._arrive_after_cut)

    def _was_read(self, size: int) -> None:
        was_full = self._unread >= BUFFER
        self._unread -= size
        if was_full:
            self.poke()

    def broken(self, error: int) -> None:
        """The connection is no more, and the code learns why."""
        peer, self.peer = self.peer, None
        self._error = error
        self._under_way.clear()
        self.poke()
        if peer is not None and peer.peer is self:
            self.network.forget_connection(self, peer)

    def reset(self) -> None:
        """End it; the peer is told, if the way to it is open, or else when it sends."""
        peer = self.peer
        self.is_closed, self.callback = True, None
        self._under_way.clear()
        if peer is not None and self.network.is_open(self.life, peer.life) and peer.life.alive:
            delay = self.network.delay(self.life, peer.life)
            self._later(delay, lambda: peer.broken(errno.ECONNRESET))
