"""Serves requests whose connections another worker has: each runs here as if it had come in here."""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.coyote_principal import CoyotePrincipal
from catalina.connector.exchange_runner import ExchangeConnection
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.connector.request_input import EMPTY_INPUT, RequestInput
from catalina.connector.response import Response
from catalina.connector.stream import Stream, file_blocks
from catalina.errors import ProtocolError
from catalina.workers.frames import Frame, FrameReader, Kind, encode_frame
from catalina.workers.relay_frames import ToldAnswer, ToldRequest, decode_request, decode_trailers, encode_told

if TYPE_CHECKING:
    from catalina.connector.carried import RequestConnector
    from catalina.connector.connection import ConnectionHost

__all__ = ["RELAYED", "RelayConnection"]

#: The request's note that another worker has its connection.
RELAYED = "org.apache.catalina.workers.RELAYED"
#: Bytes of a body in one frame.
PIECE = 256 * 1024


class RelayConnection(ExchangeConnection):
    """One stream of ``relay_frames.py``, at the end of the worker that runs the application.

    The time-outs for the client are the other worker's, which reads from it; this one waits.

    Args:
        connector: the one that has accepted the client in the other worker, as this process has it.
    """

    __slots__ = ("_connector", "_frames", "_is_over", "_reader", "_requests")

    #: None: the client's connection is in the other worker.
    handover = None

    def __init__(self, host: ConnectionHost, stream: Stream, connector: RequestConnector) -> None:
        super().__init__(host, stream)
        stream.timeout_s = math.inf
        self._connector = connector
        self._reader = FrameReader()
        self._frames: deque[Frame] = deque()
        self._requests = 0
        #: The body of the request is complete.
        self._is_over = True

    def start(self) -> None:
        """Say that this worker serves, and wait for a request."""
        super().start()
        self.stream.send(encode_frame(Kind.ACCEPTED))

    @property
    def is_new(self) -> bool:
        """True when no request has come yet: one is on its way."""
        return self._requests == 0

    @property
    def body_is_here(self) -> bool:
        """True when the request can be read without waiting for the client."""
        return self._is_over

    # Input

    def on_input(self) -> None:
        """Frames have come, or the client has gone, and the other worker has closed."""
        data = self.take_input()
        if not data:
            return
        try:
            self._frames.extend(self._reader.feed(data))
        except ProtocolError:
            self.host.log_fault(self)
            self.close()
            return
        self.advance()

    def advance(self) -> None:
        """Run the request that has come, or wait for one."""
        while not self.stream.closed:
            if not self._frames:
                if self.host.paused:
                    self.close()
                else:
                    self.stream.await_input()
                return
            if not self._begin(self._frames.popleft()):
                return

    def _begin(self, frame: Frame) -> bool:
        """Make the request and run it; True when its answer has left."""
        try:
            if frame.kind is not Kind.REQUEST:
                raise ProtocolError(f"expected a REQUEST, got {frame.kind.name}")
            told, ready = decode_request(frame.payload)
        except ProtocolError:
            self.host.log_fault(self)
            self.close()
            return False
        self._requests += 1
        self._is_over = frame.number == 1
        request = self._make_request(told)
        if ready or not self._is_over:
            request.input = RequestInput(None if self._is_over else partial(self._pull, self._requests), ready)
        response = Response(request, self)
        request.response = response
        self.runner.request, self.runner.response = request, response
        return self.runner.run()

    def _make_request(self, told: ToldRequest) -> Request:
        facts = ConnectionFacts(
            self._connector, told.remote_addr, told.remote_port, told.local_addr, told.local_name, told.local_port,
            told.scheme, told.secure,
        )  # fmt: skip
        headers = Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.headers])
        request = Request(facts, told.method, told.request_uri, told.query_string, told.protocol, headers, EMPTY_INPUT)
        request.content_length = told.content_length
        request.server_name, request.server_port = told.server_name, told.server_port
        request.connection_id = told.connection_id
        if told.remote_host is not None:
            request.remote_host = told.remote_host
        if told.user is not None:
            request.remote_user, request.auth_type = told.user, told.auth_type
            request.remote_user_needs_authorization = told.needs_authorization
            if not told.needs_authorization:
                request.principal = CoyotePrincipal(told.user)
        if told.attributes:
            request.attributes.update(
                (name, tuple(value) if isinstance(value, list) else value) for name, value in told.attributes.items()
            )
        request.expects_continue = told.expects_continue
        request.on_acknowledge = self._acknowledge
        request.notes[RELAYED] = True
        return request

    def _acknowledge(self) -> None:
        if not self.runner.response.committed:  # it would end up in the middle of the answer
            self.stream.send(encode_frame(Kind.CONTINUE))

    def _pull(self, number: int) -> bytes:
        """The next portion of the body of a request, read by the thread that runs it; empty at its end.

        Raises:
            ClientAbortException: the client has gone, or is too slow, and the other worker has closed; or the request
                is over, and a thread that its application has left behind wants the bytes of the next one.
        """
        if self._requests != number or not self.runner.running:
            raise ClientAbortException("the request is over, its body cannot be read any more")
        if self._is_over:
            return b""
        self.stream.send(encode_frame(Kind.PULL))
        while not self._frames:
            self._frames.extend(self._reader.feed(self.stream.receive_waiting(math.inf)))
        frame = self._frames.popleft()
        if frame.kind is Kind.BODY:
            return frame.payload
        if frame.kind is not Kind.BODY_END:
            raise ProtocolError(f"expected a BODY, got {frame.kind.name}")
        self._is_over = True
        for name, value in decode_trailers(frame.payload):
            self.runner.request.headers.add(name, value)
        return b""

    # Output: the response's outlet

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send status and fields, and the first bytes of the body, which are all of it when ``complete``."""
        response.settle_content_length(self.host.messages)
        told = ToldAnswer(response.status, response.reason, response.headers)
        if complete and len(body) <= PIECE:
            self.stream.send(encode_told(Kind.HEAD, told, body, is_all=True))
        else:
            self.stream.send(encode_told(Kind.HEAD, told, b"", is_all=False))
            if body:
                self.send_body(body)
            if complete:
                self.end()

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        for start in range(0, len(data), PIECE):
            self.stream.send(encode_frame(Kind.BODY, data[start : start + PIECE]))

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file."""
        for block in file_blocks(file, offset, count, "the other worker"):
            self.send_body(block)

    def flushed(self) -> None:
        """The client shall get what was sent so far."""
        self.stream.send(encode_frame(Kind.FLUSH))
        if self.stream.out:
            self.stream.flush()

    def end(self) -> None:
        """The answer is complete."""
        self.stream.send(encode_frame(Kind.END))

    # After an exchange

    def next(self) -> bool:
        """An answer has left: True when the next request may follow."""
        if self.host.paused:
            self.close()
            return False
        return True
