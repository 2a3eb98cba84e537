"""A connector with a container of the least size behind it: one context, one WSGI application."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from catalina.connector.connector import Connector
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.connector.wsgi_adapter import run_application
from catalina.reactor import Reactor
from tests.connector.bare import BareContext

Application = Callable[..., Any]


class LastValve:
    """The whole pipeline: runs the application, writes the status of an error as its page."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.before: Callable[[Any, Any], None] | None = None
        self.after: Callable[[Any, Any], None] | None = None

    def invoke(self, request: Any, response: Any) -> None:
        if self.before is not None:
            self.before(request, response)
        if not response.is_error and request.context is not None:
            run_application(self.application, request.build_environ(), request, response)
        if response.is_error and not response.committed:
            response.suspended = False
            response.write(f"{response.status} {response.message}".encode())
        if self.after is not None:
            self.after(request, response)


@dataclass
class Steps:
    """A pipeline, which is its valves."""

    valves: tuple[LastValve, ...] = ()

    @property
    def first(self) -> LastValve:
        return self.valves[0]


@dataclass
class Level:
    """An engine, a host, a servlet: a name, a pipeline, and a log."""

    name: str
    log: Callable[[Any, Any, int], None] | None = None
    pipeline: Steps = field(default_factory=Steps)
    contexts: list[Any] = field(default_factory=list)
    role_mappings: dict[str, str] = field(default_factory=dict)

    def log_access(self, request: Request, response: Response, time_ns: int) -> None:
        if self.log is not None:
            self.log(request, response, time_ns)


@dataclass
class Found:
    """The result of the mapper: always the one application, whatever is asked for."""

    host: Level
    context: Any
    wrapper: Level
    servlet_path: str
    contexts: tuple[Any, ...] = ()
    context_path: str = ""
    path_info: str | None = None
    redirect_path: str | None = None


@dataclass
class ServingServer:
    """A server with a loop, and without a configuration."""

    reactor: Reactor
    catalina_base: Path = field(default_factory=Path.cwd)
    port_offset: int = 0
    workers: int = 1
    restart_reason: str = ""
    role: Any = None
    properties: dict[str, str] = field(default_factory=dict)


class Container:
    """Stands for service, mapper, engine, host and context."""

    def __init__(self, application: Application) -> None:
        self.valve = LastValve(application)
        self.reactor = Reactor("serving")
        self.logged: list[tuple[Any, Any]] = []
        self.context: Any = BareContext(log_access=self._log, pipeline=Steps())
        self.host = Level("localhost", self._log, contexts=[self.context])
        self.engine = Level("Catalina", self._log, Steps((self.valve,)))
        self.server = ServingServer(self.reactor)
        self.mapper = self
        self.remembered: dict[tuple[str, str], Any] = {}
        #: Finds what answers; a test may have another.
        self.find: Callable[[str, str, str | None], Any] = self.found

    def _log(self, request: Any, response: Any, time_ns: int) -> None:
        self.logged.append((request, response))

    def found(self, host_name: str, path: str, version: str | None) -> Found:
        return Found(self.host, self.context, Level("servlet", self._log), path)

    def map(self, host_name: str, path: str, version: str | None = None) -> Any:
        return self.find(host_name, path, version)

    def find_executor(self, name: str) -> None:
        return None


@contextlib.contextmanager
def serving(
    application: Application, prepare: Callable[[Connector, Container], None] | None = None, /, **attributes: str
) -> Iterator[Connector]:
    """A started connector on a free port of the loopback; attributes by their XML names."""
    container = Container(application)
    connector = Connector(port=0)
    connector.service = container
    connector.set_attribute("address", "127.0.0.1")
    for name, text in attributes.items():
        assert connector.set_attribute(name.replace("_", "."), text), name
    if prepare is not None:
        prepare(connector, container)
    container.reactor.start()
    try:
        connector.start()
        yield connector
    finally:
        connector.stop()
        connector.destroy()
        container.reactor.stop()


class Client:
    """A socket that speaks bytes and knows where an answer ends."""

    def __init__(self, connector: Connector, timeout: float = 5.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", connector.local_port), timeout)
        self.data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_more(self) -> bool:
        data = self.socket.recv(65536)
        self.data += data
        return bool(data)

    def receive_until(self, end: bytes) -> bytes:
        while end not in self.data:
            if not self.receive_more():
                raise AssertionError(f"closed before {end!r}, after {self.data!r}")
        head, _, self.data = self.data.partition(end)
        return head + end

    def receive_exactly(self, size: int) -> bytes:
        while len(self.data) < size:
            if not self.receive_more():
                raise AssertionError(f"closed after {len(self.data)} of {size} bytes")
        data, self.data = self.data[:size], self.data[size:]
        return data

    def receive_to_end(self) -> bytes:
        while self.receive_more():
            pass
        data, self.data = self.data, b""
        return data

    def answer(self, head_only: bool = False) -> Answer:
        """Read one answer: by Content-Length, in chunks, or to the end of the connection."""
        lines = self.receive_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = [line.partition(": ")[::2] for line in lines[1:] if line]
        answer = Answer(int(lines[0].split(" ")[1]), [(name.lower(), value) for name, value in fields])
        if head_only or answer.status in (100, 204, 304):
            return answer
        if answer.get("transfer-encoding") == "chunked":
            while size := int(self.receive_until(b"\r\n"), 16):
                answer.chunks.append(self.receive_exactly(size))
                assert self.receive_exactly(2) == b"\r\n"
            assert self.receive_exactly(2) == b"\r\n"
            answer.body = b"".join(answer.chunks)
        elif (length := answer.get("content-length")) is not None:
            answer.body = self.receive_exactly(int(length))
        else:
            answer.body = self.receive_to_end()
        return answer

    def get(self, path: str = "/", *fields: str) -> Answer:
        head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *fields])
        self.send(f"{head}\r\n\r\n".encode("latin-1"))
        return self.answer()

    @property
    def is_closed(self) -> bool:
        """True when the server has closed the connection; waits for it."""
        try:
            return not self.data and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


class Answer:
    """Status, fields (lower case names) and body."""

    def __init__(self, status: int, fields: list[tuple[str, str]]) -> None:
        self.status = status
        self.fields = fields
        self.body = b""
        self.chunks: list[bytes] = []

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name), None)

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.fields} {self.body[:80]!r}>"
