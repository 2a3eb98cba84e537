from __future__ import annotations

import base64
import struct

import pytest

from catalina.coyote.http2.http2_parser import frame
from tests.connector.serving import Client, serving
from tests.connector.test_http2_connection import echo, serving_h2
from tests.connector.test_http2_deadlines import Raw
from tests.coyote.http2.frames import DATA, GOAWAY, SETTINGS, START, headers, settings

SETTINGS_FIELD = base64.urlsafe_b64encode(struct.pack(">HIHI", 3, 50, 4, 70_000)).decode().rstrip("=")


def ask(*fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} /first HTTP/1.1", "Host: a", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", f"HTTP2-Settings: {SETTINGS_FIELD}")


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", b"abc")])
def test_a_request_of_http_1_1_becomes_the_first_stream(method, body):
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(ask(*UPGRADE, method=method, body=body) + START + headers(3, path="/second"))
        assert client.receive_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 \r\n")
        assert client.wait_for_frame(DATA, 1)[3].startswith(f"{method} /first HTTP/2.0 ".encode())
        assert client.wait_for_frame(DATA, 3)[3] == b"GET /second HTTP/2.0 "
        assert body in client.data


@pytest.mark.parametrize(
    "fields",
    [
        ("Connection: Upgrade", *UPGRADE[1:]),
        ("Connection: HTTP2-Settings", *UPGRADE[1:]),
        UPGRADE[:2],
        (*UPGRADE, UPGRADE[2]),
        (*UPGRADE[:2], "HTTP2-Settings: %%%"),
        (UPGRADE[0], "Upgrade: h2", UPGRADE[2]),
    ],
)
def test_who_asks_otherwise_is_answered_by_http_1_1(fields):
    with serving_h2(echo) as connector, Client(connector) as client:
        client.send(ask(*fields))
        assert client.answer().body == b"GET /first HTTP/1.1 "


def test_settings_that_are_none_end_the_connection():
    field = base64.urlsafe_b64encode(struct.pack(">HI", 5, 1)).decode()
    with serving_h2(echo) as connector, Raw(connector) as client:
        client.send(ask(*UPGRADE[:2], f"HTTP2-Settings: {field}"))
        client.receive_until(b"\r\n\r\n")
        assert client.frames_to_end()[-1][0] == GOAWAY


def test_a_large_body_is_read_by_http_1_1():
    with serving_h2(echo) as connector, Client(connector) as client:
        client.send(ask(*UPGRADE, method="POST", body=b"x" * 100_000))
        assert client.answer().body == b"POST /first HTTP/1.1 " + b"x" * 100_000


def test_without_the_upgrade_protocol_nothing_changes():
    with serving(echo) as connector, Client(connector) as client:
        client.send(ask(*UPGRADE))
        assert client.answer().body == b"GET /first HTTP/1.1 "


def test_a_client_that_knows_begins_with_it():
    with serving_h2(echo) as connector, Raw(connector) as client:
        for part in (START[:3], START[3:20], START[20:] + settings((3, 1)) + headers(1), frame(SETTINGS, 1, 0)):
            client.send(part)
        assert client.wait_for_frame(DATA, 1)[3] == b"GET / HTTP/2.0 "
