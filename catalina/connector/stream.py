"""A non-blocking socket in the loop: input, output that the client takes in its own time, deadlines.

A connection belongs to one thread at a time. While it is *attached*, it is in the loop's poll set and belongs to the
runner. Before another thread uses it, it is detached, and attaching it again is the last thing that this thread does
with it.
"""

from __future__ import annotations

import logging
import math
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.polling import is_ready
from catalina.reactor import READ, WRITE

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.request_executor import RequestExecutor
    from catalina.coyote.abstract_protocol import AbstractProtocol
    from catalina.reactor import Reactor

__all__ = ["ClientFacts", "FilePart", "Pace", "Stream", "StreamUser", "file_blocks", "seconds_of"]

log = logging.getLogger("org.apache.catalina.connector.Connection")

#: Bytes per recv.
RECEIVE_SIZE = 32 * 1024
#: Output is copied into one piece up to this size, because one send of it is cheaper than sendmsg of two.
JOIN_SIZE = 64 * 1024
#: Bytes that may wait for the client before a thread that produces more has to wait.
HIGH_WATER = 256 * 1024
#: The thread then waits until so few bytes are left: waking up for each packet would keep the processor from others.
LOW_WATER = 64 * 1024
#: Bytes of a file per read when the kernel cannot send it.
FILE_BLOCK = 64 * 1024


class FilePart:
    """A part of a file that waits to be sent; the file is closed behind it."""

    __slots__ = ("count", "file", "offset")

    def __init__(self, file: BinaryIO, offset: int, count: int) -> None:
        self.file = file
        self.offset = offset
        self.count = count


class Pace:
    """The time for which one side has waited for the other during one body, and the bytes that came of it.

    A client that sends a byte now and then never exceeds a time-out per portion. Here it has the time-out only once,
    and a further second for each ``rate`` bytes.
    """

    __slots__ = ("_grace_s", "_rate", "_since", "_size", "_waited_s")

    def __init__(self, grace_s: float, rate: int) -> None:
        self._grace_s = grace_s if rate > 0 else math.inf
        self._rate = max(1, rate)
        self._size = 0
        self._waited_s = 0.0
        self._since = time.monotonic()

    def start(self) -> None:
        """The wait begins, or continues."""
        self._since = time.monotonic()

    def note(self, size: int) -> None:
        """Note that so many bytes came or went since the wait began."""
        now = time.monotonic()
        self._waited_s += now - self._since
        self._since = now
        self._size += size

    @property
    def left_s(self) -> float:
        """Seconds that the wait may still take; infinite without a rate."""
        return self._grace_s + self._size / self._rate - self._waited_s


class StreamHost(Protocol):
    """The endpoint, as its streams see it."""

    @property
    def reactor(self) -> Reactor: ...

    @property
    def executor(self) -> RequestExecutor: ...

    @property
    def handler(self) -> AbstractProtocol: ...

    def log_fault(self, connection: object) -> None:
        """Log the current exception as a fault of ours, or of foreign code, that affects only ``connection``."""


class StreamUser(Protocol):
    """The protocol of a stream; the loop makes all calls."""

    def on_input(self) -> None:
        """The socket has input, or its end."""

    def on_output_sent(self) -> None:
        """The kernel has taken all waiting output."""

    def close(self) -> None:
        """The client has gone, or the previous call has failed: end."""


class ClientFacts(Protocol):
    """The facts that a handshake has told of a client."""

    def add_to(self, request: Request) -> None:
        """Let a request say them."""

    def check_host(self, host: str | None) -> None:
        """Raises HttpError: the connection is not for this host."""


