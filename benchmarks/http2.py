"""The cost of HTTP/2: a request through our protocol code and through the library h2, without sockets.

::

    python -m benchmarks.http2

Both get the same bytes: ordinary requests of one client, whose heads are compressed against each other, and give the
same answer of 13 bytes. Rounds are interleaved; the best of each counts.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

from hpack import Encoder

from catalina.coyote.http2.http2_parser import PREFACE, FrameType, frame
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http2.http2_upgrade_handler import Http2UpgradeHandler
from catalina.coyote.http2.request_fields import RequestFields

REQUESTS = 2000
ROUNDS = 7
FIELDS = [
    (b":method", b"GET"), (b":path", b"/app/hello?a=1"), (b":scheme", b"http"), (b":authority", b"shop.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"), (b"accept", b"text/html,application/xhtml+xml"),
    (b"accept-language", b"en"), (b"cookie", b"JSESSIONID=0123456789ABCDEF0123456789ABCDEF.n1"),
]  # fmt: skip
ANSWER = [(":status", "200"), ("content-type", "text/plain"), ("content-length", "13")]
BODY = b"Hello, World!"


def client() -> list[bytes]:
    """The bytes that a client sends: its preface with the first request, then one request after the other."""
    encoder = Encoder()
    ends = 0x5  # END_STREAM and END_HEADERS
    sent = [frame(FrameType.HEADERS, ends, 2 * number + 1, encoder.encode(FIELDS)) for number in range(REQUESTS)]
    window = frame(FrameType.WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30))
    return [PREFACE + frame(FrameType.SETTINGS, 0, 0) + window + sent[0], *sent[1:]]


class Ours:
    """Answers each request at once."""

    def __init__(self) -> None:
        self.handler = Http2UpgradeHandler(Http2Protocol(), self)
        self.handler.start()

    def receive(self, data: bytes) -> bytes:
        self.handler.receive(data)
        return self.handler.take_output()

    def on_request(self, number: int, fields: RequestFields, ended: bool) -> None:
        self.handler.send_headers(number, ANSWER, end=False)
        self.handler.send_data(number, BODY, end=True)

    def nothing(self, *values: object) -> None:
        """Everything else that is told."""

    on_data = on_trailers = on_end = on_reset = on_room = on_goaway = on_stream_error = nothing


class Theirs:
    """The same with the library."""

    def __init__(self) -> None:
        from h2.config import H2Configuration
        from h2.connection import H2Connection

        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.h2.initiate_connection()

    def receive(self, data: bytes) -> bytes:
        for event in self.h2.receive_data(data):
            if type(event).__name__ == "RequestReceived":
                self.h2.send_headers(event.stream_id, ANSWER)
                self.h2.send_data(event.stream_id, BODY, end_stream=True)
        sent: bytes = self.h2.data_to_send()
        return sent


def microseconds(make: Callable[[], Any], sent: list[bytes]) -> float:
    """Per request, of one connection."""
    server = make()
    before = time.perf_counter()
    for data in sent:
        server.receive(data)
    return (time.perf_counter() - before) / len(sent) * 1e6


def main() -> None:
    """Interleaved rounds; the best of each."""
    sent = client()
    best: dict[type, float] = {}
    for _ in range(ROUNDS):
        for kind in (Ours, Theirs):
            best[kind] = min(best.get(kind, float("inf")), microseconds(kind, sent))
    print(f"catalina.coyote.http2 {best[Ours]:>8.1f} us per request")
    print(f"the library h2        {best[Theirs]:>8.1f} us per request   ratio {best[Theirs] / best[Ours]:.1f}")


if __name__ == "__main__":
    main()
