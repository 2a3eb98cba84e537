from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.connector import Connector
from catalina.connector.http11_output import Http11Output
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.connector.response import Response
from tests.connector.bare import bare_connector


class Output(Http11Output):
    """An outlet without a socket."""

    def __init__(self, **attributes: str) -> None:
        connector = Connector()
        for name, text in attributes.items():
            assert connector.set_attribute(name, text)
        handler = SimpleNamespace(effective_connection_timeout_ms=60_000)
        endpoint: Any = SimpleNamespace(
            ending=False, reactor=None, handler=handler, http11_rules=Http11Rules(connector)
        )
        nothing: Any = None
        super().__init__(endpoint, nothing, ("10.0.0.1", 5))
        self.sent = b""

    def _send(self, data: bytes) -> None:
        self.sent += data

    def _send_parts(self, parts: Any) -> None:
        self.sent += b"".join(parts)


def respond(output: Output, *writes: bytes, protocol: str = "HTTP/1.1", fields: Any = (), status: int = 200) -> bytes:
    request = Request(ConnectionFacts(bare_connector()), "GET", "/", None, protocol)
    response = Response(request, output)
    request.response = output._response = response
    output._request = request
    response.status = status
    response.headers.extend(fields)
    for data in writes:
        response.write(data)
        if len(writes) > 1:
            response.flush()
    response.finish()
    return output.sent


def test_a_whole_answer_has_its_length():
    assert respond(Output(), b"abc").endswith(b"GMT\r\n\r\nabc")
    assert b"Content-Length: 3\r\n" in respond(Output(), b"abc")
    assert b"Content-Length: 0\r\n" in respond(Output())


def test_an_answer_of_unknown_length_is_chunked_or_ends_with_the_connection():
    output = Output()
    assert respond(output, b"ab", b"c").endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert output._keep_alive
    output = Output()
    assert respond(output, b"ab", b"c", protocol="HTTP/1.0").endswith(b"Connection: close\r\n\r\nabc")
    assert not output._keep_alive


@pytest.mark.parametrize("status", [400, 408, 413, 414, 431, 500, 501, 503])
def test_some_answers_end_the_connection(status):
    output = Output()
    assert b"Connection: close\r\n" in respond(output, b"x", status=status)
    assert not output._keep_alive


def test_fields_of_the_connection_are_not_the_applications():
    fields = [("Transfer-Encoding", "gzip"), ("Keep-Alive", "x"), ("Upgrade", "x"), ("X", "1"), ("Connection", "X")]
    output = Output()
    sent = respond(output, b"x", fields=fields)
    assert b"X: 1\r\n" in sent
    assert not any(name in sent for name in (b"Transfer-Encoding", b"Keep-Alive", b"Upgrade", b"Connection"))
    assert output._keep_alive


@pytest.mark.parametrize(
    ("length", "body", "sent", "reusable"), [("2", b"abc", b"ab", True), ("5", b"abc", b"abc", False)]
)
def test_the_promised_length_is_kept_or_the_connection_ends(length, body, sent, reusable):
    output = Output()
    assert respond(output, body, fields=[("Content-Length", length)]).endswith(b"\r\n\r\n" + sent)
    assert output._keep_alive is reusable


def test_a_head_beyond_the_limit_is_a_500_of_the_same_framing():
    output = Output(maxHttpResponseHeaderSize="200")
    sent = respond(output, b"body", fields=[("X", "y" * 300)])
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert sent.endswith(b"\r\n\r\n")
    assert not output._keep_alive
