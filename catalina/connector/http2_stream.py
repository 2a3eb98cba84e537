"""One stream of an HTTP/2 connection: a request and its response."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Protocol

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.http2_request import fill_request
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.connector.stream import HIGH_WATER, file_blocks, seconds_of
from catalina.coyote.http2.http2_error import Http2Error
from catalina.coyote.http_error import HttpError

if TYPE_CHECKING:
    import threading

    from catalina.connector.connection import ConnectionHost
    from catalina.connector.connection_facts import ConnectionFacts
    from catalina.connector.http11_rules import Http11Rules
    from catalina.connector.stream import Stream
    from catalina.coyote.http2.http2_protocol import Http2Protocol
    from catalina.coyote.http2.http2_upgrade_handler import Http2UpgradeHandler
    from catalina.coyote.http2.request_fields import RequestFields

__all__ = ["Http2Stream"]

log = logging.getLogger("org.apache.coyote.http2.Stream")

#: A body up to this size is read before its request runs.
BODY_BUFFER = 64 * 1024
#: Fields that are not allowed in HTTP/2 (RFC 9113 section 8.2.2).
CONNECTION_FIELDS = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))
#: Bytes of a body that count as progress.
PROGRESS_BYTES = 1024


class StreamOwner(Protocol):
    """The connection, as its streams see it: facts that all of its requests share, and the turns that they take."""

    facts: ConnectionFacts
    rules: Http11Rules
    settings: Http2Protocol
    host: ConnectionHost
    stream: Stream
    protocol: Http2UpgradeHandler
    lock: threading.RLock
    room: threading.Condition
    output_size: int

    def ready(self, stream: Http2Stream) -> None: ...

    def run_ready(self) -> None: ...

    def pump(self, stream: Http2Stream) -> None: ...

    def wait_for_room(self, stream: Http2Stream) -> None: ...

    def flush(self) -> None: ...

    def stream_executed(self) -> None: ...

    def stream_done(self, stream: Http2Stream) -> None: ...


class Http2Stream:
    """The outlet of its response, and the source of its request's body.

    Args:
        connection: its connection, whose lock guards all members.
        number: the stream id.
    """

    #: None: other streams of the connection run in this process.
    handover = None

    def __init__(self, connection: StreamOwner, number: int) -> None:
        self.connection = connection
        self.number = number
        #: Set when the client has reset the stream, or has gone.
        self.reset = False
        #: True while its request waits for the client, in its own thread.
        self.waits_for_client = False
        self.is_ready = False
        self.output_size = 0
        self._output: deque[memoryview] = deque()
        self._output_ended = False
        self._body: deque[tuple[bytes, int]] = deque()  # data, and the bytes that it counts in the window
        self._body_size = 0
        self._body_ended = False
        self._request: Request
        self._response: Response
        self._started = False
        self._aborted = False
        self._refused: HttpError | None = None
        self._remaining = -1  # bytes that the answer's Content-Length still promises
        #: The time at which the client must have sent or taken something; infinite while it is not the client's turn.
        self.deadline = math.inf
        self._seen = 0  # bytes of the body when the deadline was last put off
        self._read_timeout_s = seconds_of(connection.settings.stream_read_timeout)
        self._write_timeout_s = seconds_of(connection.settings.stream_write_timeout)

    def __repr__(self) -> str:
        return f"<Http2Stream {self.number} of {self.connection!r}>"

    # The request

    def begin(self, fields: RequestFields, ended: bool) -> None:
        """Make the request from its header fields.

        Raises:
            HttpError: the fields are no valid request.
        """
        self._body_ended = ended
        connection = self.connection
        self._take(Request(connection.facts, "", "", None, "HTTP/2.0"))
        request = self._request
        tls = connection.stream.tls
        if tls is not None:
            tls.add_to(request)
        fill_request(request, fields, connection.rules, tls)
        if not ended and (request.headers.get("expect") or "").lower() == "100-continue":
            request.expects_continue = True
            request.on_acknowledge = self._acknowledge
        self.is_ready = ended or request.content_length > BODY_BUFFER or request.expects_continue
        if not self.is_ready:
            self.deadline = time.monotonic() + self._read_timeout_s

    def begin_upgraded(self, request: Request) -> None:
        """Take a request that came by HTTP/1.1, with its body."""
        self._body_ended = self.is_ready = True
        self._take(request)

    def _take(self, request: Request) -> None:
        self._request = request
        self._response = request.response = Response(request, self)
        powered_by = self.connection.rules.powered_by
        if powered_by is not None:
            self._response.headers.append(("X-Powered-By", powered_by))

    def _acknowledge(self) -> None:
        with self.connection.lock:
            if not self.reset and self.connection.protocol.is_open(self.number):
                self.connection.protocol.send_headers(self.number, [(":status", "100")], end=False)
                self.connection.flush()

    def refuse(self, refused: HttpError) -> None:
        """Answer an invalid request."""
        self.is_ready = True
        self._refused = refused

    def on_data(self, data: bytes, counted: int) -> bool:
        """A part of the body has come; returns True if the request can run now."""
        self._body.append((data, counted))
        self._body_size += len(data)
        self.connection.room.notify_all()
        if self._started or self.is_ready:
            return False
        if self._body_size - self._seen >= PROGRESS_BYTES:  # fewer bytes do not count as progress
            self._seen = self._body_size
            self.deadline = time.monotonic() + self._read_timeout_s
        self.is_ready = self._body_size > BODY_BUFFER // 2
        return self.is_ready

    def on_trailers(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Turn the fields that allowedTrailerHeaders names into fields of the request."""
        allowed = self.connection.rules.exchange.trailers
        for name, value in fields:
            text = name.decode("latin-1")
            if text in allowed:
                self._request.headers.add(text, value.decode("latin-1"))

    def on_end(self) -> bool:
        """The body is complete; returns True if the request can run now."""
        self._body_ended = True
        self.connection.room.notify_all()
        if self._started or self.is_ready:
            return False
        self.is_ready = True
        return True

    def on_reset(self) -> None:
        """The client does not want the answer any more, or cannot get it."""
        self.reset = True
        complete = self._output_ended  # no thread works on it any more
        self._drop_output()
        self.connection.room.notify_all()
        if not self._started or complete:
            self.connection.stream_done(self)

    def _drop_output(self) -> None:
        self._output.clear()
        self.connection.output_size -= self.output_size
        self.output_size = 0
        self._output_ended = False
        self.deadline = math.inf

    def time_out(self) -> None:
        """The deadline has passed: the body does not come, or the client does not open the window. Under the lock."""
        self.deadline = math.inf
        if self.is_ready:
            log.debug("%r: the client took nothing in time", self)
            self._drop_output()
            self._abort(Http2Error.ENHANCE_YOUR_CALM)
        else:
            self.refuse(HttpError(408, "the body did not come in time"))
            self.connection.ready(self)

    def run(self) -> None:
        """Run the request, in the loop's thread or another; called once, in the loop's thread, without the lock."""
        if self._started or self.reset:
            self.connection.stream_executed()
            return
        self._started = True
        self.deadline = math.inf
        if self._body or not self._body_ended:
            self._request.input = RequestInput(self._pull)
        executor = self.connection.host.executor
        path = self._request.request_uri
        if executor.runs_inline(path, self._body_ended) and self.connection.stream.reactor.in_runner:
            if not self.connection.stream.reactor.run_call(self._exchange, self._on_handover):
                self._conclude()
                executor.run_waiting()
                return
            executor.was_quick(path)
            self._conclude()
        elif not executor.submit(self._run_in_pool):
            self.connection.stream_executed()
            self._abort()

    def _on_handover(self) -> None:
        self.connection.host.executor.handed_over(self, self._request.request_uri)
        self.connection.stream.reactor.call_soon(self.connection.run_ready)

    def _run_in_pool(self) -> None:
        self._exchange()
        self._conclude()

    def _exchange(self) -> None:
        request, response = self._request, self._response
        adapter = self.connection.host.adapter
        try:
            try:
                if self._refused is not None:
                    adapter.refuse(request, response, self._refused.status, self._refused.text)
                else:
                    adapter.service(request, response)
                if response.held_by is None:
                    response.finish()
            except ClientAbortException as exc:
                self._on_abort(exc)
        except BaseException:  # noqa: BLE001 - log_fault logs what foreign code did where nobody expects it
            self.connection.host.log_fault(self)
            self._aborted = True

    def _on_abort(self, exc: ClientAbortException) -> None:
        log.debug("%r: %s", self, exc)
        self._aborted = True
        if exc.status is None or self._response.committed or self.reset:
            return
        try:
            self.connection.host.adapter.refuse(self._request, self._response, exc.status, str(exc))
            self._response.finish()
            self._aborted = False
        except ClientAbortException:
            log.debug("%r has gone", self)

    def _conclude(self) -> None:
        self.connection.stream_executed()
        try:
            self._answer()
        except BaseException:  # noqa: BLE001 - our own fault, which log_fault logs: it costs this stream only
            self.connection.host.log_fault(self)
            self._abort()

    def _answer(self) -> None:
        if self._aborted:
            self._abort()
            return
        response = self._response
        if response.finished:
            return
        delivery = response.held_by
        if delivery is not None:
            delivery.add_done_callback(lambda _: self.connection.stream.reactor.call_soon(self._release))
        else:
            self._finish()

    def _release(self) -> None:
        if self._response.held_by is not None:
            self._answer()
        else:
            self._finish()

    def _finish(self) -> None:
        try:
            self._response.finish()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self._abort()

    def _abort(self, code: Http2Error = Http2Error.CANCEL) -> None:
        """Reset the stream: there is no answer, or only a part of one."""
        connection = self.connection
        with connection.lock:
            if not self.reset and not connection.stream.closed:
                self.reset = True
                connection.protocol.cancel(self.number, code)
                self._flush()
        connection.stream_done(self)

    def _flush(self) -> None:
        """Send frames that belong to no answer. A client that has gone is noticed elsewhere."""
        try:
            self.connection.flush()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)

    def _pull(self) -> bytes:
        """The next portion of the body, read by the thread that runs the request."""
        self._request.acknowledge()
        connection = self.connection
        timeout_s = self._read_timeout_s
        with connection.lock:
            if self._body:
                return self._take_body()
            if self._body_ended:
                return b""
        with connection.host.executor.client_wait(self), connection.lock:
            deadline = time.monotonic() + timeout_s
            while not self._body and not self._body_ended:
                if self.reset or connection.stream.closed:
                    raise ClientAbortException(f"{connection.stream.peer[0]}: the client has gone")
                left = deadline - time.monotonic()
                if left <= 0 or not connection.room.wait(None if left == float("inf") else left):
                    raise ClientAbortException(
                        f"{connection.stream.peer[0]}: nothing came for {timeout_s:g} seconds", 408
                    )
            return self._take_body()

    def _take_body(self) -> bytes:
        """Take all received data; the windows open again by as much, so that the client sends more."""
        connection = self.connection
        data = b"".join(part for part, _ in self._body)
        counted = sum(count for _, count in self._body)
        self._body.clear()
        if counted and not connection.stream.closed:
            connection.protocol.consumed(self.number, counted)
            self._flush()
        return data

    def drop_body(self) -> None:
        """The rest of the body is not wanted: give its window back, and tell the client to stop. Under the lock."""
        connection = self.connection
        counted = sum(count for _, count in self._body)
        self._body.clear()
        if connection.stream.closed:
            return
        connection.protocol.consumed(self.number, counted)
        if not self._body_ended and not self.reset:
            self.reset = True
            connection.protocol.cancel(self.number, Http2Error.NO_ERROR)
        self._flush()

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send HEADERS, and DATA behind it."""
        length = response.settle_content_length(self.connection.host.messages)
        fields = self._fields(response)
        if not response.body_allowed:
            body = b""
        elif length is not None:
            self._remaining = int(length)
            body = self._within_length(body)
            if complete:
                self._check_length()
        elif complete:
            fields.append(("content-length", str(len(body))))
        with self.connection.lock:
            self._check()
            self.connection.protocol.send_headers(self.number, _clean(fields), end=complete and not body)
            if complete and not body:
                self.connection.flush()
        if complete and not body:
            self.connection.stream_done(self)
        elif body or complete:
            self._put(body, complete)
        else:
            self.connection.pump(self)

    def _fields(self, response: Response) -> list[tuple[str, str]]:
        """The status, the fields of the response, and those of every answer."""
        rules = self.connection.rules.exchange
        fields = [(":status", str(response.status))]
        names = set()
        for name, value in response.headers:
            lower = name.lower()
            if lower in CONNECTION_FIELDS or (lower == "server" and (rules.server_line or rules.remove_server)):
                continue
            names.add(lower)
            fields.append((lower, value.encode("latin-1", "replace").decode("latin-1")))
        if "date" not in names:
            fields.append(("date", rules.date_line()[6:-2]))
        if rules.server_line:
            fields.append(("server", rules.server_line[8:-2]))
        return fields

    def _within_length(self, data: bytes) -> bytes:
        """At most as many bytes as Content-Length promised, because more would be a malformed answer."""
        if self._remaining >= 0:
            if len(data) > self._remaining:
                log.debug("%r: the response is longer than its Content-Length", self)
                data = data[: self._remaining]
            self._remaining -= len(data)
        return data

    def _check_length(self) -> None:
        if self._remaining > 0:  # the client waits for bytes that do not exist
            raise ClientAbortException(
                f"{self!r}: the response is {self._remaining} bytes shorter than its Content-Length"
            )

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        if self._response.body_allowed:
            self._put(self._within_length(data), False)

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file as the rest of the body."""
        if self._remaining >= 0:
            count = min(count, self._remaining)
            self._remaining -= count
        for block in file_blocks(file, offset, count, "an HTTP/2 client"):
            self._put(block, False)

    def flushed(self) -> None:
        """Nothing to do: nothing is kept back here."""

    def end(self) -> None:
        """The body is complete."""
        self._check_length()
        self._put(b"", True)

    def _check(self) -> None:
        if self.reset or self.connection.stream.closed:
            raise ClientAbortException(f"{self.connection.stream.peer[0]}: the client has gone")

    def _put(self, data: bytes, last: bool) -> None:
        with self.connection.lock:
            self._check()
            if data:
                self._output.append(memoryview(data))
                self.output_size += len(data)
                self.connection.output_size += len(data)
                if self.deadline == math.inf:
                    self.deadline = time.monotonic() + self._write_timeout_s
            self._output_ended = last
        self.connection.pump(self)
        if not last and self.output_size > HIGH_WATER:
            self.connection.wait_for_room(self)

    @property
    def running_request(self) -> Request | None:
        """Its request while it runs or its answer is on the way; otherwise None."""
        return self._request if self._started else None

    @property
    def has_output(self) -> bool:
        """True when something waits to be sent, be it only the end."""
        return bool(self._output) or self._output_ended

    def pump(self, most: int) -> bool:
        """Send up to ``most`` bytes, as the windows allow; returns True if there is more to send now. Under the
        lock.
        """
        protocol = self.connection.protocol
        if self.reset:
            return False
        part = memoryview(b"")
        if self._output:
            window = min(most, protocol.window(self.number, self.output_size))
            if window <= 0:
                return False
            part = self._output.popleft()
            if len(part) > window:
                self._output.appendleft(part[window:])
                part = part[:window]
            self.output_size -= len(part)
            self.connection.output_size -= len(part)
            self.deadline = time.monotonic() + self._write_timeout_s if self._output else math.inf
        last = self._output_ended and not self._output
        protocol.send_data(self.number, bytes(part), last)
        if last:
            self._output_ended = False
            self.connection.stream_done(self)
        return self.has_output


def _clean(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Values without the characters that h2 refuses: controls, and spaces around them."""
    return [(name, "".join(c if c >= " " and c != "\x7f" else " " for c in value).strip()) for name, value in fields]
