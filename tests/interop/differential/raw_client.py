"""Sends requests exactly as written, and takes the answers apart."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tests.coyote.ajp.web_server import decode

__all__ = ["Answer", "Conversation", "ask", "exchange", "exchange_packets"]

#: Seconds a server has for one answer; each ends an incomplete request long before.
PATIENCE = 20


@dataclass(frozen=True)
class Answer:
    """The answer; header names in lower case, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class _Reader:
    """Takes answers off a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""
        self.was_reset = False

    def answer(self, is_head: bool = False) -> Answer | None:
        """The next answer; None when the connection ends before it."""
        while b"\r\n\r\n" not in self._data:
            if not self._more():
                return None
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines[1:]]
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        status = int(lines[0].split(" ")[1])
        if is_head or status in (204, 304) or status < 200:
            return Answer(status, headers, b"")
        return Answer(status, headers, self._body(headers))

    def _body(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        fields = dict(headers)
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(self._line(), 16)) > 0:
                body += self._take(size)
                self._take(2)
            self._line()
            return body
        if "content-length" in fields:
            return self._take(int(fields["content-length"]))
        while self._more():
            pass
        body, self._data = self._data, b""
        return body

    def _line(self) -> bytes:
        while b"\r\n" not in self._data:
            if not self._more():
                return b"0"
        line, _, self._data = self._data.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self._data) < size and self._more():
            pass
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def _more(self) -> bool:
        try:
            data = self._connection.recv(65536)
        except (ConnectionResetError, TimeoutError):
            self.was_reset = True
            return False
        self._data += data
        return bool(data)


class Conversation:
    """Requests over one kept-alive connection, which is made again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None
        self._reader: _Reader

    def ask(self, data: bytes, is_head: bool = False) -> Answer:
        """The answer to one request. Raises AssertionError: there is none, on a fresh connection either."""
        for _ in range(2):
            fresh = self._connection is None
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
                self._reader = _Reader(self._connection)
            try:
                self._connection.sendall(data)
                answer = self._reader.answer(is_head)
            except (ConnectionResetError, BrokenPipeError):
                answer = None
            if answer is None:
                self.close()
                if fresh:
                    break
                continue
            if answer.get("connection") == "close" or (
                "transfer-encoding" not in dict(answer.headers)
                and (answer.get("content-length") is None and not is_head and answer.status not in (204, 304))
            ):
                self.close()
            return answer
        return Answer(0, (), b"")

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def exchange(port: int, data: bytes, is_head: bool = False) -> list[Answer]:
    """Every answer to some bytes on a connection of their own, until the server closes it.

    A server that has not read everything resets the connection, and what it said may be lost; on a busy machine it may
    find a request too late, and close: then once more.
    """
    for attempt in range(5):
        answers, was_reset = _exchange(port, data, is_head)
        if answers or (attempt and not was_reset):
            break
    return answers


def _exchange(port: int, data: bytes, is_head: bool) -> tuple[list[Answer], bool]:
    answers = []
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            connection.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
        reader = _Reader(connection)
        while (answer := reader.answer(is_head)) is not None:
            answers.append(answer)
            is_head = False
    return answers, reader.was_reset


def ask(port: int, method: str, target: str, headers: tuple[str, ...] = (), body: bytes = b"") -> Answer:
    """One request on a connection of its own."""
    lines = [f"{method} {target} HTTP/1.1"]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append("Host: localhost")
    lines += [*headers, "Connection: close"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
    (answer,) = exchange(port, data, method == "HEAD")
    return answer


def exchange_packets(port: int, data: bytes) -> list[Answer]:
    """As :func:`exchange` for AJP: every answer until the server closes; a CPONG is one with the status 0."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                received += chunk
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
    answers: list[Answer] = []
    head: tuple[int, list[tuple[str, str]]] | None = None
    content = b""
    while len(received) >= 4:
        size = int.from_bytes(received[2:4], "big")
        packet, received = decode(received[4 : 4 + size]), received[4 + size :]
        if packet[0] == "cpong":
            answers.append(Answer(0, (), b"cpong"))
        elif packet[0] == "headers":
            head, content = (packet[1], packet[2]), b""  # type: ignore[assignment]  # decode tells what they are
        elif packet[0] == "body":
            content += packet[1]  # type: ignore[operator]  # see above
        elif packet[0] == "end" and head is not None:
            answers.append(Answer(head[0], tuple((name.lower(), value) for name, value in head[1]), content))
            head = None
    return answers
