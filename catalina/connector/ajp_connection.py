"""One connection of a web server that speaks AJP/1.3 (Tomcat: coyote/ajp/AjpProcessor.java)."""

from __future__ import annotations

import logging
import os
import time
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from catalina.connector.ajp_request import AjpRequestRules
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import Connection, ConnectionHost
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.exchange_runner import ExchangeRunner
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.connector.stream import FILE_BLOCK, Stream, seconds_of
from catalina.coyote.ajp.forward_request import FORWARD_REQUEST, decode_forward_request
from catalina.coyote.ajp.packets import AjpReader, PacketDecoder
from catalina.coyote.ajp.response_packets import (
    CPONG,
    FLUSH,
    body_packets,
    end_response,
    get_body_chunk,
    response_head,
)
from catalina.coyote.http_error import HttpError
from catalina.errors import LimitError, ProtocolError

if TYPE_CHECKING:
    from catalina.connector.connector import Connector

__all__ = ["AjpConnection"]

log = logging.getLogger("org.apache.coyote.ajp.AjpProcessor")

#: Packets of a web server besides the forward request.
SHUTDOWN, PING, CPING = 7, 8, 10
#: Methods whose requests have no body unless they say so; of another request the application may ask for one.
WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "DELETE"))
#: A body up to this size is read before its request runs.
BODY_BUFFER = 64 * 1024
#: Fields that the web server sets for the connection to its own client.
CONNECTION_FIELDS = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))


class State(Enum):
    """What the next packet is."""

    REQUEST = auto()
    BODY = auto()  # of a request that has not run yet
    EXCHANGE = auto()  # the application reads the body itself


