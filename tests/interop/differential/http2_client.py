"""Sends HTTP/2 as raw bytes and says what came of it: answers, resets, GOAWAY, close."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from hpack import Decoder

from catalina.coyote.http2.http2_parser import frame
from tests.coyote.http2.frames import DATA, GOAWAY, HEADERS, PING, RST, SETTINGS

__all__ = ["Outcome", "ask_http2"]

#: Behind the bytes of a case: its answer says that all of them were read.
LAST_PING = b"the last"
#: Seconds that streams without an outcome get behind that.
GRACE = 0.4


@dataclass
class Outcome:
    """A server's behaviour.

    Args:
        streams: number -> status of the answer, ``reset CODE``, or ``nothing``.
        connection: ``open``, ``goaway CODE``, or ``closed``.
    """

    streams: dict[int, str] = field(default_factory=dict)
    connection: str = "open"


class _Reader:
    def __init__(self) -> None:
        self.outcome = Outcome()
        self.pinged = False
        self.http11 = b""
        self._data = b""
        self._decoder = Decoder()
        self._decoder.max_allowed_table_size = 2**20  # cases tell the server to use more
        self._ended: set[int] = set()

    def receive(self, data: bytes) -> None:
        self._data += data
        if self._data.startswith(b"HTTP/1.1 "):
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            self.http11 = self.http11 or head.split(b" ")[1]
            self._data = rest if self.http11 == b"101" else b""
        while len(self._data) >= 9 and len(self._data) >= 9 + int.from_bytes(self._data[:3]):
            size = 9 + int.from_bytes(self._data[:3])
            kind, flags, number = self._data[3], self._data[4], int.from_bytes(self._data[5:9])
            self._frame(kind, flags, number, self._data[9:size])
            self._data = self._data[size:]

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        streams = self.outcome.streams
        if kind == HEADERS:
            status = dict(self._decoder.decode(payload, raw=True)).get(b":status", b"?").decode()
            if status != "100":
                streams[number] = status
        elif kind == RST and number not in self._ended:
            streams[number] = f"reset {int.from_bytes(payload)}"
            self._ended.add(number)
        elif kind == GOAWAY:
            self.outcome.connection = f"goaway {int.from_bytes(payload[4:8])}"
        elif kind == PING and payload == LAST_PING and flags & 1:
            self.pinged = True
        if kind in (HEADERS, DATA) and flags & 1:
            self._ended.add(number)

    def settled(self, numbers: set[int]) -> bool:
        return self.pinged and numbers <= self._ended


def ask_http2(port: int, sent: bytes, streams: set[int]) -> Outcome:
    """Send the bytes, and see what comes of the streams."""
    reader = _Reader()
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        try:
            connection.sendall(sent)
            connection.sendall(frame(SETTINGS, 1, 0) + frame(PING, 0, 0, LAST_PING))
            deadline = time.monotonic() + 10
            while not reader.settled(streams):
                if reader.pinged:
                    deadline = min(deadline, time.monotonic() + GRACE)
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                data = connection.recv(65536)
                if not data:
                    break
                reader.receive(data)
            else:
                data = b"open"
        except TimeoutError:
            data = b"open"
        except (ConnectionResetError, BrokenPipeError):
            data = b""
    outcome = reader.outcome
    if not data and outcome.connection == "open":
        outcome.connection = "closed"
    if reader.http11 not in (b"", b"101"):
        outcome.connection = f"HTTP/1.1 {reader.http11.decode()}"
    outcome.streams = {number: outcome.streams.get(number, "nothing") for number in sorted(streams)}
    if outcome.connection != "open":  # the other frames depend on which thread was first
        outcome.streams = {}
    return outcome
