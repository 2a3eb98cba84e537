"""The outlet of HTTP/1.1 responses: head, framing, and what the connection's own fields say."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, BinaryIO

from catalina.connector.exchange_connection import ExchangeConnection
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.response import BUFFER_SIZE, LENGTH_DIGITS, Response
from catalina.connector.stream_connection import FilePart
from catalina.coyote.http11.request_body import BodyDecoder, LengthDecoder
from catalina.coyote.http11.response_head import LAST_CHUNK, chunk, encode_head, with_reason

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint

__all__ = ["Http11Output"]

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: After an answer with one of these the connection is closed (Tomcat: Http11Processor.statusDropsConnection).
CLOSING_STATUS = frozenset((400, 408, 411, 413, 414, 417, 431, 500, 501, 503, 505))
#: Fields that are the connection's business; what the application says about them is dropped or read here.
CONNECTION_FIELDS = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "date", "server")
)


#: The body of a request without one.
NO_BODY: BodyDecoder = LengthDecoder(0)


class Http11Output(ExchangeConnection):
    """The half of an HTTP/1.1 connection that answers; ``Http11Connection`` is the half that asks."""

    __slots__ = ("_asked_keep_alive", "_body", "_chunked", "_keep_alive", "_remaining", "rules")

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        super().__init__(endpoint, sock, peer)
        self.rules: Http11Rules = endpoint.http11_rules
        #: The request's body.
        self._body: BodyDecoder = NO_BODY
        #: True while the connection may take another request when this answer is out.
        self._keep_alive = True
        #: True when the client has sent ``Connection: keep-alive``, and wants to hear about it.
        self._asked_keep_alive = False
        self._chunked = False
        #: Bytes that the Content-Length of the response in progress still promises; -1 when it promises nothing.
        self._remaining = -1

    @property
    def uses_sendfile(self) -> bool:  # type: ignore[override]  # the connector says
        """True when the kernel may send files."""
        return self.rules.uses_sendfile

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        """Send the head, with the first bytes of the body in the same packet."""
        fields = response.headers
        length: str | None = None
        special = False
        for name, value in fields:
            lower = name.lower()
            if lower == "content-length":
                length = value if length is None else ""
            elif lower in CONNECTION_FIELDS:
                special = True
        # response.is_length, without the call
        if length is not None and not (length.isdecimal() and length.isascii() and len(length) < LENGTH_DIGITS):
            length = response.settle_content_length(self.endpoint.messages)
            fields = response.headers
        tail = self.rules.common_lines()
        if special:
            fields, tail = self._without_connection_fields(fields)
        status = response.status
        has_body = response.body_allowed
        if length is None and has_body:
            if complete:
                length = str(len(body))
                tail = f"Content-Length: {length}\r\n{tail}"
            elif response.request.protocol == "HTTP/1.1":
                self._chunked = True
                tail = f"Transfer-Encoding: chunked\r\n{tail}"
            else:
                self._keep_alive = False
        if self.will_close(response):
            self._keep_alive = False
        if self._asked_keep_alive or not self._keep_alive:
            tail += self._connection_lines(response)
        head = encode_head(status, fields, tail)
        if self.rules.sends_reason:
            head = with_reason(head, response.reason)
        if len(head) > self.rules.response_head_size:
            self._send_too_large(len(head))
            return
        if has_body:
            self._send_with_body(head, body, length, complete)
        else:
            self._remaining = 0
            self._send(head)

    def _send_with_body(self, head: bytes, body: bytes, length: str | None, complete: bool) -> None:
        self._remaining = int(length) if length is not None and not self._chunked else -1
        if self._remaining == len(body):
            self._remaining = 0
        elif self._remaining >= 0:
            body = self._within_length(body)
            if complete and self._remaining:
                self._keep_alive = False  # the client waits for bytes that do not exist
        if body and self._chunked:
            body = chunk(body)
        if len(body) <= BUFFER_SIZE:
            self._send(head + body)
        else:
            self._send_parts((head, body))

    def will_close(self, response: Response) -> bool:
        """Whether the connection ends with this answer, as far as that is known before it is sent."""
        return (
            not self._keep_alive
            or response.status in CLOSING_STATUS
            or self.endpoint.ending
            or (not self._body.complete and self._leaves_too_much())
        )

    def _leaves_too_much(self) -> bool:
        """True when more of the request's body, which has not ended, is left than is read away for the connection."""
        return False

    def send_body(self, data: bytes) -> None:
        """Send more of the body."""
        if self._remaining >= 0:
            data = self._within_length(data)
        if data:
            if self._chunked:
                self._send_parts((b"%x\r\n" % len(data), data, b"\r\n"))
            else:
                self._send(data)

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Let the kernel send the rest of the body."""
        if self._remaining >= 0:
            count = min(count, self._remaining)
            self._remaining -= count
        if not count:
            file.close()
            return
        if self._chunked:
            self._queue(memoryview(b"%x\r\n" % count))
        self._send_file_part(FilePart(file, offset, count))
        if self._chunked:
            self._send(b"\r\n")

    def flushed(self) -> None:
        """Nothing is kept back here."""

    def end(self) -> None:
        """The body is complete."""
        if self._chunked:
            self._send(LAST_CHUNK)
        elif self._remaining > 0:
            self._keep_alive = False

    def _within_length(self, data: bytes) -> bytes:
        """No more than Content-Length promised: more would be read as the next answer."""
        if len(data) > self._remaining:
            log.debug("%r: the response is longer than its Content-Length", self)
            data = data[: self._remaining]
        self._remaining -= len(data)
        return data

    def _connection_lines(self, response: Response) -> str:
        if not self._keep_alive:
            return "Connection: close\r\n"
        if response.request.protocol == "HTTP/1.0":
            return f"Connection: keep-alive\r\n{self.rules.keep_alive_line}"
        return f"{self.rules.keep_alive_line}Connection: keep-alive\r\n" if self.rules.keep_alive_line else ""

    def _without_connection_fields(self, fields: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], str]:
        """The fields without those of the connection, and the tail with Date and Server as the application has them."""
        kept = []
        date, server = self.rules.date_line(), self.rules.server_line
        for name, value in fields:
            lower = name.lower()
            if lower == "date":
                date = ""
            elif lower == "server":
                if self.rules.remove_server:
                    continue
                server = ""
            elif lower in CONNECTION_FIELDS:
                if lower == "connection" and "close" in value.lower():
                    self._keep_alive = False
                continue
            kept.append((name, value))
        return kept, date + server

    def _send_too_large(self, size: int) -> None:
        self.rules.messages.log(
            logging.ERROR, "response heads that are too large",
            "%r: the response head of [%s] is %d bytes, limit maxHttpResponseHeaderSize %d",
            self, self._request.request_uri, size, self.rules.response_head_size,
        )  # fmt: skip
        self._keep_alive = False
        self._chunked = False
        self._remaining = 0
        self._send(encode_head(500, (), f"Content-Length: 0\r\n{self.rules.date_line()}Connection: close\r\n"))