class AjpConnection(Connection):
    """Requests of a web server, one after the other; such a connection lives for hours.

    Args:
        connector: whose attributes count.
        rules: what it believes.
    """

    #: None: the web server has chosen this process.
    handover = None

    def __init__(self, host: ConnectionHost, stream: Stream, connector: Connector, rules: AjpRequestRules) -> None:
        super().__init__(host, stream)
        handler = connector.ajp
        self.handler = handler
        self._connector = connector
        self._rules = rules
        self.runner = ExchangeRunner(host, stream, self)
        self._keep_alive_s = seconds_of(handler.effective_keep_alive_timeout_ms)
        self._packets = PacketDecoder(handler.packet_size)
        self._state = State.REQUEST
        self._facts = ConnectionFacts.of(connector, stream.sock, ("", 0))  # who the client is the proxy says
        self._is_fresh = True
        self._reuse = True
        self._body_left = 0  # bytes of a body of known length that are still to come
        self._body_ended = True
        self._body_asked = False  # a body packet is on its way
        self._body_parts: list[bytes] = []
        self._body_size = 0

    @property
    def is_running(self) -> bool:
        """True while a request is processed or held, or its answer on the way."""
        return self.runner.running

    @property
    def is_new(self) -> bool:
        """True when no request has come yet."""
        return self._is_fresh

    @property
    def body_is_here(self) -> bool:
        """True when the request can be read without waiting for the web server."""
        return self._body_ended

    def running_requests(self) -> list[Request]:
        """The request that runs now, if one does."""
        return [self.runner.request] if self.runner.running else []

    def end_unanswered(self) -> None:
        """The web server has gone, or the request has failed."""
        self.close()

    def close(self) -> None:
        """Close now, whatever runs."""
        if not self.stream.closed:
            super().close()
            self.runner.stop()

    # Input

    def on_input(self) -> None:
        """Packets have come, or the web server has gone."""
        if self.runner.running:  # the answer is held, nothing should come
            self.stream.detach()
            return
        data = self.stream.receive()
        if data is None:
            return
        if not data:
            self.close()
            return
        self._packets.receive(data)
        if self._state is State.BODY:
            self._collect_body()
        else:
            self.advance()

    def on_output_sent(self) -> None:
        """The web server has taken the rest of the answer."""
        self.runner.output_sent()

    def advance(self) -> None:
        """Serve every packet that is complete, then wait for more."""
        try:
            while not self.stream.closed:
                payload = self._packets.next_packet()
                if payload is None:
                    self._wait_for_packet()
                    return
                if self._body_asked:
                    self._body_asked = False  # of a request that was answered without reading it
                elif not self._serve_packet(payload):
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
        if self.host.paused and self._packets.is_empty:
            self.close()
            return
        timeout_s = self._keep_alive_s if self._packets.is_empty else self.stream.timeout_s
        self.stream.deadline = time.monotonic() + timeout_s
        self.stream.await_input()

    def _serve_packet(self, payload: bytes) -> bool:
        if not payload:
            return True  # the end of a body that nobody waits for
        kind = payload[0]
        if kind == FORWARD_REQUEST:
            return self._begin(payload)
        if kind == CPING:
            if self.host.paused:  # the web server takes another node then
                self.close()
                return False
            self.stream.send(CPONG)
            return True
        what = "a shutdown" if kind == SHUTDOWN else "a ping" if kind == PING else f"packet type {kind}"
        raise ProtocolError(f"{what} is not accepted here")

    def _begin(self, payload: bytes) -> bool:
        try:
            told = decode_forward_request(payload, self.handler.max_header_count)
            length = told.content_length
            request = self._rules.make(told, self._facts)
        except ProtocolError as refused:  # an HttpError among them says its status
            status = refused.status if isinstance(refused, HttpError) else 400
            peer = self.stream.peer[0]
            self._rules.messages.log(logging.WARNING, f"refused requests from {peer}", "%s: %s", peer, refused.text)
            return self._refuse(status, refused.text)
        self._is_fresh = False
        self._reuse = not self.host.paused
        self._body_ended = length == 0 or (
            length < 0
            and told.method in WITHOUT_BODY
            and not any(name.lower() == b"transfer-encoding" for name, _ in told.fields)
        )
        self._body_left = max(0, length)
        self._body_asked = length > 0  # the first packet comes unasked
        self.stream.begin_body()
        connector = self._connector
        request.server_name = connector.proxy_name or request.server_name
        request.server_port = connector.proxy_port or request.server_port
        response = Response(request, self)
        request.response = response
        self.runner.request, self.runner.response = request, response
        self._body_parts.clear()
        self._body_size = 0
        if self._body_ended:
            return self.runner.run()
        if 0 < length <= BODY_BUFFER:
            self._state = State.BODY
            self._collect_body()
            return False
        return self._run()

    def _collect_body(self) -> None:
        """Read a small body before its request runs, so that a slow upload holds no thread."""
        try:
            while not self._body_ended:
                payload = self._packets.next_packet()
                if payload is None:
                    if not self._body_asked:
                        self._ask_for_body()
                    self.stream.deadline = time.monotonic() + self.stream.timeout_s
                    self.stream.await_input()
                    return
                self._body_parts.append(self._body_of(payload))
        except (ProtocolError, ClientAbortException) as exc:
            self._give_up(exc)
            return
        if self._run():
            self.advance()

    def _run(self) -> bool:
        ready = b"".join(self._body_parts)
        self._body_parts.clear()
        self._state = State.EXCHANGE
        self.runner.request.input = RequestInput(None if self._body_ended else self._pull, ready)
        return self.runner.run()

    def _body_of(self, payload: bytes) -> bytes:
        """The data of a body packet; an empty one is the end of the body.

        Raises:
            ProtocolError: the packet is none, or the body is longer than its Content-Length.
        """
        self._body_asked = False
        size = AjpReader(payload).short() if len(payload) >= 2 else 0
        if size == 0:
            self._body_ended = True
            return b""
        data = AjpReader(payload[2:]).rest(size)
        if self._body_left:
            if size > self._body_left:
                raise ProtocolError(f"a body packet of {size} bytes, Content-Length leaves {self._body_left}")
            self._body_left -= size
            if not self._body_left:
                self._body_ended = True
        return data

    def _ask_for_body(self) -> None:
        self._body_asked = True
        self.stream.send(get_body_chunk(self.handler.packet_size))

    def _pull(self) -> bytes:
        """The next portion of the body, read by the thread that runs the request."""
        while not self._body_ended:
            try:
                payload = self._packets.next_packet()
                data = b"" if payload is None else self._body_of(payload)
            except ProtocolError as exc:
                self._reuse = False
                raise ClientAbortException(f"{self.stream.peer[0]}: {exc}", 400) from exc
            if data:
                return data
            if payload is None:
                if not self._body_asked:
                    self._ask_for_body()
                self._packets.receive(self.stream.receive_waiting(self.stream.timeout_s))
        return b""

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send status and fields, and the first bytes of the body."""
        response.settle_content_length(self.host.messages)
        fields = [pair for pair in response.headers if pair[0].lower() not in CONNECTION_FIELDS]
        if complete and response.body_allowed and response.content_length < 0:
            fields.append(("Content-Length", str(len(body))))
        try:
            head = response_head(response.status, _reason(response.status), fields, self.handler.packet_size)
        except LimitError as exc:
            self._rules.messages.log(
                logging.ERROR, "response heads that are too large", "%s: %s", response.request.request_uri, exc
            )
            self._reuse = False
            head, body = response_head(500, _reason(500), (("Content-Length", "0"),), self.handler.packet_size), b""
            response.body_allowed = False
        parts = [head]
        if response.body_allowed:
            parts.extend(body_packets(body, self.handler.packet_size))
        if complete:
            parts.append(self._end())
        self.stream.send_parts(parts)

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        self.stream.send_parts(list(body_packets(data, self.handler.packet_size)))

    def flushed(self) -> None:
        """The application has flushed: the web server shall too."""
        if self.handler.ajp_flush:
            self.stream.send(FLUSH)
        if self.stream.out:
            self.stream.flush()

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file; the kernel cannot, for the packets stand between."""
        with file:
            while count > 0:
                block = os.pread(file.fileno(), min(FILE_BLOCK, count), offset)
                if not block:
                    raise ClientAbortException(f"a file became shorter while it was sent to {self.stream.peer[0]}")
                self.send_body(block)
                offset += len(block)
                count -= len(block)

    def end(self) -> None:
        """The response is complete."""
        self.stream.send(self._end())

    def _end(self) -> bytes:
        return end_response(self._reuse)

    # After an exchange

    def next(self) -> bool:
        """An answer has left: True when the next request can be parsed."""
        self._state = State.REQUEST
        if not self._reuse or self.host.paused:
            self.close()
            return False
        return True

    def _refuse(self, status: int, text: str) -> bool:
        """Answer a request that is not believed, and close: what follows may be a body."""
        request = Request(self._facts, "", "", None, "HTTP/1.1")
        response = Response(request, self)
        request.response = response
        self.runner.request, self.runner.response = request, response
        self._reuse = False
        self._body_ended, self._body_asked = True, False
        self.runner.refuse(status, text)
        return False


def _reason(status: int) -> str:
    """Web servers copy it into the status line; Tomcat sends the code itself when it knows no better."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)
