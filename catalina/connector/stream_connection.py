"""A non-blocking socket in the loop: input, output that the client takes when it likes, deadlines.

A connection belongs to one thread at a time. While it is *attached* it is in the loop's poll set and belongs to the
runner. To run in another thread it is detached first, and attaching it again is the last thing that thread does with
it.
"""

from __future__ import annotations

import logging
import math
import os
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.polling import is_ready
from catalina.reactor import READ, WRITE

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint
    from catalina.connector.request import Request

__all__ = ["FilePart", "Pace", "StreamConnection"]

log = logging.getLogger("org.apache.catalina.connector.Connection")

#: Bytes per recv.
RECEIVE_SIZE = 32 * 1024
#: Output is copied into one piece up to this size, because one send of it is cheaper than sendmsg of two.
JOIN_SIZE = 64 * 1024
#: Bytes that wait for the client before a thread that produces more has to wait too.
HIGH_WATER = 256 * 1024
#: Then it waits until so many are left: a thread that woke up for each packet would keep the processor from the others.
LOW_WATER = 64 * 1024
#: Seconds that a connection without a request yet gets for one when the connector stops.
LAST_REQUEST_SECONDS = 0.5
#: Bytes of a file per read where the kernel cannot send it.
FILE_BLOCK = 64 * 1024


class FilePart:
    """A part of a file that waits to be sent; the file is closed behind it."""

    __slots__ = ("count", "file", "offset")

    def __init__(self, file: BinaryIO, offset: int, count: int) -> None:
        self.file = file
        self.offset = offset
        self.count = count


class Pace:
    """How long one side has waited for the other during one body, beside how many bytes that brought.

    A client that lets a byte drip now and then never runs into a time-out per portion; here it has the time-out once,
    and then a second more for each ``rate`` bytes.
    """

    __slots__ = ("_grace_s", "_rate", "_since", "_size", "_waited_s")

    def __init__(self, grace_s: float, rate: int) -> None:
        self._grace_s = grace_s if rate > 0 else math.inf
        self._rate = max(1, rate)
        self._size = 0
        self._waited_s = 0.0
        self._since = time.monotonic()

    def start(self) -> None:
        """The wait begins, or goes on."""
        self._since = time.monotonic()

    def note(self, size: int) -> None:
        """So many bytes came or went since the wait began."""
        now = time.monotonic()
        self._waited_s += now - self._since
        self._since = now
        self._size += size

    @property
    def left_s(self) -> float:
        """Seconds that may still be waited; infinite without a rate."""
        return self._grace_s + self._size / self._rate - self._waited_s


