"""One HTTP/2 connection (RFC 9113; Tomcat: coyote/http2/Http2UpgradeHandler.java), on the library h2.

Unlike the other protocols several requests run at a time on one connection, in several threads. So the connection stays
in the loop, which reads, and everything that touches h2's state or the socket happens under one lock, never for long.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_stream import Http2Stream
from catalina.connector.stream_connection import HIGH_WATER, StreamConnection, seconds_of
from catalina.connector.tls_stream import TlsStream
from catalina.coyote.http_error import HttpError
from catalina.reactor import READ, WRITE

if TYPE_CHECKING:
    from h2.connection import H2Connection

    from catalina.connector.endpoint import Endpoint
    from catalina.connector.request import Request

__all__ = ["PREFACE", "Http2Connection", "TlsHttp2Connection"]

log = logging.getLogger("org.apache.coyote.http2.Http2UpgradeHandler")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: Frames that cost work and carry nothing (resets, pings, settings) which a client may send within a window of seconds;
#: browsers send a handful (CVE-2023-44487 and its relatives).
OVERHEAD_FRAMES = 500
OVERHEAD_SECONDS = 10.0
#: Bytes that all streams of a connection together may send ahead, beyond the 64 KiB that every connection begins with.
CONNECTION_WINDOW = 1024 * 1024
#: Bytes per DATA frame and turn, so that the streams of a connection share it.
TURN = 16 * 1024


class Http2Connection(StreamConnection):
    """Streams of one client."""

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        super().__init__(endpoint, sock, peer)
        settings = endpoint.connector.http2
        if settings is None:
            raise TypeError(f"{endpoint.connector} has no HTTP/2 configured")
        self.settings = settings
        self.lock = threading.RLock()
        #: Told when windows open or the socket drains, for threads that produce more than the client takes.
        self.room = threading.Condition(self.lock)
        self.streams: dict[int, Http2Stream] = {}
        self.facts = ConnectionFacts()
        self.h2 = self._make_h2()
        #: Streams whose requests can run. Whoever is the loop's thread takes the next: a slow one holds up no other.
        self._ready: deque[Http2Stream] = deque()
        self._executing = 0
        self._waiting: deque[Http2Stream] = deque()
        self._overhead = 0
        self._overhead_since = 0.0
        self._ending = False
        self._keep_alive_s = seconds_of(self.settings.keep_alive_timeout)
        self._read_timeout_s = seconds_of(self.settings.read_timeout)

    def _make_h2(self) -> H2Connection:
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.settings import SettingCodes

        settings = self.settings
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        h2.local_settings.update({
            SettingCodes.MAX_CONCURRENT_STREAMS: settings.max_concurrent_streams,
            SettingCodes.INITIAL_WINDOW_SIZE: settings.initial_window_size,
            SettingCodes.MAX_HEADER_LIST_SIZE: self.endpoint.connector.http.request_header_size,
            SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
        })  # fmt: skip
        return h2

    def take_over(self, facts: ConnectionFacts, data: bytes) -> None:
        """Go on where an HTTP/1.1 connection has ended: with what its requests would have in common, and its input."""
        self.facts = facts
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(CONNECTION_WINDOW)
        self._note_idle()
        self._attach(READ)
        self._process(data)

    # What TLS knows of a request

    def add_facts(self, request: Request) -> None:
        """Nothing without TLS."""

    def check_host(self, host: str | None) -> None:
        """The same."""

    # Input, in the loop

    def _on_ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._on_writable()
            if events & ~WRITE and not self.closed:
                self._on_input()
        except BaseException:  # our own fault: it costs this connection only
            log.exception("Error processing %r", self)
            self.close()

    def _on_input(self) -> None:
        with self.lock:  # the socket too: TLS cannot read and write in two threads at once
            data = self._receive()
        if data is None:
            return
        if not data:
            self.close()
            return
        self._process(data)

    def _process(self, data: bytes) -> None:
        from h2.exceptions import ProtocolError

        with self.lock:
            try:
                events = self.h2.receive_data(data) if data else []
            except (ProtocolError, UnicodeDecodeError) as exc:
                log.debug("%r: %s", self, exc)
                self._end(int(getattr(exc, "error_code", 1)))
                return
            self._ready.extend(stream for event in events if (stream := self._on_event(event)) is not None)
            self._pump_all()
            self._note_idle()
            if data and not events and not self.running:  # a part of a frame: its rest must not take for ever
                self.deadline = min(self.deadline, time.monotonic() + self._read_timeout_s)
        self.run_ready()

    def _on_event(self, event: Any) -> Http2Stream | None:
        """Handle one event of h2; returns the stream whose request can run now."""
        kind = type(event).__name__
        stream = self.streams.get(getattr(event, "stream_id", 0) or 0)
        if kind == "RequestReceived":
            return self._open_stream(event)
        if kind == "DataReceived":
            return self._on_data(event, stream)
        if kind == "StreamEnded":
            return None if stream is None else stream.on_end()
        if kind == "WindowUpdated" or kind == "RemoteSettingsChanged":
            self.room.notify_all()
        elif kind == "StreamReset":
            self._count_overhead()
            if stream is not None:
                stream.on_reset()
        elif kind in ("PingReceived", "SettingsAcknowledged", "PriorityUpdated"):
            self._count_overhead()
        elif kind == "ConnectionTerminated":
            self._ending = True
        return None

    def _open_stream(self, event: Any) -> Http2Stream | None:
        stream = Http2Stream(self, event.stream_id)
        self.streams[event.stream_id] = stream
        try:
            stream.begin(event.headers, event.stream_ended is not None)
        except HttpError as refused:
            stream.refuse(refused)
        return stream if stream.is_ready else None

    def _on_data(self, event: Any, stream: Http2Stream | None) -> Http2Stream | None:
        if not event.data:
            self._count_overhead()
        if stream is None:  # answered already; the window of the connection must still open again
            with contextlib.suppress(Exception):  # the stream is closed for h2 too
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            return None
        return stream.on_data(event.data, event.flow_controlled_length)

    def _count_overhead(self) -> None:
        now = time.monotonic()
        if now - self._overhead_since > OVERHEAD_SECONDS:
            self._overhead, self._overhead_since = 0, now
        self._overhead += 1
        if self._overhead > OVERHEAD_FRAMES:
            log.warning("%r: too much overhead, the connection is closed", self)
            self._end(11)  # ENHANCE_YOUR_CALM

    # Output, in any thread, under the lock

    def flush(self) -> None:
        """Hand h2's frames to the kernel, or keep them until the client takes them."""
        data = self.h2.data_to_send()
        if data and not self.closed:
            self._may_wait = False  # never under the lock: who produces too much waits in wait_for_room
            self._send(data)
            if self._out and not self._interest & WRITE:
                self._attach(READ | WRITE)

    def _pump_all(self) -> None:
        """Send what streams have waiting, in turns, as far as windows and the socket allow."""
        waiting = [stream for stream in self.streams.values() if stream.has_output]
        while waiting and self._out_size < HIGH_WATER:
            waiting = [stream for stream in waiting if stream.pump(TURN)]
        try:
            self.flush()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()
        self.room.notify_all()

    def _on_writable(self) -> None:
        with self.lock:
            if self._interest & WRITE:
                super()._on_writable()

    def _on_output_sent(self) -> None:
        self._attach(READ)
        self._pump_all()
        self._note_idle()

    def pump(self, stream: Http2Stream) -> None:
        """A stream has more to send."""
        with self.lock:
            self._pump_all()

    def wait_for_room(self, stream: Http2Stream) -> None:
        """Wait, in the thread of a request, until the client has taken most of what it produced.

        Raises:
            ClientAbortException: the client has gone, or takes nothing for too long.
        """
        timeout_s = seconds_of(self.settings.stream_write_timeout)
        with self.reactor.blocking(), self.lock:
            deadline = time.monotonic() + timeout_s
            while stream.output_size > HIGH_WATER and not self.closed and not stream.reset:
                left = deadline - time.monotonic()
                if left <= 0 or not self.room.wait(None if left == math.inf else left):
                    raise ClientAbortException(f"{self.peer[0]}: took nothing for {timeout_s:g} seconds")
        if self.closed or stream.reset:
            raise ClientAbortException(f"{self.peer[0]}: the client has gone")

    # Life

    def run_ready(self) -> None:
        """Run what is ready, in the loop's thread, as long as this is it."""
        while self._ready and self.reactor.in_runner:
            self._start_stream(self._ready.popleft())

    def _start_stream(self, stream: Http2Stream) -> None:
        """Run a request, or let it wait while maxConcurrentStreamExecution of this connection run."""
        limit = self.settings.max_concurrent_stream_execution
        with self.lock:
            if self._executing >= limit:
                self._waiting.append(stream)
                return
            self._executing += 1
        stream.run()

    def stream_executed(self) -> None:
        """A request has returned from the container: one that waits may run."""
        with self.lock:
            if not self._waiting:
                self._executing -= 1
                return
            following = self._waiting.popleft()
        self.reactor.call_soon(following.run)

    def stream_done(self, stream: Http2Stream) -> None:
        """The answer of a stream is out, or nobody wants it any more."""
        with self.lock:
            if self.streams.pop(stream.number, None) is not None:
                stream.drop_body()
            self._note_idle()
            if not self.streams and (self._ending or self.endpoint.paused) and not self._out:
                self.reactor.call_soon(self.close)

    def _note_idle(self) -> None:
        """Deadlines count while nothing runs; a running request has its own."""
        self.running = bool(self.streams)
        self.deadline = math.inf if self.running else time.monotonic() + self._keep_alive_s

    def _end(self, error_code: int) -> None:
        """GOAWAY, and close."""
        with contextlib.suppress(Exception):  # h2 refuses when it has said goodbye already
            self.h2.close_connection(error_code)
        with contextlib.suppress(ClientAbortException):
            self.flush()
        self.close()

    def close_when_idle(self) -> None:
        """The connector pauses: say that no further stream is taken, and finish those under way."""
        with self.lock:
            self._ending = True
            if not self.streams:
                self._end(0)

    def time_out(self) -> None:
        """No stream for too long."""
        with self.lock:
            self._end(0)

    def close(self) -> None:
        """Close, and wake who waits for this client."""
        with self.lock:
            super().close()
            for stream in tuple(self.streams.values()):
                stream.on_reset()
            self.room.notify_all()


class TlsHttp2Connection(TlsStream, Http2Connection):
    """The same inside TLS."""

    established = True

    def take_over(self, facts: ConnectionFacts, data: bytes) -> None:
        self._read_attributes()
        super().take_over(facts, data)
