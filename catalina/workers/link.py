"""A stream of frames between two processes of a node, on the event loop."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from catalina.errors import ProtocolError
from catalina.reactor import READ, WRITE
from catalina.workers.frames import Frame, FrameReader

if TYPE_CHECKING:
    from catalina.reactor import HasFileno

__all__ = ["Link"]

log = logging.getLogger("org.apache.catalina.workers.Link")

RECEIVE_BYTES = 256 * 1024
#: Number of reads in a row before other sockets have their turn.
MAX_READS = 16
#: Bytes that may wait for a peer that does not read. A worker that has fallen further behind does better to load all
#: anew.
MAX_QUEUED = 256 * 2**20
#: Buffers of the socket. The changes of a round fit in, so a write almost never waits.
SOCKET_BYTES = 2**20


class Poll(Protocol):
    """The part of a loop that a link needs."""

    def register(
        self, sock: HasFileno, events: int, callback: Callable[[int], None], *, first: bool = False
    ) -> None: ...

    def modify(self, sock: HasFileno, events: int) -> None: ...

    def unregister(self, sock: HasFileno) -> None: ...

    def call_soon(self, callback: Callable[[], None]) -> None: ...


class Link:
    """One connected stream.

    Args:
        sock: connected; the link owns it.
        on_frame: called in the runner with each frame. A ProtocolError that it raises ends the link.
        on_lost: called once in the runner when the peer has gone or broken the rules; not after :meth:`close`.
    """

    __slots__ = (
        "_closed",
        "_lock",
        "_name",
        "_on_frame",
        "_on_lost",
        "_queue",
        "_queued",
        "_reactor",
        "_reader",
        "_sock",
    )

    def __init__(
        self,
        sock: socket.socket,
        reactor: Poll,
        name: str,
        on_frame: Callable[[Frame], None],
        on_lost: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BYTES)
        self._sock = sock
        self._reactor = reactor
        self._name = name
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._reader = FrameReader()
        self._lock = threading.Lock()
        self._queue: deque[tuple[memoryview, Callable[[], None] | None]] = deque()
        self._queued = 0
        self._closed = False

    def __str__(self) -> str:
        return f"Link[{self._name}]"

    def limit(self, size: int) -> None:
        """Take no frames with a larger payload from now on."""
        self._reader.limit = size

    def open(self) -> None:
        """Read from now on, before everything else after a standstill."""
        self._reactor.register(self._sock, READ, self._on_ready, first=True)

    def move(self, poll: Poll) -> None:
        """Let another one poll it from now on. In the runner, before another thread knows the link."""
        self._reactor.unregister(self._sock)
        self._reactor = poll
        self.open()

    def close(self) -> None:
        """End the stream. Queued frames are lost."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.clear()
        self._reactor.unregister(self._sock)
        self._sock.close()

    def send(self, data: bytes, written: Callable[[], None] | None = None) -> bool:
        """Hand bytes to the kernel, or queue them behind those that wait. Any thread.

        Args:
            written: called in the runner when the kernel has them, if that is not so at the return.

        Returns:
            True when the kernel has them, or the link is closed: then nobody will.
        """
        with self._lock:
            if self._closed:
                return True
            rest = memoryview(data)
            if not self._queue:
                try:
                    rest = rest[self._sock.send(rest) :]
                except BlockingIOError:
                    pass
                except OSError as error:
                    self._lose_soon(error)
                    return True
                if not rest:
                    return True
                self._reactor.modify(self._sock, READ | WRITE)
            self._queue.append((rest, written))
            self._queued += len(rest)
            if self._queued > MAX_QUEUED:
                self._lose_soon(f"{self._queued} bytes wait, the limit is {MAX_QUEUED}")
            return False

    def catch_up(self) -> None:
        """Take what has come, out of its turn. In the runner, and not from within a frame of this link."""
        self._read()

    def _lose_soon(self, why: object) -> None:
        self._reactor.call_soon(lambda: self._lose(why))

    def _lose(self, why: object) -> None:
        if not self._closed:
            log.debug("%s ends: %s", self, why)
            self.close()
            self._on_lost()

    def _on_ready(self, events: int) -> None:
        if events & WRITE:
            self._write()
        if events & ~WRITE:
            self._read()

    def _read(self) -> None:
        for _ in range(MAX_READS):
            if self._closed:
                return
            try:
                data = self._sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._lose(error)
                return
            if not data:
                self._lose("the peer has closed it")
                return
            try:
                for frame in self._reader.feed(data):
                    self._on_frame(frame)
            except ProtocolError as error:
                log.error("%s ends: %s", self, error)
                self._lose(error)
                return
            if len(data) < RECEIVE_BYTES:
                return

    def _write(self) -> None:
        done: list[Callable[[], None]] = []
        with self._lock:
            while self._queue:
                data, written = self._queue[0]
                try:
                    count = self._sock.send(data)
                except BlockingIOError:
                    break
                except OSError as error:
                    self._lose_soon(error)
                    break
                self._queued -= count
                if count < len(data):
                    self._queue[0] = (data[count:], written)
                    break
                self._queue.popleft()
                if written is not None:
                    done.append(written)
            if not self._queue and not self._closed:
                self._reactor.modify(self._sock, READ)
        for written in done:
            written()