class Stream:
    """A plain socket that moves bytes in and out. Its user knows their meaning.

    Args:
        host: the endpoint that accepted it.
        sock: non-blocking.
        peer: address and port of the client.
        uses_sendfile: let the kernel send files.
    """

    # Slots in all its kinds, because instances with more than 30 attributes no longer share one table of names, and
    # then each method call looks twice.
    __slots__ = (
        "_flushed",
        "_host",
        "_out_pace",
        "_pace",
        "_uses_sendfile",
        "attached",
        "closed",
        "deadline",
        "interest",
        "may_wait",
        "on_ready",
        "out",
        "out_size",
        "peer",
        "reactor",
        "sock",
        "timeout_s",
        "user",
        "waits_for_client",
    )

    #: True when a send that took only a part may take more at once, as TLS does, record by record.
    sends_in_parts = False
    #: True when another process can continue with the socket, because its whole state is in the kernel.
    can_be_handed_over = True
    #: The facts about TLS that requests report.
    tls: ClientFacts | None = None

    user: StreamUser

    def __init__(
        self, host: StreamHost, sock: socket.socket, peer: tuple[str, int], uses_sendfile: bool = True
    ) -> None:
        self._host = host
        self.reactor = host.reactor
        self.sock = sock
        self._uses_sendfile = uses_sendfile
        self.peer = (peer[0].removeprefix("::ffff:"), peer[1])
        #: Monotonic time after which the client has been silent for too long; infinite while a request runs.
        self.deadline = math.inf
        self.closed = False
        #: True while the loop watches the socket.
        self.attached = False
        self.interest = READ
        #: Called with the events of the loop, for a user that handles them itself; set before the stream is attached.
        self.on_ready: Callable[[int], None] | None = None
        self.out: deque[memoryview | FilePart] = deque()
        self.out_size = 0
        #: False where a thread that sends must not wait for the client.
        self.may_wait = True
        self._flushed = 0  # bytes of the waiting output that have been taken since
        #: True while its request waits for the client, in its own thread.
        self.waits_for_client = False
        self._pace: Pace | None = None  # the pace of the request's body, once it was waited for
        self._out_pace: Pace | None = None  # the pace of the client, while it has not taken everything
        self.timeout_s = seconds_of(host.handler.effective_connection_timeout_ms)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer[0]}:{self.peer[1]}>"

    # The poll set

    def attach(self, interest: int) -> None:
        """Let the loop watch the socket. In another thread than the runner this must be the last thing done here."""
        if self.closed:
            return
        self.interest = interest
        if self.attached:
            self.reactor.modify(self.sock, interest)
        else:
            self.attached = True
            self.reactor.register(self.sock, interest, self.on_ready or self._on_ready)

    def await_input(self) -> None:
        """Return to the loop until there is input; the deadline must have been set."""
        if not self.attached or self.interest != READ:
            self.attach(READ)

    def await_output(self) -> None:
        """Return to the loop until the client has taken the waiting output."""
        pace = self._send_pace()
        pace.start()
        self.deadline = time.monotonic() + min(self.timeout_s, pace.left_s)
        self.attach(WRITE)

    def _send_pace(self) -> Pace:
        if self._out_pace is None:
            self._out_pace = Pace(self.timeout_s, self._host.handler.min_download_rate)
        return self._out_pace

    def begin_body(self) -> None:
        """The next input is a body of its own."""
        self._pace = None

    def await_body(self, timeout_s: float, size: int) -> None:
        """The next portion of a body has its own time-out, and the body as a whole must come at a minimal rate.

        Args:
            size: bytes that have come just now.
        """
        pace = self._receive_pace(timeout_s)
        pace.note(size)
        self.deadline = time.monotonic() + min(timeout_s, pace.left_s)

    def _receive_pace(self, timeout_s: float) -> Pace:
        if self._pace is None:
            self._pace = Pace(timeout_s, self._host.handler.min_upload_rate)
        return self._pace

    def detach(self) -> None:
        """Take the socket out of the loop, because another thread continues with this connection."""
        if self.attached:
            self.attached = False
            self.reactor.unregister(self.sock)

    def _on_ready(self, events: int) -> None:
        user = self.user  # deleted when it closes
        try:
            if events & WRITE and self.interest & WRITE:
                self.on_writable()
            else:
                user.on_input()
        except BaseException:  # noqa: BLE001 - our own fault, which log_fault logs: it costs this connection only
            self._host.log_fault(user)
            user.close()

    # Input

    def receive(self) -> bytes | None:
        """Read what is there: None when nothing is, ``b""`` at the end of the stream."""
        try:
            return self.sock.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def receive_waiting(self, timeout_s: float) -> bytes:
        """Wait for input in the thread that runs the request.

        Raises:
            ClientAbortException: the client has gone, or is silent or slow for too long.
        """
        data = self.receive()
        if data is None:
            pace = self._receive_pace(timeout_s)
            with self._host.executor.client_wait(self):
                pace.start()
                deadline = time.monotonic() + min(timeout_s, pace.left_s)
                while data is None:
                    if not is_ready(self.sock, select.POLLIN, deadline - time.monotonic()):
                        raise self._too_slow(timeout_s)
                    data = self.receive()
                pace.note(len(data))
        elif self._pace is not None:
            self._pace.start()
            self._pace.note(len(data))
        if not data:
            raise ClientAbortException(f"{self.peer[0]}: the client closed the connection")
        return data

    def _too_slow(self, timeout_s: float) -> ClientAbortException:
        rate = self._host.handler.min_upload_rate
        return ClientAbortException(
            f"{self.peer[0]}: nothing came for {timeout_s:g} seconds, or less than minUploadRate {rate} bytes a second",
            408,
        )

    # Output

    def send(self, data: bytes) -> None:
        """Send; keep the bytes that the client does not take yet.

        Raises:
            ClientAbortException: the client has gone, or took nothing for too long.
        """
        if self.out:
            self.queue(memoryview(data))
            self._wait_if_much()
            return
        sent = self._transmit(data)
        if sent < len(data):
            self.queue(memoryview(data)[sent:])
            if self.sends_in_parts and sent:
                self.flush()
            self._wait_if_much()

    def send_parts(self, parts: Sequence[bytes]) -> None:
        """Send several pieces at once."""
        size = sum(map(len, parts))
        if size <= JOIN_SIZE:
            self.send(b"".join(parts))
            return
        for part in parts:
            self.queue(memoryview(part))
        self.flush()
        self._wait_if_much()

    def send_file_part(self, part: FilePart) -> None:
        """Send a part of a file, or keep the rest that the client does not take yet."""
        self.out.append(part)
        self.flush()

    def queue(self, data: memoryview) -> None:
        """Keep bytes that are sent with the next ones."""
        self.out.append(data)
        self.out_size += len(data)

    def _transmit(self, data: bytes | memoryview) -> int:
        """Send; returns the bytes that the kernel took, 0 when it takes none now."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise ClientAbortException(f"{self.peer[0]}: {exc}") from exc

    def _transmit_file(self, part: FilePart) -> int:
        """The same for a file. Raises ClientAbortException, even when the file has become shorter."""
        try:
            sent = os.sendfile(self.sock.fileno(), part.file.fileno(), part.offset, part.count)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise ClientAbortException(f"{self.peer[0]}: {exc}") from exc
        if sent == 0:
            raise ClientAbortException(f"a file became shorter while it was sent to {self.peer[0]}")
        return sent

    def flush(self) -> bool:
        """Send as much of the waiting output as the client takes; returns True when nothing is left."""
        while self.out:
            first = self.out[0]
            if isinstance(first, FilePart):
                if not self._flush_file(first):
                    return False
                continue
            sent = self._transmit(first)
            self.out_size -= sent
            self._flushed += sent
            if sent < len(first):
                self.out[0] = first[sent:]
                return False
            self.out.popleft()
        self._out_pace = None
        return True

    def _flush_file(self, part: FilePart) -> bool:
        while part.count > 0:
            sent = self._transmit_file(part) if self._uses_sendfile else self._transmit_block(part)
            if sent == 0:
                return False
            part.offset += sent
            part.count -= sent
            self._flushed += sent
        self.out.popleft()
        part.file.close()
        return True

    def _transmit_block(self, part: FilePart) -> int:
        block = os.pread(part.file.fileno(), min(FILE_BLOCK, part.count), part.offset)
        if not block:
            raise ClientAbortException(f"a file became shorter while it was sent to {self.peer[0]}")
        return self._transmit(block)

    def _wait_if_much(self) -> None:
        """Make a thread wait that produces more than the client takes."""
        if self.out_size <= HIGH_WATER or not self.may_wait:
            return
        pace = self._send_pace()
        executor = self._host.executor
        with executor.waiting_for_client() as allowed, executor.client_wait(self):
            if not allowed:
                raise ClientAbortException(f"{self.peer[0]}: reads too slowly while all threads wait for such clients")
            pace.start()
            while self.out_size > LOW_WATER:
                if not is_ready(self.sock, select.POLLOUT, min(self.timeout_s, pace.left_s)):
                    raise ClientAbortException(
                        f"{self.peer[0]}: took nothing for {self.timeout_s:g} seconds, or less than minDownloadRate "
                        f"{self._host.handler.min_download_rate} bytes a second"
                    )
                before = self._flushed
                self.flush()
                pace.note(self._flushed - before)

    def on_writable(self) -> None:
        """The client takes more of the waiting output."""
        before = self._flushed
        pace = self._send_pace()
        try:
            done = self.flush()
        except ClientAbortException as exc:
            log.debug("%s", exc)
            self.user.close()
            return
        if done:
            self.user.on_output_sent()
        elif self._flushed != before:
            pace.note(self._flushed - before)
            self.deadline = time.monotonic() + min(self.timeout_s, pace.left_s)

    # The end

    @property
    def has_input(self) -> bool:
        """True when there is input, or its end. Any thread."""
        try:
            return is_ready(self.sock, select.POLLIN, 0.0)
        except (OSError, ValueError):  # the loop has closed it meanwhile
            return False

    def end_output(self) -> None:
        """Let the client see that nothing follows; its own bytes are still read.

        Raises:
            OSError: the client has gone.
        """
        self.sock.shutdown(socket.SHUT_WR)

    def leave(self) -> None:
        """End without closing the socket, because another process continues with it."""
        self.closed = True
        self.detach()
        del self.user, self.on_ready  # they refer back to this object, and the garbage collector has enough to do

    def close(self) -> None:
        """Close the socket, and the files that were to be sent; idempotent."""
        if self.closed:
            return
        self.leave()
        files = [part.file for part in self.out if isinstance(part, FilePart)]
        self.out.clear()
        self.sock.close()
        for file in files:
            file.close()


def file_blocks(file: BinaryIO, offset: int, count: int, peer: str) -> Iterator[bytes]:
    """A part of a file in blocks, where the kernel cannot send it because heads of packets come in between.

    The file is closed at the end.

    Args:
        peer: named in the error.

    Raises:
        ClientAbortException: the file has become shorter.
    """
    with file:
        while count > 0:
            block = os.pread(file.fileno(), min(FILE_BLOCK, count), offset)
            if not block:
                raise ClientAbortException(f"a file became shorter while it was sent to {peer}")
            yield block
            offset += len(block)
            count -= len(block)


def seconds_of(milliseconds: int) -> float:
    """An attribute in milliseconds as seconds; -1 and 0 wait for ever, as in Tomcat."""
    return milliseconds / 1000 if milliseconds > 0 else math.inf
