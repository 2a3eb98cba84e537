"""One HTTP/2 connection: a socket in the loop, the protocol of :mod:`catalina.coyote.http2`, and its streams.

Unlike with other protocols, several requests of one connection run at the same time, in several threads. So the
connection stays in the loop, which reads, and code that touches the protocol's state or the socket holds a lock, never
for long.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import Connection, ConnectionHost
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_stream import Http2Stream
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.stream import HIGH_WATER, Stream, seconds_of
from catalina.coyote.http2.http2_error import ConnectionException, Http2Error, StreamException
from catalina.coyote.http2.http2_parser import PREFACE
from catalina.coyote.http2.http2_upgrade_handler import Http2UpgradeHandler
from catalina.coyote.http_error import HttpError
from catalina.reactor import READ, WRITE
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.coyote.http2.http2_protocol import Http2Protocol
    from catalina.coyote.http2.request_fields import RequestFields

__all__ = ["PREFACE", "Http2Connection"]

log = logging.getLogger("org.apache.coyote.http2.Http2UpgradeHandler")
repeated = RepeatedMessages(log)

#: Bytes that all streams of a connection together may send ahead, at most. It is as much as all streams' windows, so
#: that bodies of requests that wait for their turn leave room for those of requests that run.
CONNECTION_WINDOW = 16 * 1024 * 1024
#: Bytes per DATA frame and turn, so that the streams of a connection share it.
TURN = 16 * 1024
#: Bytes of answers that may wait for the client before the connection begins no further request.
CONNECTION_HIGH_WATER = 4 * HIGH_WATER
#: Bytes that count as progress of a frame or header block that has begun; fewer within readTimeout count as none.
PROGRESS_BYTES = 1024
#: Reads of unwanted input before a close.
LAST_READS = 16
#: Seconds between two looks at the deadlines of streams.
LOOK_SECONDS = 1.0


class Http2Connection(Connection):
    """The connection and the streams of one client.

    Args:
        rules: of the connector.
        settings: its ``<UpgradeProtocol>``.
        facts: the common facts of its requests.
        data: the bytes that an HTTP/1.1 connection has read behind its last request.
    """

    def __init__(
        self,
        host: ConnectionHost,
        stream: Stream,
        rules: Http11Rules,
        settings: Http2Protocol,
        facts: ConnectionFacts,
        data: bytes = b"",
    ) -> None:
        super().__init__(host, stream)
        stream.detach()
        stream.on_ready = self._on_ready
        self.rules = rules
        self.settings = settings
        self.lock = threading.RLock()
        #: Notified when windows open or the socket drains, for threads that produce more than the client takes.
        self.room = threading.Condition(self.lock)
        self.streams: dict[int, Http2Stream] = {}
        self.facts = facts
        self._data = data
        handler = rules.connector.http
        self.protocol = Http2UpgradeHandler(
            settings,
            self,
            scheme=b"https" if rules.connector.is_tls else b"http",
            max_header_size=handler.request_header_size,
            max_trailer_size=settings.trailer_size(handler.max_trailer_size),
            connection_window=_connection_window(settings),
        )
        #: Streams whose requests can run. The loop's thread takes the next one, so a slow request does not hold up
        #: others.
        self._ready: deque[Http2Stream] = deque()
        self._executing = 0
        #: True when one of them waits for room, not only for the loop.
        self._held_up = False
        #: Bytes of answers that wait for windows, for all streams together.
        self.output_size = 0
        self._ending = False
        self._keep_alive_s = seconds_of(settings.keep_alive_timeout)
        self._read_timeout_s = seconds_of(settings.read_timeout)
        self._write_timeout_s = seconds_of(settings.write_timeout)
        #: The times at which unfinished input, or output that the client has not taken, must have made progress.
        self._read_deadline = self._write_deadline = math.inf
        self._buffered = 0
        self._look = math.inf
        self._has_streams = False

    @property
    def is_running(self) -> bool:
        """True while there is a stream."""
        return self._has_streams

    def start(self) -> None:
        """Send our settings, and continue where an HTTP/1.1 connection has ended."""
        self.protocol.start()
        self.stream.attach(READ)
        data, self._data = self._data, b""
        self._process(data)

    def upgrade(self, request: Request, settings: bytes) -> None:
        """Continue behind 101 Switching Protocols: the request of HTTP/1.1 is the first stream."""
        with self.lock:
            try:
                self.protocol.upgrade(settings)
            except ConnectionException as error:
                self._fail(error)
                return
            stream = self.streams[1] = Http2Stream(self, 1)
            stream.begin_upgraded(request)
            self._ready.append(stream)
        self.start()

    # Input, in the loop

    def _on_ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._on_writable()
            if events & ~WRITE and not self.stream.closed:
                self.on_input()
        except BaseException:  # noqa: BLE001 - our own fault, which log_fault logs; it affects only this connection
            self.host.log_fault(self)
            self.close()

    def on_input(self) -> None:
        """Frames have come, or the client has gone."""
        with self.lock:  # also for the socket, because TLS cannot read and write in two threads at once
            data = self.stream.receive()
        if data is None:
            return
        if not data:
            self.close()
            return
        self._process(data)

    def _process(self, data: bytes) -> None:
        with self.lock:
            try:
                self.protocol.receive(data)
            except ConnectionException as error:
                self._fail(error)
                return
            self._note_rest()
            self._pump_all()
            self._note_idle()
        self.run_ready()
        if self._ending:
            self._end_if_idle()

    def _note_rest(self) -> None:
        """Everything that has begun must make progress: each readTimeout must bring its end, or a good part of it."""
        buffered = self.protocol.buffered
        if not self.protocol.waits_for_rest:
            self._read_deadline = math.inf
        elif self._read_deadline == math.inf or not 0 <= buffered - self._buffered < PROGRESS_BYTES:
            self._read_deadline = time.monotonic() + self._read_timeout_s
        else:
            return
        self._buffered = buffered

    def _fail(self, error: ConnectionException) -> None:
        level = logging.WARNING if error.code is Http2Error.ENHANCE_YOUR_CALM else logging.INFO
        repeated.log(
            level,
            f"broken HTTP/2 connections of {self.stream.peer[0]}",
            "%r is closed: %s, expected HTTP/2",
            self,
            error,
        )
        self._end(error.code, error.text)

    def ready(self, stream: Http2Stream) -> None:
        """The request of a stream can run when the loop comes to it."""
        self._ready.append(stream)

    # Events of the protocol, under the lock

    def on_request(self, number: int, fields: RequestFields, ended: bool) -> None:
        """A request has begun."""
        stream = self.streams[number] = Http2Stream(self, number)
        try:
            stream.begin(fields, ended)
        except HttpError as refused:
            stream.refuse(refused)
        if stream.is_ready:
            self._ready.append(stream)

    def on_data(self, number: int, data: bytes, counted: int) -> None:
        """A part of a body."""
        stream = self.streams.get(number)
        if stream is None:  # it was answered already, but the window of the connection must open again
            self.protocol.consumed(number, counted)
        elif stream.on_data(data, counted):
            self._ready.append(stream)

    def on_trailers(self, number: int, fields: list[tuple[bytes, bytes]]) -> None:
        """Fields behind a body."""
        stream = self.streams.get(number)
        if stream is not None:
            stream.on_trailers(fields)

    def on_end(self, number: int) -> None:
        """A body is complete."""
        stream = self.streams.get(number)
        if stream is not None and stream.on_end():
            self._ready.append(stream)

    def on_reset(self, number: int) -> None:
        """The client, or nobody, wants the answer any more."""
        stream = self.streams.get(number)
        if stream is not None:
            stream.on_reset()

    def on_room(self) -> None:
        """A window has become larger; waiting data is sent when all input has been read."""
        self.room.notify_all()

    def on_goaway(self) -> None:
        """The client begins no more streams: finish those under way, then close."""
        self._ending = True

    def on_stream_error(self, error: StreamException) -> None:
        """Log the error, but not each time, because anybody can send rubbish."""
        repeated.log(
            logging.INFO, f"broken HTTP/2 streams of {self.stream.peer[0]}", "%r: a stream was reset: %s", self, error
        )

    # Output, in any thread, under the lock

    def flush(self) -> None:
        """Hand the protocol's frames to the kernel, or keep them until the client takes them."""
        data = self.protocol.take_output()
        stream = self.stream
        if data and not stream.closed:
            stream.may_wait = False  # never wait under the lock: a thread that produces too much waits in wait_for_room
            stream.send(data)
            if stream.out and not stream.interest & WRITE:
                self._write_deadline = time.monotonic() + self._write_timeout_s
                stream.attach(READ | WRITE)

    def _pump_all(self) -> None:
        """Send the streams' waiting data in turns, as far as windows and the socket allow."""
        waiting = [stream for stream in self.streams.values() if stream.has_output]
        while waiting and self.stream.out_size < HIGH_WATER:
            waiting = [stream for stream in waiting if stream.pump(TURN)]
        try:
            self.flush()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()
        self.room.notify_all()
        self._go_on()

    def _on_writable(self) -> None:
        with self.lock:
            if self.stream.interest & WRITE:
                size = self.stream.out_size
                self.stream.on_writable()
                if self.stream.out_size < size:
                    self._write_deadline = time.monotonic() + self._write_timeout_s

    def on_output_sent(self) -> None:
        """The kernel has taken all waiting output: streams may send more."""
        self._write_deadline = math.inf
        self.stream.attach(READ)
        self._pump_all()
        self._note_idle()

    def pump(self, stream: Http2Stream) -> None:
        """A stream has more to send."""
        with self.lock:
            self._pump_all()

    def wait_for_room(self, stream: Http2Stream) -> None:
        """In the thread of a request, wait until the client has taken most of its output.

        Raises:
            ClientAbortException: the client has gone, or takes nothing for too long.
        """
        timeout_s = seconds_of(self.settings.stream_write_timeout)
        with self.host.executor.client_wait(stream), self.lock:
            size, deadline = stream.output_size, time.monotonic() + timeout_s
            while stream.output_size > HIGH_WATER and not self.stream.closed and not stream.reset:
                if stream.output_size < size:
                    size, deadline = stream.output_size, time.monotonic() + timeout_s
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ClientAbortException(f"{self.stream.peer[0]}: took nothing for {timeout_s:g} seconds")
                self.room.wait(None if left == math.inf else left)
        if self.stream.closed or stream.reset:
            raise ClientAbortException(f"{self.stream.peer[0]}: the client has gone")

    # Life

    def run_ready(self) -> None:
        """Run ready requests, as long as this is the loop's thread.

        At most maxConcurrentStreamExecution run at a time, and none begins while too much output of others waits for
        the client.
        """
        while self._ready and self.stream.reactor.in_runner:
            with self.lock:
                if not self._may_start:
                    self._held_up = True
                    return
                self._executing += 1
                stream = self._ready.popleft()
            stream.run()

    @property
    def _may_start(self) -> bool:
        limit = self.settings.max_concurrent_stream_execution
        return self._executing < limit and self.output_size < CONNECTION_HIGH_WATER

    def _go_on(self) -> None:
        """There may be room for ready requests."""
        if self._held_up and self._may_start:
            self._held_up = False
            self.stream.reactor.call_soon(self.run_ready)

    def stream_executed(self) -> None:
        """A request has returned from the container, so a waiting one may run."""
        with self.lock:
            self._executing -= 1
            self._go_on()

    def stream_done(self, stream: Http2Stream) -> None:
        """The answer of a stream has left, or nobody wants it any more."""
        with self.lock:
            if self.streams.pop(stream.number, None) is not None:
                stream.drop_body()
            self._note_idle()
            if self.host.ending and not self._ending and not self.stream.closed:
                self._announce_end()
            if not self.streams and self._ending and not self.stream.out:
                self.stream.reactor.call_soon(self._end_if_idle)

    def _end_if_idle(self) -> None:
        with self.lock:
            if not self.streams and not self.stream.out and not self.stream.closed:
                self._end(Http2Error.NO_ERROR)

    def _note_idle(self) -> None:
        """Schedule the next look: at the end of keepAliveTimeout while there is no stream, otherwise soon."""
        running = bool(self.streams)
        if not running:
            self._look = time.monotonic() + self._keep_alive_s
        elif not self._has_streams:
            self._look = time.monotonic() + LOOK_SECONDS
        self._has_streams = running
        self.stream.deadline = min(self._look, self._read_deadline, self._write_deadline)

    def _end(self, code: Http2Error, text: str = "") -> None:
        """Send GOAWAY, and close."""
        if self.stream.closed:
            return
        self.protocol.goaway(code, text)
        with contextlib.suppress(ClientAbortException):
            self.flush()
        self._close_after_output()

    def _close_after_output(self) -> None:
        """Close so that the client can read the reason, which a reset for unread input would overtake."""
        with contextlib.suppress(OSError, ValueError):
            for _ in range(LAST_READS):
                if not self.stream.receive():
                    break
        self.close()

    def running_requests(self) -> list[Request]:
        """The running requests of its streams."""
        return [request for stream in tuple(self.streams.values()) if (request := stream.running_request) is not None]

    def close_when_idle(self) -> None:
        """The connector pauses: announce that no further stream is accepted, and finish those under way."""
        with self.lock:
            if self.streams:
                self._announce_end()
            else:
                self._end(Http2Error.NO_ERROR)

    def _announce_end(self) -> None:
        """Send GOAWAY: the client sends its next requests over another connection, and this one answers those under
        way.
        """
        self._ending = True
        self.protocol.goaway(Http2Error.NO_ERROR)
        try:
            self.flush()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()

    def time_out(self) -> None:
        """Check what has taken too long: the connection itself, or one of its streams."""
        with self.lock:
            now = time.monotonic()
            if now > self._write_deadline:
                log.debug("%r: took nothing for [%g] seconds", self, self._write_timeout_s)
                self.close()
            elif now > self._read_deadline:
                self._fail(
                    ConnectionException(
                        Http2Error.PROTOCOL_ERROR, f"the rest of a frame did not come in {self._read_timeout_s:g} s"
                    )
                )
            elif not self.streams:
                self._end(Http2Error.NO_ERROR)
            else:
                for stream in tuple(self.streams.values()):
                    if now > stream.deadline:
                        stream.time_out()
                self._look = now + LOOK_SECONDS
                self._note_idle()
        self.run_ready()

    def close(self) -> None:
        """Close, and wake the threads that wait for this client."""
        with self.lock:
            super().close()
            for stream in tuple(self.streams.values()):
                stream.on_reset()
            self.room.notify_all()


def _connection_window(settings: Http2Protocol) -> int:
    streams = settings.max_concurrent_streams
    return CONNECTION_WINDOW if streams < 0 else min(CONNECTION_WINDOW, streams * settings.initial_window_size)
