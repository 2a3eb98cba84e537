"""HTTP/1.1 without TLS on a port that understands HTTP/2: a client may begin with it, or change to it.

RFC 9113 section 3.3 (prior knowledge) and RFC 7540 section 3.2 (``Upgrade: h2c``; Tomcat: Http11Processor.java,
Http2Protocol.accept). A client that asks for the change in another form than the RFC's is answered by HTTP/1.1.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import ConnectionHost
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_connection import PREFACE, Http2Connection
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.connector.stream import Stream

__all__ = ["H2cConnection"]

log = logging.getLogger("org.apache.coyote.http2.Http2UpgradeHandler")

SWITCHING = b"HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


class H2cConnection(Http11Connection):
    """HTTP/1.1 until the client speaks HTTP/2.

    Args:
        http2: makes the connection that continues with the stream, from the common facts of its requests and the bytes
            read.
    """

    __slots__ = ("_http2",)

    def __init__(
        self,
        host: ConnectionHost,
        stream: Stream,
        rules: Http11Rules,
        served: int,
        data: bytes,
        http2: Callable[[ConnectionFacts, bytes], Http2Connection],
    ) -> None:
        super().__init__(host, stream, rules, served, data)
        self._http2 = http2

    def advance(self) -> None:
        """Serve the received bytes, of either protocol."""
        data = self.exchange.data
        if self.exchange.requests == 0 and data.startswith(PREFACE[: len(data)]):
            if len(data) >= len(PREFACE):
                successor = self._http2(self._facts, data)
                self.change_to(successor)
                successor.start()
                return
            if len(data) > len(b"PRI "):  # no used method of HTTP/1.1 begins like that
                self._wait_for_head()
                return
        super().advance()

    def _run(self) -> bool:
        # The body must be complete, because HTTP/2 follows it. A thread other than the loop's cannot change the
        # protocol.
        request = self.runner.request
        if self.stream.attached and self.exchange.body.complete and request.headers.get("upgrade") == "h2c":
            settings = _settings_of(request)
            if settings is not None:
                self._upgrade(request, settings)
                return False
        return super()._run()

    def _upgrade(self, request: Request, settings: bytes) -> None:
        """Send 101, and continue with the request as the first stream."""
        try:
            self.stream.send(SWITCHING)
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()
            return
        first = Request(
            self._facts,
            request.method,
            request.request_uri,
            request.query_string,
            "HTTP/2.0",
            request.headers,
            request.input,
        )
        first.server_name, first.server_port = request.server_name, request.server_port
        first.content_length = request.content_length
        successor = self._http2(self._facts, self.exchange.data)
        self.change_to(successor)
        successor.upgrade(first, settings)


def _settings_of(request: Request) -> bytes | None:
    """The client's settings, if its request for the change is valid."""
    headers = request.headers
    options = {option.strip().lower() for field in headers.get_all("connection") for option in field.split(",")}
    fields = headers.get_all("http2-settings")
    if len(fields) != 1 or not {"upgrade", "http2-settings"} <= options:
        return None
    try:
        return base64.b64decode(fields[0] + "=" * (-len(fields[0]) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
