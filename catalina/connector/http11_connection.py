"""One HTTP/1.1 connection (Tomcat: coyote/http11/Http11Processor.java)."""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.handover import Handover, Taker
from catalina.connector.headers import Headers
from catalina.connector.http11_output import NO_BODY, Http11Output
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.coyote.http11.request_body import BodyDecoder, ChunkedDecoder, LengthDecoder
from catalina.coyote.http11.request_head import RequestHead, describe_refused
from catalina.coyote.http11.response_head import CONTINUE
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
#: Seconds and bytes that are read away after the last answer of a connection: closing with unread input resets it, and
#: the reset can overtake the answer.
LINGER_SECONDS = 2.0


class State(Enum):
    """What input means."""

    HEAD = auto()
    BODY = auto()  # of a request that has not run yet
    EXCHANGE = auto()  # the application reads the body itself
    SWALLOW = auto()  # the rest of a body nobody wanted
    LINGER = auto()  # the last answer is out; wait for the client to close


#: Module constants, because looking a member up in its class costs ten times as much in this Python.
HEAD, BODY, EXCHANGE, SWALLOW, LINGER = State


class Http11Connection(Http11Output):
    """Requests one after the other, pipelined or not."""

    __slots__ = (
        "_acknowledged",
        "_body_parts",
        "_body_size",
        "_data",
        "_facts",
        "_raw",
        "_requests",
        "_seen",
        "_state",
        "_swallowed",
        "_taker",
    )

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        super().__init__(endpoint, sock, peer)
        self._data = b""
        self._seen = 0
        self._state = HEAD
        self._requests = 0
        self._facts = ConnectionFacts.of(endpoint.connector, sock, self.peer)
        self._body_parts: list[bytes] = []
        self._body_size = 0
        self._swallowed = 0
        self._acknowledged = True
        #: What was read since the head of the request in progress began, with that head; None when that is not all: the
        #: request has read more itself, or 100 Continue has left.
        self._raw: bytes | bytearray | None = None
        #: Goes on with this connection instead of an answer.
        self._taker: Taker | None = None

    # Input

    def _on_input(self) -> None:
        if self.running:  # the answer is held: what comes now has to wait
            self._detach()
            return
        data = self._receive()
        if data is None:
            return
        if not data:
            self.close()
        elif self._state is HEAD:
            self._data = self._data + data if self._data else data
            self._advance()
        else:
            self._on_body_data(data)

    def _on_body_data(self, data: bytes) -> None:
        state = self._state
        if state is BODY:
            if self._raw is not None:
                self._raw += data
            try:
                complete = self._feed_body(data)
            except HttpError as refused:
                self._refuse(refused, self._request)
                return
            if complete:
                self._run_request()
        elif state is SWALLOW:
            if self._swallow(data):
                self._state = HEAD
                self._advance()
        else:
            self._linger_on(data)

    def _change_to(self, successor: type[Http2Connection]) -> None:
        """Another protocol goes on with this socket and what has come already."""
        self._successor(successor).take_over(self._facts, self._data)

    def _successor(self, kind: type[Http2Connection]) -> Http2Connection:
        """A connection of another protocol that has this one's socket."""
        self._leave()
        connection = kind(self.endpoint, self.sock, self.peer)
        self.endpoint.connections.add(connection)
        return connection

    def _advance(self) -> None:
        """Serve every request that is complete, then wait for more."""
        served = 0
        while not self.closed:
            data = self._data
            if not data:
                self._wait_for_request()
                return
            head = None
            try:
                head = self.rules.parser.parse(data, self._seen)
                if head is None:
                    self._wait_for_head()
                    return
                self._data = data[head.size :]
                self._raw = data
                self._seen = 0
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
        if self._attached and not self.running and self._state is HEAD:
            self._advance()

    def _wait_for_request(self) -> None:
        self.deadline = time.monotonic() + (self.rules.keep_alive_s if self._requests else self._timeout_s)
        if self.endpoint.paused:
            self.close()
        else:
            self._await_input()

    def _wait_for_head(self) -> None:
        """The head has begun: all of it must come within connectionTimeout, however slowly its bytes drip."""
        if self._seen == 0:
            self.deadline = time.monotonic() + self._timeout_s
        self._seen = len(self._data)
        self._await_input()

    def _begin(self, head: RequestHead) -> bool:
        """Make the request; False when its body has to be waited for.

        Raises:
            HttpError: what came of the body is malformed.
        """
        rules = self.rules
        self._requests += 1
        self._keep_alive = head.keep_alive and self._requests != rules.max_requests and not self.endpoint.ending
        self._acknowledged = True
        self._asked_keep_alive = head.client_asks_keep_alive
        self._body = NO_BODY
        if head.chunked:
            self._body = ChunkedDecoder(rules.max_extension, rules.max_trailer)
        elif head.content_length > 0:
            self._body = LengthDecoder(head.content_length)
        request = self._make_request(head)
        if rules.restricted_agents is not None:
            agent = request.headers.get("user-agent")
            if agent is not None and rules.restricted_agents.fullmatch(agent):
                self._keep_alive = False
        response = Response(request, self)
        request.response = response
        if rules.powered_by is not None:
            response.headers.append(("X-Powered-By", rules.powered_by))
        self._request, self._response = request, response
        return self._body.complete or self._begin_body(head)

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
        data, self._data = self._data, b""
        self._body_parts.clear()
        self._body_size = 0
        self._pace = None
        if head.content_length > BODY_BUFFER or (head.expects_continue and not data):
            self._acknowledged = not head.expects_continue
            self._request.expects_continue = head.expects_continue
            self._request.on_acknowledge = self._acknowledge
            self._start_body(data)
            return True
        if data and self._feed_body(data):
            return True
        self._state = BODY
        if self._raw is not None:
            self._raw = bytearray(self._raw)  # it grows piece by piece
        self._wait_for_body(0)
        self._await_input()
        return False

    def _wait_for_body(self, size: int) -> None:
        """The next portion of a body has its own time-out, and all of it has to come at a least rate."""
        timeout_s = self.rules.body_timeout_s
        pace = self._receive_pace(timeout_s)
        pace.note(size)
        self.deadline = time.monotonic() + min(timeout_s, pace.left_s)

    def _feed_body(self, data: bytes) -> bool:
        """Collect a body before its request runs; True when it can run.

        Raises:
            HttpError: the body is malformed.
        """
        body = self._body
        part = body.receive(data)
        self._body_parts.append(part)
        self._body_size += len(part)
        if body.complete:
            self._data = body.unused
            self._take_trailers(body)
            self._start_body(b"")
            return True
        if self._body_size > BODY_BUFFER:
            self._start_body(b"")
            return True
        self._wait_for_body(len(data))
        return False

    def _start_body(self, data: bytes) -> None:
        """Give the request its input: what has been decoded, then what is still to come."""
        body = self._body
        ready = b"".join(self._body_parts)
        self._body_parts.clear()
        if data:
            ready += body.receive(data)
            if body.complete:
                self._data = body.unused
        self._request.input = RequestInput(None if body.complete else self._pull, ready)
        self._state = EXCHANGE

    def _run_request(self) -> None:
        if self._dispatch(self._request, self._response):
            self._advance()

    def _pull(self) -> bytes:
        """The next portion of the body, read by the thread that runs the request; empty at its end."""
        if self._body.complete:
            return b""
        self._request.acknowledge()
        self._raw = None
        body = self._body
        while True:
            data = self._receive_waiting(self.rules.body_timeout_s)
            try:
                part = body.receive(data)
            except HttpError as refused:
                self._keep_alive = False
                raise ClientAbortException(f"{self.peer[0]}: {refused}", refused.status) from refused
            if body.complete:
                self._data = body.unused
                self._take_trailers(body)
            if part or body.complete:
                return part

    def _take_trailers(self, body: BodyDecoder) -> None:
        if self.rules.trailers and isinstance(body, ChunkedDecoder):
            for name, value in body.trailers:
                if name in self.rules.trailers:
                    self._request.headers.add(name, value)

    def _acknowledge(self) -> None:
        if self._response.committed:  # it would stand in the middle of the answer
            return
        self._acknowledged = True
        self._raw = None
        self._send(CONTINUE)

    # Another process goes on

    @property
    def handover(self) -> Callable[[Taker], None] | None:
        """How to leave the connection to another process; None when not everything that was read is at hand."""
        return None if self._raw is None else self._hand_over

    def _hand_over(self, take: Taker) -> None:
        self._taker = take
        self._unanswered = True

    def _end_unanswered(self) -> None:
        take, raw = self._taker, self._raw
        if take is None or raw is None:
            self.close()
            return
        self._leave()
        self._request.release()
        try:
            take(Handover(self.sock, bytes(raw), self.peer, self._requests - 1))
        except BaseException:  # noqa: BLE001 - log_fault logs it; nobody has the connection then
            self.endpoint.log_fault(self)
            self.sock.close()

    def take_up(self, data: bytes, served: int) -> None:
        """Go on where another process has stopped, once started; see :class:`Handover`."""
        self._requests = served
        self._data = data
        self._advance()

    # After an exchange

    def _next(self) -> bool:
        self._chunked = False
        self._remaining = -1
        self._raw = None
        body = self._body
        if self.endpoint.paused:
            self._keep_alive = False
        if body.complete:
            if not self._keep_alive:
                self._close_after_answer()
                return False
            self._state = HEAD
            return True
        if not self._keep_alive or not self._acknowledged or not self._may_swallow(body):
            self._close_after_answer()
            return False
        self._swallowed = 0
        self._state = SWALLOW
        self._pace = None
        self._wait_for_body(0)
        self._await_input()
        return False

    def _body_is_here(self) -> bool:
        return self._body.complete

    def _is_new(self) -> bool:
        return self._requests == 0

    def _leaves_too_much(self) -> bool:
        return not (self._acknowledged and self._may_swallow(self._body))

    def _may_swallow(self, body: BodyDecoder) -> bool:
        limit = self.rules.max_swallow
        return limit < 0 or not isinstance(body, LengthDecoder) or body.remaining <= limit

    def _swallow(self, data: bytes) -> bool:
        """Read a body away; True when it is over."""
        body = self._body
        try:
            self._swallowed += len(body.receive(data))
        except HttpError:
            self.close()
            return False
        if body.complete:
            self._data = body.unused
            return True
        if 0 <= self.rules.max_swallow < self._swallowed:
            self._close_after_answer()
            return False
        self._wait_for_body(len(data))
        return False

    def _close_after_answer(self) -> None:
        """Close so that the client gets the answer: with input still to come, wait until it has closed too."""
        if self._body.complete:
            self.close()
            return
        try:
            self._end_output()
        except OSError:
            self.close()
            return
        self._state = LINGER
        self._swallowed = 0
        self.deadline = time.monotonic() + LINGER_SECONDS
        self._await_input()

    def _end_output(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def _linger_on(self, data: bytes) -> None:
        self._swallowed += len(data)
        if 0 <= self.rules.max_swallow < self._swallowed:
            self.close()

    # Refusals and time-outs

    def _unreadable_request(self) -> Request:
        """The parts of a refused head that the logs and the choice of the host need."""
        told = describe_refused(self._data, self.rules.parser.limits.max_size)
        request = Request(self._facts, told.method, told.path, told.query, told.protocol)
        request.server_name = told.host or request.local_name
        request.server_port = told.port if told.port >= 0 else request.local_port
        return request

    def _refuse(self, refused: HttpError, request: Request) -> None:
        """Answer what is no request, through the engine's valves, and close."""
        self.rules.log_refusal(self.peer[0], refused)
        response = Response(request, self)
        request.response = response
        self._keep_alive = False
        self._body = _Unfinished()
        self._raw = None
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
        if self._state is BODY:
            self._refuse(HttpError(408, "the body did not come in time"), self._request)
        else:
            self.close()


class _Unfinished:
    """The body of a message whose end cannot be found."""

    complete = False
    unused = b""

    def receive(self, data: bytes) -> bytes:
        return b""
