"""One connection of a web server that speaks AJP/1.3: runs the requests of :mod:`catalina.coyote.ajp.exchange`."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import BinaryIO

from catalina.connector.ajp_request import AjpRequestRules
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import ConnectionHost
from catalina.connector.connection_facts import AjpConnector, ConnectionFacts
from catalina.connector.exchange_runner import ExchangeConnection
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.connector.stream import Stream, file_blocks, seconds_of
from catalina.coyote.ajp.exchange import OWED, REQUEST, AjpExchange
from catalina.coyote.ajp.response_packets import CPONG
from catalina.coyote.http_error import HttpError
from catalina.errors import LimitError, ProtocolError

__all__ = ["AjpConnection"]

#: A body up to this size is read before its request runs.
BODY_BUFFER = 64 * 1024


class AjpConnection(ExchangeConnection):
    """Serves requests of a web server, one after another; such a connection lives for hours.

    Args:
        connector: has the attributes.
        rules: decide what to believe.
    """

    __slots__ = ("_body_parts", "_connector", "_exchange", "_facts", "_flushes", "_keep_alive_s", "_rules")

    #: None: the web server has chosen this process.
    handover = None

    def __init__(self, host: ConnectionHost, stream: Stream, connector: AjpConnector, rules: AjpRequestRules) -> None:
        super().__init__(host, stream)
        handler = connector.ajp
        self._connector = connector
        self._rules = rules
        self._exchange = AjpExchange(handler.packet_size, handler.max_header_count)
        self._keep_alive_s = seconds_of(handler.effective_keep_alive_timeout_ms)
        self._flushes = handler.ajp_flush
        self._facts = ConnectionFacts.of(connector, stream.sock, ("", 0))  # the proxy names the client
        self._body_parts: list[bytes] = []

    @property
    def is_new(self) -> bool:
        """True when no request has come yet."""
        return self._exchange.requests == 0

    @property
    def body_is_here(self) -> bool:
        """True when the request can be read without waiting for the web server."""
        return self._exchange.body_ended

    # Input

    def on_input(self) -> None:
        """Packets have come, or the web server has gone."""
        data = self.take_input()
        if not data:
            return
        self._exchange.receive(data)
        if self._exchange.state is OWED:
            self._collect_body()
        else:
            self.advance()

    def advance(self) -> None:
        """Serve every packet that is complete, then wait for more."""
        try:
            while not self.stream.closed:
                payload = self._exchange.next_packet()
                if payload is None:
                    self._wait_for_packet()
                    return
                if self._exchange.is_ping(payload):
                    self._answer_ping()
                elif not self._begin(payload):
                    return
        except (ProtocolError, ClientAbortException) as exc:
            self._give_up(exc)

    def _give_up(self, exc: Exception) -> None:
        peer = self.stream.peer[0]
        self._rules.messages.log(
            logging.WARNING, f"broken packets from {peer}", "%s: closing the connection: %s", peer, exc
        )
        self.close()

    def _wait_for_packet(self) -> None:
        is_between = self._exchange.is_between
        if self.host.paused and is_between:
            self.close()
            return
        self.stream.deadline = time.monotonic() + (self._keep_alive_s if is_between else self.stream.timeout_s)
        self.stream.await_input()

    def _answer_ping(self) -> None:
        if self.host.paused:  # the web server then takes another node
            self.close()
        else:
            self.stream.send(CPONG)

    def _begin(self, payload: bytes) -> bool:
        """Make the request and run it, or wait for its body; True when its answer has left."""
        exchange = self._exchange
        try:
            told = exchange.begin(payload, self.host.paused)
            request = self._rules.make(told, self._facts)
        except ProtocolError as refused:  # an HttpError among them has a status
            peer = self.stream.peer[0]
            self._rules.messages.log(logging.WARNING, f"refused requests from {peer}", "%s: %s", peer, refused.text)
            self._refuse(refused.status if isinstance(refused, HttpError) else 400, refused.text)
            return False
        self.stream.begin_body()
        connector = self._connector
        request.server_name = connector.proxy_name or request.server_name
        request.server_port = connector.proxy_port or request.server_port
        response = Response(request, self)
        request.response = response
        self.runner.request, self.runner.response = request, response
        if exchange.body_ended:
            return self.runner.run()
        self._body_parts.clear()
        if 0 < request.content_length <= BODY_BUFFER:
            self._collect_body()
            return False
        return self._run()

    def _refuse(self, status: int, text: str) -> None:
        """Answer a request that is not believed, and close, because a body may follow it."""
        request = Request(self._facts, "", "", None, "HTTP/1.1")
        response = Response(request, self)
        request.response = response
        self.runner.request, self.runner.response = request, response
        self._exchange.refuse()
        self.runner.refuse(status, text)

    def _collect_body(self) -> None:
        """Read a small body before its request runs, so that a slow upload holds no thread."""
        exchange = self._exchange
        try:
            while not exchange.body_ended:
                part = exchange.next_body()
                if part is None:
                    self._ask_for_body()
                    self.stream.deadline = time.monotonic() + self.stream.timeout_s
                    self.stream.await_input()
                    return
                self._body_parts.append(part)
        except (ProtocolError, ClientAbortException) as exc:
            self._give_up(exc)
            return
        if self._run():
            self.advance()

    def _run(self) -> bool:
        ready = b"".join(self._body_parts)
        self._body_parts.clear()
        exchange = self._exchange
        pull = None if exchange.body_ended else partial(self._pull, exchange.requests)
        self.runner.request.input = RequestInput(pull, ready)
        return self.runner.run()

    def _ask_for_body(self) -> None:
        packet = self._exchange.ask_for_body()
        if packet:
            self.stream.send(packet)

    def _pull(self, number: int) -> bytes:
        """The next portion of the body of a request, read by the thread that runs it; empty at its end.

        Raises:
            ClientAbortException: the web server has gone, is too slow or sends nonsense; or the request is over, and a
                thread that its application has left behind wants the bytes of the next one.
        """
        exchange = self._exchange
        if exchange.requests != number or not self.runner.running:
            raise ClientAbortException(f"{self.stream.peer[0]}: the request is over, its body cannot be read any more")
        while not exchange.body_ended:
            try:
                data = exchange.next_body()
            except ProtocolError as exc:
                exchange.reuse = False
                raise ClientAbortException(f"{self.stream.peer[0]}: {exc}", 400) from exc
            if data:
                return data
            if data is None:
                self._ask_for_body()
                exchange.receive(self.stream.receive_waiting(self.stream.timeout_s))
        return b""

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send status and fields, and the first bytes of the body."""
        response.settle_content_length(self.host.messages)
        try:
            parts = self._exchange.begin_answer(response, body, complete)
        except LimitError as exc:
            self._rules.messages.log(
                logging.ERROR, "response heads that are too large", "%s: %s", response.request.request_uri, exc
            )
            response.body_allowed = False
            parts = self._exchange.fail_answer(complete)
        self.stream.send_parts(parts)

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        self.stream.send_parts(self._exchange.more(data))

    def flushed(self) -> None:
        """The application has flushed, so the web server must, too."""
        if self._flushes:
            self.stream.send(self._exchange.flush())
        if self.stream.out:
            self.stream.flush()

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file. The kernel cannot do it, because packet heads come in between."""
        for block in file_blocks(file, offset, count, self.stream.peer[0]):
            self.send_body(block)

    def end(self) -> None:
        """The response is complete."""
        self.stream.send(self._exchange.end_answer())

    # After an exchange

    def next(self) -> bool:
        """An answer has left: True when the next request can be parsed."""
        if self._exchange.next(self.host.paused) is REQUEST:
            return True
        self.close()
        return False
