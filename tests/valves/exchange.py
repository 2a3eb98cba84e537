"""One request and its response, without a connection: what a valve's test needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.valves.valve_base import ValveBase
from tests.connector.bare import bare_connector


class Sent:
    """An outlet that keeps what the client would have got."""

    def __init__(self) -> None:
        self.body = b""

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        self.body += body

    def send_body(self, data: bytes) -> None:
        self.body += data

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        with file:
            file.seek(offset)
            self.body += file.read(count)

    def flushed(self) -> None: ...

    def end(self) -> None: ...

    @property
    def handover(self) -> None:
        """It cannot be given to another process."""


class Last(ValveBase):
    """The end of a pipeline: what the application would do, and how the request looked to it."""

    def __init__(self, serve: Callable[[Request, Response], object] | None = None) -> None:
        super().__init__()
        self.serve = serve
        self.requests: list[Request] = []

    def invoke(self, request: Request, response: Response) -> None:
        self.requests.append(request)
        if self.serve is not None:
            self.serve(request, response)


BARE = bare_connector()


class ChangeableRequest(Request):
    """A request of which a test may replace methods too."""


def make_request(
    uri: str = "/",
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    query: str | None = None,
    protocol: str = "HTTP/1.1",
    **attributes: Any,
) -> tuple[Request, Response]:
    """A request for ``uri`` (already decoded) from 192.0.2.1 and its response."""
    connection = ConnectionFacts(BARE, remote_addr="192.0.2.1", remote_port=50123, local_port=80)
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    request = ChangeableRequest(connection, method, uri, query, protocol, Headers(pairs))
    request.decoded_uri, request.server_name = uri, "shop.example.org"
    request.response = response = Response(request, Sent())
    for name, value in attributes.items():
        setattr(request, name, value)
    return request, response


def run(
    valve: ValveBase,
    request: Request,
    response: Response,
    serve: Callable[[Request, Response], object] | None = None,
) -> Last:
    """Send the request through ``valve`` and on to ``serve``; says what arrived there."""
    last = Last(serve)
    valve.next = last
    valve.invoke(request, response)
    return last


def body_of(response: Response) -> bytes:
    """The body that the client gets."""
    response.finish()
    outlet = response.outlet
    assert isinstance(outlet, Sent)
    return outlet.body
