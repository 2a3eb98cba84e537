"""One HTTP/1.1 connection: runs the requests of :mod:`catalina.coyote.http11.exchange`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import Connection, ConnectionHost
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.exchange_runner import ExchangeConnection
from catalina.connector.handover import Handover, Taker
from catalina.connector.headers import Headers
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.connector.stream import JOIN_SIZE, FilePart, Stream
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
from catalina.reactor import READ

__all__ = ["Http11Connection"]

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: A body up to this size is read before its request runs, so that a slow upload holds no thread.
BODY_BUFFER = 64 * 1024
#: Requests of one connection that are served before the others have their turn.
TURN = 32
#: Seconds that the client gets to close after the last answer of a connection.
LINGER_SECONDS = 2.0


class Http11Connection(ExchangeConnection):
    """Serves requests one after another, pipelined or not; the outlet of their responses.

    Args:
        rules: the rules of the connector.
        served: requests that another process has answered on this connection before.
        data: the bytes that it has read behind them.
    """

    __slots__ = ("_body_parts", "_body_size", "_facts", "_rules", "_taker", "exchange")

    def __init__(
        self, host: ConnectionHost, stream: Stream, rules: Http11Rules, served: int = 0, data: bytes = b""
    ) -> None:
        super().__init__(host, stream)
        self._rules = rules
        self.exchange = Exchange(rules.exchange, served)
        self.exchange.data = data
        self._facts = ConnectionFacts.of(rules.connector, stream.sock, stream.peer)
        self._body_parts: list[bytes] = []
        self._body_size = 0
        #: Continues with this connection in place of an answer.
        self._taker: Taker | None = None

    def start(self) -> None:
        """Wait for the first bytes, or continue with those that another process has read."""
        super().start()
        if self.exchange.data:
            self.advance()

    @property
    def is_new(self) -> bool:
        """True when no request has come yet."""
        return self.exchange.requests == 0

    # Input

    def on_input(self) -> None:
        """A part of a head or a body has come, or the client has gone."""
        if self.runner.running:  # the answer is held, so input has to wait
            self.stream.detach()
            return
        data = self.stream.receive()
        if data is None:
            return
        exchange = self.exchange
        if not data:
            self.close()
        elif exchange.state is HEAD:
            exchange.data = exchange.data + data if exchange.data else data
            self.advance()
        elif exchange.state is OWED:
            self._on_body_data(data)
        elif exchange.state is SWALLOW:
            self._swallow(data)
        elif exchange.linger(data) is CLOSED:
            self.close()

    def advance(self) -> None:
        """Serve every request that is complete, then wait for more."""
        served = 0
        exchange, stream = self.exchange, self.stream
        while not stream.closed:
            if not exchange.data:
                self._wait_for_request()
                return
            head = None
            try:
                head = exchange.next_head(self.host.ending and not self._goes_on)
                if head is None:
                    self._wait_for_head()
                    return
                if not self._begin(head):
                    return
            except HttpError as refused:
                self._refuse(refused, self._unreadable_request() if head is None else self._make_request(head))
                return
            if not self._run():
                return
            served += 1
            if served >= TURN and stream.attached:
                stream.reactor.call_soon(self._go_on)
                return

    def _go_on(self) -> None:
        """The next turn of a client that has sent many requests at once."""
        if self.stream.attached and not self.runner.running and self.exchange.state is HEAD:
            self.advance()

    def _run(self) -> bool:
        """Run the current request; returns True when its answer has left. The request may ask for another protocol
        here.
        """
        return self.runner.run()

    def _wait_for_request(self) -> None:
        stream = self.stream
        stream.deadline = time.monotonic() + (self._rules.keep_alive_s if self.exchange.requests else stream.timeout_s)
        if not self.host.paused:
            if not stream.attached or stream.interest != READ:
                stream.await_input()
        elif self._goes_on:
            self._leave_idle()
        else:
            self.close()

    def _wait_for_head(self) -> None:
        """The head has begun: it must be complete within connectionTimeout, however slowly its bytes come."""
        if self.exchange.await_rest():
            self.stream.deadline = time.monotonic() + self.stream.timeout_s
        self.stream.await_input()

    def _begin(self, head: RequestHead) -> bool:
        """Make the request; returns False when its body must be awaited.

        Raises:
            HttpError: the body is malformed so far, or the TLS connection is not for this host.
        """
        request = self._make_request(head)
        response = Response(request, self)
        request.response = response
        if self._rules.has_more_to_say:
            self._say_more(head, request, response)
        runner = self.runner
        runner.request, runner.response = request, response
        return self.exchange.body.complete or self._begin_body(head)

    def _say_more(self, head: RequestHead, request: Request, response: Response) -> None:
        tls, rules = self.stream.tls, self._rules
        if tls is not None:
            tls.check_host(head.host)
            tls.add_to(request)
        if rules.restricted_agents is not None:
            agent = request.headers.get("user-agent")
            if agent is not None and rules.restricted_agents.fullmatch(agent):
                self.exchange.keep_alive = False
        if rules.powered_by is not None:
            response.headers.append(("X-Powered-By", rules.powered_by))

    def _make_request(self, head: RequestHead) -> Request:
        # Unpacked at once, because a field of a named tuple costs a call each.
        method, path, query, http11, fields, length, _, _, _, _, host, port, _, memo = head
        headers = Headers(fields, memo)
        request = Request(self._facts, method, path, query, "HTTP/1.1" if http11 else "HTTP/1.0", headers)
        request.content_length = length
        connector = self._rules.connector
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
        self.stream.begin_body()
        if head.content_length > BODY_BUFFER or (head.expects_continue and not exchange.data):
            if head.expects_continue:
                exchange.expect_continue()
            self.runner.request.expects_continue = head.expects_continue
            self.runner.request.on_acknowledge = self._acknowledge
            self._body_parts.append(exchange.first_body())
            self._start_body()
            return True
        size = len(exchange.data)
        if size and self._collect(exchange.first_body()):
            return True
        self.stream.await_body(self._rules.body_timeout_s, size)
        self.stream.await_input()
        return False

    def _on_body_data(self, data: bytes) -> None:
        try:
            may_run = self._collect(self.exchange.receive_body(data))
        except HttpError as refused:
            self._refuse(refused, self.runner.request)
            return
        if not may_run:
            self.stream.await_body(self._rules.body_timeout_s, len(data))
        elif self._run():
            self.advance()

    def _collect(self, part: bytes) -> bool:
        """Keep a part of a body until its request runs; returns True if that is possible."""
        self._body_parts.append(part)
        self._body_size += len(part)
        if self.exchange.body.complete:
            if self._rules.exchange.trailers:
                self._take_trailers()
        elif self._body_size <= BODY_BUFFER:
            return False
        self._start_body()
        return True

    def _start_body(self) -> None:
        """Give the request its input: the bytes that have come, then those still to come."""
        ready = b"".join(self._body_parts)
        self._body_parts.clear()
        exchange = self.exchange
        pull = None if exchange.body.complete else partial(self._pull, exchange.requests)
        self.runner.request.input = RequestInput(pull, ready)

    def _pull(self, number: int) -> bytes:
        """The next portion of the body of a request, read by the thread that runs it; empty at its end.

        Raises:
            ClientAbortException: the client has gone, is too slow or sends nonsense; or the request is over, and a
                thread that its application has left behind wants the bytes of the next one.
        """
        exchange = self.exchange
        if exchange.requests != number or not self.runner.running:
            raise ClientAbortException(f"{self.stream.peer[0]}: the request is over, its body cannot be read any more")
        if exchange.body.complete:
            return b""
        self.runner.request.acknowledge()
        exchange.raw = None
        body = exchange.body
        while True:
            data = self.stream.receive_waiting(self._rules.body_timeout_s)
            try:
                part = exchange.receive_body(data)
            except HttpError as refused:
                exchange.keep_alive = False
                raise ClientAbortException(f"{self.stream.peer[0]}: {refused}", refused.status) from refused
            if body.complete and self._rules.exchange.trailers:
                self._take_trailers()
            if part or body.complete:
                return part

    def _take_trailers(self) -> None:
        for name, value in self.exchange.allowed_trailers():
            self.runner.request.headers.add(name, value)

    def _acknowledge(self) -> None:
        if not self.runner.response.committed:  # it would end up in the middle of the answer
            self.stream.send(self.exchange.acknowledge())

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send the head, with the first bytes of the body in the same packet."""
        exchange, host = self.exchange, self.host
        try:
            head, body = exchange.begin_answer(response, body, complete, host.ending and not self._goes_on)
        except BadContentLength:
            response.settle_content_length(host.messages)
            self.send_head(response, body, complete)
            return
        except ResponseHeadTooLarge as refused:
            self._rules.messages.log(
                logging.ERROR, "response heads that are too large",
                "%r: the response head of [%s] is %d bytes, limit maxHttpResponseHeaderSize %d",
                self, response.request.request_uri, refused.size, self._rules.exchange.response_head_size,
            )  # fmt: skip
            self.stream.send(exchange.fail_answer(complete))
            return
        if len(body) <= JOIN_SIZE:
            self.stream.send(head + body)
        else:
            self.stream.send_parts((head, body))

    def will_close(self, response: Response) -> bool:
        """True when the connection ends with this answer, as far as that is known before sending."""
        return self.exchange.will_close(response.status, self.host.ending and not self._goes_on)

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        parts = self.exchange.more(data)
        if parts:
            self.stream.send_parts(parts)

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Let the kernel send the rest of the body."""
        before, count, behind = self.exchange.more_of_file(count)
        if not count:
            file.close()
            return
        if before:
            self.stream.queue(memoryview(before))
        self.stream.send_file_part(FilePart(file, offset, count))
        if behind:
            self.stream.send(behind)

    def flushed(self) -> None:
        """Send the bytes that the client did not take before, because the next block may be long in coming."""
        if self.stream.out:
            self.stream.flush()

    def end(self) -> None:
        """The body is complete."""
        last = self.exchange.end_answer()
        if last:
            self.stream.send(last)

    # After an exchange

    def next(self) -> bool:
        """An answer has left: True when the next request can be parsed."""
        state = self.exchange.next(self.host.paused and not self._goes_on)
        if state is HEAD:
            return True
        if state is SWALLOW:
            self.stream.begin_body()
            self.stream.await_body(self._rules.body_timeout_s, 0)
            self.stream.await_input()
        else:
            self._end(state)
        return False

    @property
    def body_is_here(self) -> bool:
        """True when the request can be read without waiting for the client."""
        return self.exchange.body.complete

    def _swallow(self, data: bytes) -> None:
        state = self.exchange.swallow(data)
        if state is HEAD:
            self.advance()
        elif state is SWALLOW:
            self.stream.await_body(self._rules.body_timeout_s, len(data))
        else:
            self._end(state)

    def _end(self, state: State) -> None:
        """Close so that the client gets the answer: if more input may come, wait until it has closed, too."""
        if state is not LINGER:
            self.close()
            return
        try:
            self.stream.end_output()
        except OSError:
            self.close()
            return
        self.stream.deadline = time.monotonic() + LINGER_SECONDS
        self.stream.await_input()

    # Continuation by others

    @property
    def handover(self) -> Callable[[Taker], None] | None:
        """Leaves the connection to another process; None when not all bytes read are at hand."""
        return self._hand_over if self.stream.can_be_handed_over and self.exchange.raw is not None else None

    def _hand_over(self, take: Taker) -> None:
        self._taker = take
        self.runner.unanswered = True

    def end_unanswered(self) -> None:
        """The request gets no answer here: its client has gone, or another process continues."""
        take, exchange, stream = self._taker, self.exchange, self.stream
        if take is None or exchange.raw is None:
            self.close()
            return
        handover = Handover(stream.sock, bytes(exchange.raw), stream.peer, exchange.requests - 1)
        self.runner.request.release()
        self._leave(take, handover)

    @property
    def _goes_on(self) -> bool:
        """True when another process continues with the connection as soon as it is idle."""
        return self.host.taker is not None and self.stream.can_be_handed_over

    def close_when_idle(self) -> None:
        """See :meth:`Connection.close_when_idle`. Where another process continues, the client notices nothing."""
        if self._goes_on and not self.is_running and self.exchange.state is HEAD:
            self._leave_idle()
        else:
            super().close_when_idle()

    def _leave_idle(self) -> None:
        take, exchange, stream = self.host.taker, self.exchange, self.stream
        if take is not None:
            self._leave(take, Handover(stream.sock, bytes(exchange.data), stream.peer, exchange.requests))

    def _leave(self, take: Taker, handover: Handover) -> None:
        self.exchange.leave()
        self.stream.leave()
        self.host.forget(self)
        self.runner.stop()
        try:
            take(handover)
        except BaseException:  # noqa: BLE001 - log_fault logs it; nobody has the connection then
            self.host.log_fault(self)
            handover.sock.close()

    def change_to(self, successor: Connection) -> None:
        """Let another protocol continue with the stream, and the bytes read behind the last request."""
        self.exchange.leave()
        self.runner.stop()
        super().change_to(successor)

    # Refusals and time-outs

    def _unreadable_request(self) -> Request:
        """The parts of a refused head that the logs and the choice of the host need."""
        told = describe_refused(self.exchange.data, self._rules.exchange.parser.limits.max_size)
        request = Request(self._facts, told.method, told.path, told.query, told.protocol)
        request.server_name = told.host or request.local_name
        request.server_port = told.port if told.port >= 0 else request.local_port
        return request

    def _refuse(self, refused: HttpError, request: Request) -> None:
        """Answer an invalid request through the engine's valves, and close."""
        self._rules.log_refusal(self.stream.peer[0], refused)
        response = Response(request, self)
        request.response = response
        self.exchange.refuse(request.protocol == "HTTP/1.1")
        self.runner.request, self.runner.response = request, response
        self.runner.refuse(refused.status, refused.text)

    def time_out(self) -> None:
        """As Tomcat, close silently when no request came, or only a part of its head."""
        if self.exchange.state is OWED and not self.runner.running:
            self._refuse(HttpError(408, "the body did not come in time"), self.runner.request)
        else:
            self.close()
