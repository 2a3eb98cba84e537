"""One HTTP/1.1 connection: an exchange of :mod:`catalina.coyote.http11.exchange`, on a socket, for the container."""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.exchange_connection import ExchangeConnection
from catalina.connector.handover import Handover, Taker
from catalina.connector.headers import Headers
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.connector.stream_connection import JOIN_SIZE, FilePart
from catalina.coyote.http11.exchange import (
    CLOSED,
    HEAD,
    LINGER,
    OWED,
    SWALLOW,
    BadContentLength,
    Exchange,
    ResponseHeadTooLarge,
    State,
)
from catalina.coyote.http11.request_head import RequestHead, describe_refused
from catalina.coyote.http_error import HttpError

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint
    from catalina.connector.http2_connection import Http2Connection

__all__ = ["Http11Connection"]

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: A body up to this size is read before its request runs, so that a slow upload holds no thread.
BODY_BUFFER = 64 * 1024
#: Requests of one connection that are served before it is the others' turn.
TURN = 32
#: Seconds that the client gets to close after the last answer of a connection.
LINGER_SECONDS = 2.0


class Http11Connection(ExchangeConnection):
    """Requests one after the other, pipelined or not; the outlet of their responses."""

    __slots__ = ("_body_parts", "_body_size", "_facts", "_taker", "exchange", "rules")

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        super().__init__(endpoint, sock, peer)
        self.rules: Http11Rules = endpoint.http11_rules
        self.exchange = Exchange(self.rules.exchange)
        self._facts = ConnectionFacts.of(endpoint.connector, sock, self.peer)
        self._body_parts: list[bytes] = []
        self._body_size = 0
        #: Goes on with this connection instead of an answer.
        self._taker: Taker | None = None

    @property
    def uses_sendfile(self) -> bool:  # type: ignore[override]  # the connector says
        """True when the kernel may send files."""
        return self.rules.uses_sendfile

    # Input

    def _on_input(self) -> None:
        if self.running:  # the answer is held: what comes now has to wait
            self._detach()
            return
        data = self._receive()
        if data is None:
            return
        exchange = self.exchange
        if not data:
            self.close()
        elif exchange.state is HEAD:
            exchange.data = exchange.data + data if exchange.data else data
            self._advance()
        elif exchange.state is OWED:
            self._on_body_data(data)
        elif exchange.state is SWALLOW:
            self._swallow(data)
        elif exchange.linger(data) is CLOSED:
            self.close()

    def _advance(self) -> None:
        """Serve every request that is complete, then wait for more."""
        served = 0
        exchange = self.exchange
        while not self.closed:
            if not exchange.data:
                self._wait_for_request()
                return
            head = None
            try:
                head = exchange.next_head(self.endpoint.ending)
                if head is None:
                    self._wait_for_head()
                    return
                if not self._begin(head):
                    return
            except HttpError as refused:
                unread = self._unreadable_request() if head is None else Http11Connection._make_request(self, head)
                self._refuse(refused, unread)
                return
            if not self._dispatch(self._request, self._response):
                return
            served += 1
            if served >= TURN and self._attached:
                self.reactor.call_soon(self._go_on)
                return

    def _go_on(self) -> None:
        """The next turn of a client that has sent many requests at once."""
        if self._attached and not self.running and self.exchange.state is HEAD:
            self._advance()

    def _wait_for_request(self) -> None:
        self.deadline = time.monotonic() + (self.rules.keep_alive_s if self.exchange.requests else self._timeout_s)
        if self.endpoint.paused:
            self.close()
        else:
            self._await_input()

    def _wait_for_head(self) -> None:
        """The head has begun: all of it must come within connectionTimeout, however slowly its bytes drip."""
        if self.exchange.await_rest():
            self.deadline = time.monotonic() + self._timeout_s
        self._await_input()

    def _begin(self, head: RequestHead) -> bool:
        """Make the request; False when its body has to be waited for.

        Raises:
            HttpError: what came of the body is malformed.
        """
        rules = self.rules
        request = self._make_request(head)
        if rules.restricted_agents is not None:
            agent = request.headers.get("user-agent")
            if agent is not None and rules.restricted_agents.fullmatch(agent):
                self.exchange.keep_alive = False
        response = Response(request, self)
        request.response = response
        if rules.powered_by is not None:
            response.headers.append(("X-Powered-By", rules.powered_by))
        self._request, self._response = request, response
        return self.exchange.body.complete or self._begin_body(head)

    def _make_request(self, head: RequestHead) -> Request:
        """The request; a subclass may refuse it with an HttpError."""
        # Taken apart at once: a field of a named tuple costs a call each.
        method, path, query, http11, fields, length, _, _, _, _, host, port, _, remembered = head
        headers = Headers(fields, remembered)
        request = Request(self._facts, method, path, query, "HTTP/1.1" if http11 else "HTTP/1.0", headers)
        request.content_length = length
        connector = self.rules.connector
        if port < 0:
            port = (443 if request.scheme == "https" else 80) if host else request.local_port
        request.server_name = connector.proxy_name or (request.local_name if host is None else host)
        request.server_port = connector.proxy_port or port
        return request

    # Bodies

    def _begin_body(self, head: RequestHead) -> bool:
        """Read the body first when it is small; a request that expects 100 Continue or is large runs now."""
        exchange = self.exchange
        self._body_parts.clear()
        self._body_size = 0
        self._pace = None
        if head.content_length > BODY_BUFFER or (head.expects_continue and not exchange.data):
            if head.expects_continue:
                exchange.expect_continue()
            self._request.expects_continue = head.expects_continue
            self._request.on_acknowledge = self._acknowledge
            self._body_parts.append(exchange.first_body())
            self._start_body()
            return True
        size = len(exchange.data)
        if size and self._collect(exchange.first_body()):
            return True
        self._wait_for_body(size)
        self._await_input()
        return False

    def _wait_for_body(self, size: int) -> None:
        """The next portion of a body has its own time-out, and all of it has to come at a least rate."""
        timeout_s = self.rules.body_timeout_s
        pace = self._receive_pace(timeout_s)
        pace.note(size)
        self.deadline = time.monotonic() + min(timeout_s, pace.left_s)

    def _on_body_data(self, data: bytes) -> None:
        try:
            may_run = self._collect(self.exchange.receive_body(data))
        except HttpError as refused:
            self._refuse(refused, self._request)
            return
        if not may_run:
            self._wait_for_body(len(data))
        elif self._dispatch(self._request, self._response):
            self._advance()

    def _collect(self, part: bytes) -> bool:
        """Keep a part of a body until its request runs; True when it can."""
        self._body_parts.append(part)
        self._body_size += len(part)
        if self.exchange.body.complete:
            if self.rules.exchange.trailers:
                self._take_trailers()
        elif self._body_size <= BODY_BUFFER:
            return False
        self._start_body()
        return True

    def _start_body(self) -> None:
        """Give the request its input: what has come, then what is still to come."""
        ready = b"".join(self._body_parts)
        self._body_parts.clear()
        self._request.input = RequestInput(None if self.exchange.body.complete else self._pull, ready)

    def _pull(self) -> bytes:
        """The next portion of the body, read by the thread that runs the request; empty at its end."""
        exchange = self.exchange
        if exchange.body.complete:
            return b""
        self._request.acknowledge()
        exchange.raw = None
        body = exchange.body
        while True:
            data = self._receive_waiting(self.rules.body_timeout_s)
            try:
                part = exchange.receive_body(data)
            except HttpError as refused:
                exchange.keep_alive = False
                raise ClientAbortException(f"{self.peer[0]}: {refused}", refused.status) from refused
            if body.complete and self.rules.exchange.trailers:
                self._take_trailers()
            if part or body.complete:
                return part

    def _take_trailers(self) -> None:
        for name, value in self.exchange.allowed_trailers():
            self._request.headers.add(name, value)

    def _acknowledge(self) -> None:
        if not self._response.committed:  # it would stand in the middle of the answer
            self._send(self.exchange.acknowledge())

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send the head, with the first bytes of the body in the same packet."""
        exchange, endpoint = self.exchange, self.endpoint
        try:
            head, body = exchange.begin_answer(response, body, complete, endpoint.ending)
        except BadContentLength:
            response.settle_content_length(endpoint.messages)
            self.send_head(response, body, complete)
            return
        except ResponseHeadTooLarge as refused:
            self.rules.messages.log(
                logging.ERROR, "response heads that are too large",
                "%r: the response head of [%s] is %d bytes, limit maxHttpResponseHeaderSize %d",
                self, self._request.request_uri, refused.size, self.rules.exchange.response_head_size,
            )  # fmt: skip
            self._send(exchange.fail_answer(complete))
            return
        if len(body) <= JOIN_SIZE:
            self._send(head + body)
        else:
            self._send_parts((head, body))

    def will_close(self, response: Response) -> bool:
        """Whether the connection ends with this answer, as far as that is known before it is sent."""
        return self.exchange.will_close(response.status, self.endpoint.ending)

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        parts = self.exchange.more(data)
        if parts:
            self._send_parts(parts)

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Let the kernel send the rest of the body."""
        before, count, behind = self.exchange.more_of_file(count)
        if not count:
            file.close()
            return
        if before:
            self._queue(memoryview(before))
        self._send_file_part(FilePart(file, offset, count))
        if behind:
            self._send(behind)

    def flushed(self) -> None:
        """Send what the client did not take before: the next block may be long in coming."""
        if self._out:
            self._flush()

    def end(self) -> None:
        """The body is complete."""
        last = self.exchange.end_answer()
        if last:
            self._send(last)

    # After an exchange

    def _next(self) -> bool:
        state = self.exchange.next(self.endpoint.paused)
        if state is HEAD:
            return True
        if state is SWALLOW:
            self._pace = None
            self._wait_for_body(0)
            self._await_input()
        else:
            self._end(state)
        return False

    def _body_is_here(self) -> bool:
        return self.exchange.body.complete

    def _is_new(self) -> bool:
        return self.exchange.requests == 0

    def _swallow(self, data: bytes) -> None:
        state = self.exchange.swallow(data)
        if state is HEAD:
            self._advance()
        elif state is SWALLOW:
            self._wait_for_body(len(data))
        else:
            self._end(state)

    def _end(self, state: State) -> None:
        """Close so that the client gets the answer: with input still to come, wait until it has closed too."""
        if state is not LINGER:
            self.close()
            return
        try:
            self._end_output()
        except OSError:
            self.close()
            return
        self.deadline = time.monotonic() + LINGER_SECONDS
        self._await_input()

    def _end_output(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    # Others go on

    @property
    def handover(self) -> Callable[[Taker], None] | None:
        """How to leave the connection to another process; None when not everything that was read is at hand."""
        return None if self.exchange.raw is None else self._hand_over

    def _hand_over(self, take: Taker) -> None:
        self._taker = take
        self._unanswered = True

    def _end_unanswered(self) -> None:
        take, exchange = self._taker, self.exchange
        if take is None or exchange.raw is None:
            self.close()
            return
        handover = Handover(self.sock, bytes(exchange.raw), self.peer, exchange.requests - 1)
        exchange.leave()
        self._leave()
        self._request.release()
        try:
            take(handover)
        except BaseException:  # noqa: BLE001 - log_fault logs it; nobody has the connection then
            self.endpoint.log_fault(self)
            self.sock.close()

    def take_up(self, data: bytes, served: int) -> None:
        """Go on where another process has stopped, once started; see :class:`Handover`."""
        self.exchange = Exchange(self.rules.exchange, served)
        self.exchange.data = data
        self._advance()

    def _successor(self, kind: type[Http2Connection]) -> Http2Connection:
        """A connection of another protocol that has this one's socket."""
        self.exchange.leave()
        self._leave()
        connection = kind(self.endpoint, self.sock, self.peer)
        self.endpoint.connections.add(connection)
        return connection

    # Refusals and time-outs

    def _unreadable_request(self) -> Request:
        """The parts of a refused head that the logs and the choice of the host need."""
        told = describe_refused(self.exchange.data, self.rules.exchange.parser.limits.max_size)
        request = Request(self._facts, told.method, told.path, told.query, told.protocol)
        request.server_name = told.host or request.local_name
        request.server_port = told.port if told.port >= 0 else request.local_port
        return request

    def _refuse(self, refused: HttpError, request: Request) -> None:
        """Answer what is no request, through the engine's valves, and close."""
        self.rules.log_refusal(self.peer[0], refused)
        response = Response(request, self)
        request.response = response
        self.exchange.refuse(request.protocol == "HTTP/1.1")
        self._request, self._response = request, response
        self.running = True
        self.deadline = math.inf
        try:
            self.endpoint.adapter.refuse(request, response, refused.status, refused.text)
            response.finish()
        except ClientAbortException:
            self.close()
            return
        if self._answered():  # never: the connection is closing
            self.close()

    def time_out(self) -> None:
        """Tomcat closes without a word when no request came, or only a part of its head."""
        if self.exchange.state is OWED and not self.running:
            self._refuse(HttpError(408, "the body did not come in time"), self._request)
        else:
            self.close()