class StreamConnection:
    """One accepted connection. A subclass says what to do with input in :meth:`_on_input` and friends.

    Args:
        endpoint: that accepted it.
        sock: non-blocking.
        peer: address and port of the client.
    """

    # Slots in all its kinds: together they have more attributes than the instances of a class can share the names of,
    # and then each call of a method looks twice.
    __slots__ = (
        "_attached",
        "_flushed",
        "_interest",
        "_may_wait",
        "_out",
        "_out_pace",
        "_out_size",
        "_pace",
        "_timeout_s",
        "closed",
        "deadline",
        "endpoint",
        "peer",
        "reactor",
        "running",
        "sock",
        "waits_for_client",
    )

    #: True when the kernel may send files; TLS encrypts in this process.
    uses_sendfile = True
    #: Whether a send that took only a part may take more at once, as TLS does record by record.
    sends_in_parts = False

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        self.endpoint = endpoint
        self.reactor = endpoint.reactor
        self.sock = sock
        self.peer = (peer[0].removeprefix("::ffff:"), peer[1])
        self.deadline = math.inf
        self.running = False
        self.closed = False
        self._attached = False
        self._interest = READ
        self._out: deque[memoryview | FilePart] = deque()
        self._out_size = 0
        self._may_wait = True
        self._flushed = 0  # bytes of what waited that have been taken since
        #: Its request waits for the client just now, in its own thread.
        self.waits_for_client = False
        self._pace: Pace | None = None  # of the request's body, once it was waited for
        self._out_pace: Pace | None = None  # of the client, while it has not taken everything
        self._timeout_s = seconds_of(endpoint.handler.effective_connection_timeout_ms)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer[0]}:{self.peer[1]}>"

    def start(self) -> None:
        """Wait for the first bytes."""
        self.deadline = time.monotonic() + self._timeout_s
        self._attach(READ)

    # What a subclass does

    def _on_input(self) -> None:
        """The socket has input, or its end."""
        raise NotImplementedError

    def _on_output_sent(self) -> None:
        """Everything that waited has been taken by the kernel."""
        raise NotImplementedError

    # The poll set

    def _attach(self, interest: int) -> None:
        """Let the loop watch the socket. In another thread than the runner this must be the last thing done here."""
        if self.closed:
            return
        self._interest = interest
        if self._attached:
            self.reactor.modify(self.sock, interest)
        else:
            self._attached = True
            self.reactor.register(self.sock, interest, self._on_ready)

    def _await_input(self) -> None:
        """Go back to the loop until there is input; the deadline must have been set."""
        if not self._attached or self._interest != READ:
            self._attach(READ)

    def _await_output(self) -> None:
        """Go back to the loop until the client has taken what waits."""
        pace = self._send_pace()
        pace.start()
        self.deadline = time.monotonic() + min(self._timeout_s, pace.left_s)
        self._attach(WRITE)

    def _send_pace(self) -> Pace:
        if self._out_pace is None:
            self._out_pace = Pace(self._timeout_s, self.endpoint.handler.min_download_rate)
        return self._out_pace

    def _receive_pace(self, timeout_s: float) -> Pace:
        if self._pace is None:
            self._pace = Pace(timeout_s, self.endpoint.handler.min_upload_rate)
        return self._pace

    def _detach(self) -> None:
        """Take the socket out of the loop: another thread goes on with this connection."""
        if self._attached:
            self._attached = False
            self.reactor.unregister(self.sock)

    def _on_ready(self, events: int) -> None:
        try:
            if events & WRITE and self._interest & WRITE:
                self._on_writable()
            else:
                self._on_input()
        except BaseException:  # noqa: BLE001 - our own fault, which log_fault logs: it costs this connection only
            self.endpoint.log_fault(self)
            self.close()

    # Input

    def _receive(self) -> bytes | None:
        """What is there: None when nothing is, ``b""`` at the end of the stream."""
        try:
            return self.sock.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _receive_waiting(self, timeout_s: float) -> bytes:
        """Wait for input in the thread that runs the request.

        Raises:
            ClientAbortException: the client has gone, or is silent or slow for too long.
        """
        data = self._receive()
        if data is None:
            pace = self._receive_pace(timeout_s)
            with self.endpoint.executor.client_wait(self):
                pace.start()
                deadline = time.monotonic() + min(timeout_s, pace.left_s)
                while data is None:
                    if not is_ready(self.sock, select.POLLIN, deadline - time.monotonic()):
                        raise self._too_slow(timeout_s)
                    data = self._receive()
                pace.note(len(data))
        elif self._pace is not None:
            self._pace.start()
            self._pace.note(len(data))
        if not data:
            raise ClientAbortException(f"{self.peer[0]}: the client closed the connection")
        return data

    def _too_slow(self, timeout_s: float) -> ClientAbortException:
        rate = self.endpoint.handler.min_upload_rate
        return ClientAbortException(
            f"{self.peer[0]}: nothing came for {timeout_s:g} seconds, or less than minUploadRate {rate} bytes a second",
            408,
        )

    # Output

    def _send(self, data: bytes) -> None:
        """Send, or keep what the client does not take yet.

        Raises:
            ClientAbortException: the client has gone, or took nothing for too long.
        """
        if self._out:
            self._queue(memoryview(data))
            self._wait_if_much()
            return
        sent = self._transmit(data)
        if sent < len(data):
            self._queue(memoryview(data)[sent:])
            if self.sends_in_parts and sent:
                self._flush()
            self._wait_if_much()

    def _send_parts(self, parts: Sequence[bytes]) -> None:
        """Send several pieces in one go."""
        size = sum(map(len, parts))
        if size <= JOIN_SIZE:
            self._send(b"".join(parts))
            return
        for part in parts:
            self._queue(memoryview(part))
        self._flush()
        self._wait_if_much()

    def _send_file_part(self, part: FilePart) -> None:
        self._out.append(part)
        self._flush()

    def _queue(self, data: memoryview) -> None:
        self._out.append(data)
        self._out_size += len(data)

    def _transmit(self, data: bytes | memoryview) -> int:
        """Bytes that the kernel took; 0 when it takes none now."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise ClientAbortException(f"{self.peer[0]}: {exc}") from exc

    def _transmit_file(self, part: FilePart) -> int:
        """The same for a file. Raises ClientAbortException, also when the file has become shorter."""
        try:
            sent = os.sendfile(self.sock.fileno(), part.file.fileno(), part.offset, part.count)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise ClientAbortException(f"{self.peer[0]}: {exc}") from exc
        if sent == 0:
            raise ClientAbortException(f"a file became shorter while it was sent to {self.peer[0]}")
        return sent

    def _flush(self) -> bool:
        """Send of what waits as much as the client takes; whether that is all."""
        while self._out:
            first = self._out[0]
            if isinstance(first, FilePart):
                if not self._flush_file(first):
                    return False
                continue
            sent = self._transmit(first)
            self._out_size -= sent
            self._flushed += sent
            if sent < len(first):
                self._out[0] = first[sent:]
                return False
            self._out.popleft()
        self._out_pace = None
        return True

    def _flush_file(self, part: FilePart) -> bool:
        while part.count > 0:
            sent = self._transmit_file(part) if self.uses_sendfile else self._transmit_block(part)
            if sent == 0:
                return False
            part.offset += sent
            part.count -= sent
            self._flushed += sent
        self._out.popleft()
        part.file.close()
        return True

    def _transmit_block(self, part: FilePart) -> int:
        block = os.pread(part.file.fileno(), min(FILE_BLOCK, part.count), part.offset)
        if not block:
            raise ClientAbortException(f"a file became shorter while it was sent to {self.peer[0]}")
        return self._transmit(block)

    def _wait_if_much(self) -> None:
        """A thread that produces more than the client takes waits for it."""
        if self._out_size <= HIGH_WATER or not self._may_wait:
            return
        pace = self._send_pace()
        executor = self.endpoint.executor
        with executor.waiting_for_client() as allowed, executor.client_wait(self):
            if not allowed:
                raise ClientAbortException(f"{self.peer[0]}: reads too slowly while all threads wait for such clients")
            pace.start()
            while self._out_size > LOW_WATER:
                if not is_ready(self.sock, select.POLLOUT, min(self._timeout_s, pace.left_s)):
                    raise ClientAbortException(
                        f"{self.peer[0]}: took nothing for {self._timeout_s:g} seconds, or less than minDownloadRate "
                        f"{self.endpoint.handler.min_download_rate} bytes a second"
                    )
                before = self._flushed
                self._flush()
                pace.note(self._flushed - before)

    def _on_writable(self) -> None:
        before = self._flushed
        pace = self._send_pace()
        try:
            done = self._flush()
        except ClientAbortException as exc:
            log.debug("%s", exc)
            self.close()
            return
        if done:
            self._on_output_sent()
        elif self._flushed != before:
            pace.note(self._flushed - before)
            self.deadline = time.monotonic() + min(self._timeout_s, pace.left_s)

    # End

    def time_out(self) -> None:
        """Nothing came or went for too long."""
        self.close()

    def running_requests(self) -> list[Request]:
        """The requests that run now."""
        return []

    def close_when_idle(self) -> None:
        """The connector pauses: what the client has sent already is answered; a new client gets a moment for it."""
        if self.running:
            return
        if self.unread:
            self.deadline = min(self.deadline, time.monotonic() + LAST_REQUEST_SECONDS)
        else:
            self.close()

    @property
    def unread(self) -> bool:
        """True when a request is, or may be, on its way: nothing was served yet, or there is input. Any thread."""
        if self.closed or self.running:
            return False
        try:
            return self._is_new() or is_ready(self.sock, select.POLLIN, 0.0)
        except (OSError, ValueError):  # the loop has closed it meanwhile
            return False

    def _is_new(self) -> bool:
        """True when the connection has not served anything yet."""
        return False

    def _leave(self) -> None:
        """End without closing the socket: somebody else goes on with it."""
        self.closed = True
        self.running = False
        self._detach()
        self.endpoint.forget(self)

    def close(self) -> None:
        """Close the socket; idempotent."""
        if self.closed:
            return
        self._leave()
        files = [part.file for part in self._out if isinstance(part, FilePart)]
        self._out.clear()
        self.sock.close()
        for file in files:
            file.close()


def seconds_of(milliseconds: int) -> float:
    """An attribute in milliseconds as seconds; -1 and 0 wait for ever, as in Tomcat."""
    return milliseconds / 1000 if milliseconds > 0 else math.inf
