from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.errors import LifecycleError
from tests.connector.serving import Client, serving
from tests.coyote.ajp.web_server import CPING, attribute, body, decode, forward_request, packet

AJP = {"protocol": "AJP/1.3", "secret": "s3"}
SECRET = attribute(12, "s3")


class WebServer(Client):
    """Speaks AJP to a connector."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        kwargs["attributes"] = [*kwargs.get("attributes", []), SECRET]
        self.send(packet(forward_request(*args, **kwargs)))

    def packet(self) -> tuple[Any, ...]:
        head = self.receive_exactly(4)
        assert head[:2] == b"AB"
        return decode(self.receive_exactly(int.from_bytes(head[2:], "big")))

    def reply(self) -> tuple[int, dict[str, str], bytes, bool]:
        """Status, fields, body, whether the connection may be used again."""
        kind, status, fields = self.packet()
        assert kind == "headers"
        data = b""
        while (item := self.packet())[0] == "body":
            data += item[1]
        assert item[0] == "end"
        return status, dict(fields), data, item[1]


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["PATH_INFO"].encode(), b" ", environ["wsgi.input"].read()]


def show(*names: str) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return ["|".join(str(environ.get(name, "-")) for name in names).encode()]

    return application


def test_one_connection_serves_request_after_request():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        for path in ("/a", "/b"):
            web.request("GET", path)
            status, fields, data, reuse = web.reply()
            assert (status, data, reuse) == (200, b"GET %b " % path.encode(), True)
            assert fields["Content-Length"] == str(len(data))
            assert fields["Content-Type"] == "text/plain"


def test_cping_is_answered_between_requests():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.send(CPING + CPING)
        assert [web.packet(), web.packet()] == [("cpong",), ("cpong",)]
        web.request("GET", "/a")
        assert web.reply()[2] == b"GET /a "


@pytest.mark.parametrize("size", [1, 8186, 8187, 60_000, 200_000])
def test_bodies_of_known_length_are_asked_for_packet_by_packet(size):
    data = b"y" * size
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.request("POST", "/p", [(0xA00B, "a"), (0xA008, str(size))])
        web.send(body(data[:8186]))
        sent = min(size, 8186)
        while sent < size:
            kind, asked = web.packet()
            assert kind == "get"
            web.send(body(data[sent : sent + asked]))
            sent += min(asked, size - sent)
        assert web.reply()[2] == b"POST /p " + data
        web.request("GET", "/next")
        assert web.reply()[2] == b"GET /next "


def test_a_chunked_body_is_asked_for_until_the_empty_packet():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.request("POST", "/p", [(0xA00B, "a"), ("Transfer-Encoding", "chunked")])
        for data in (b"one ", b"two", b""):
            assert web.packet()[0] == "get"
            web.send(body(data))
        assert web.reply()[2] == b"POST /p one two"


def test_a_body_that_nobody_reads_does_not_pose_as_the_next_request():
    def ignore(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"ignored"]

    smuggled = packet(forward_request("GET", "/smuggled"))
    with serving(ignore, **AJP) as connector, WebServer(connector) as web:
        web.request("POST", "/p", [(0xA00B, "a"), (0xA008, "100000")])
        web.send(body(smuggled.ljust(0x0202, b"x")))  # its length begins with 2 as a forward request does
        assert web.reply()[2:] == (b"ignored", True)
        web.request("GET", "/next")
        assert web.reply()[2] == b"ignored"
        web.send(CPING)
        assert web.packet() == ("cpong",)


def test_the_web_server_says_who_the_client_is():
    names = ("REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "QUERY_STRING", "HTTP_X")
    with serving(show(*names), **AJP) as connector, WebServer(connector) as web:
        web.request(
            "GET", "/a", [(0xA00B, "shop"), ("X", "1")], is_tls=True,
            attributes=[attribute(5, "q=1"), attribute(10, "AJP_REMOTE_PORT", "5555")],
        )  # fmt: skip
        assert web.reply()[2] == b"10.1.2.3|5555|shop|443|https|q=1|1"


def test_tls_of_the_web_server_becomes_request_attributes():
    prefix = "jakarta.servlet.request."
    names = [prefix + name for name in ("cipher_suite", "key_size", "ssl_session_id", "X509Certificate")]
    pem = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"
    with serving(show(*names), **AJP) as connector, WebServer(connector) as web:
        tls = [attribute(8, "AES"), attribute(11, 256), attribute(9, "id"), attribute(7, pem)]
        web.request("GET", "/", is_tls=True, attributes=tls)
        assert web.reply()[2].decode() == f"AES|256|id|{(pem,)}"


@pytest.mark.parametrize("given", [[], [attribute(12, "wrong")], [attribute(12, "")]])
def test_without_the_secret_a_request_is_403_and_the_connection_ends(given):
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.send(packet(forward_request(attributes=given)))
        status, _, _, reuse = web.reply()
        assert (status, reuse) == (403, False)
        assert web.is_closed


def test_a_connector_that_believes_everybody_must_be_told_so():
    with pytest.raises(LifecycleError, match="secretRequired"), serving(echo, protocol="AJP/1.3"):
        pass
    with serving(echo, protocol="AJP/1.3", secretRequired="false") as connector, WebServer(connector) as web:
        web.send(packet(forward_request()))
        assert web.reply()[0] == 200


def test_unknown_request_attributes_are_403_unless_the_pattern_allows_them():
    wanted = [attribute(10, "SHOP_TENANT", "blue"), SECRET]
    with serving(show("SHOP_TENANT"), **AJP) as connector, WebServer(connector) as web:
        web.send(packet(forward_request(attributes=wanted)))
        assert web.reply()[0] == 403
    allowing = serving(show("SHOP_TENANT"), allowedRequestAttributesPattern="SHOP_.*", **AJP)
    with allowing as connector, WebServer(connector) as web:
        web.send(packet(forward_request(attributes=wanted)))
        assert web.reply()[2] == b"blue"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({}, b"-|-"),
        ({"tomcatAuthentication": "false"}, b"rosa|Basic"),
        ({"tomcatAuthorization": "true"}, b"-|Basic"),  # on a path that nobody has to log in for
    ],
)
def test_the_web_servers_user_counts_only_where_that_is_configured(setting, expected):
    with serving(show("REMOTE_USER", "AUTH_TYPE"), **AJP, **setting) as connector, WebServer(connector) as web:
        web.request("GET", "/", attributes=[attribute(3, "rosa"), attribute(4, "Basic")])
        assert web.reply()[2] == expected


def test_a_stream_is_flushed_block_by_block():
    go_on = threading.Event()

    def stream(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"first"
        assert go_on.wait(5)
        yield b"second"

    with serving(stream, **AJP) as connector, WebServer(connector) as web:
        web.request("GET", "/")
        assert web.packet()[0] == "headers"
        assert [web.packet(), web.packet()] == [("body", b"first"), ("body", b"")]
        go_on.set()
        assert [web.packet() for _ in range(3)] == [("body", b"second"), ("body", b""), ("end", True)]


def test_head_and_large_answers():
    def large(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 300_000]

    with serving(large, **AJP) as connector, WebServer(connector) as web:
        web.request("GET", "/")
        assert web.reply()[2] == b"x" * 300_000
        web.request("HEAD", "/")
        assert web.reply()[2] == b""


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", packet(b"\x07"), packet(b"\x08"), packet(b"\x0b")])
def test_what_is_not_ajp_closes_that_connection_only(data, caplog):
    with serving(echo, **AJP) as connector:
        with WebServer(connector) as web:
            web.send(data)
            assert web.is_closed
        assert "closing the connection" in caplog.text
        with WebServer(connector) as web:
            web.request("GET", "/fine")
            assert web.reply()[0] == 200


def test_a_paused_connector_answers_no_ping_so_that_the_web_server_goes_elsewhere():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.request("GET", "/")
        assert web.reply()[3] is True
        connector.pause()
        deadline = time.monotonic() + 5
        while not web.is_closed:
            assert time.monotonic() < deadline
            web.send(CPING)


def test_slow_requests_do_not_hold_up_others():
    release = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            assert release.wait(5)
        return echo(environ, start_response)

    with serving(application, **AJP) as connector, WebServer(connector) as slow, WebServer(connector) as quick:
        slow.request("GET", "/slow")
        quick.request("GET", "/quick")
        assert quick.reply()[2] == b"GET /quick "
        release.set()
        assert slow.reply()[2] == b"GET /slow "
        slow.request("GET", "/again")
        assert slow.reply()[2] == b"GET /again "


def test_attributes_before_and_after_protocol_are_the_same():
    connector = Connector()
    assert connector.set_attribute("secret", "early")
    assert connector.set_attribute("protocol", "AJP/1.3")
    assert connector.set_attribute("packetSize", "9000")
    assert (connector.ajp.secret, connector.ajp.packet_size) == ("early", 9000)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x02",
        b"\x02\x63" + forward_request()[2:],
        forward_request()[:-1] + b"\x20\xff",
        forward_request()[:-2],
        forward_request("G ET"),
        forward_request(uri="/a\x07b"),
        forward_request(fields=[("x y", "1")]),
        forward_request(fields=[("x", "1\r\nY: 2")]),
        forward_request(fields=[(0xA008, "x")]),
    ],
)
def test_a_broken_request_is_400_and_ends_that_connection(payload):
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.send(packet(payload))
        status, _, _, reuse = web.reply()
        assert (status, reuse) == (400, False)
        assert web.is_closed


def test_an_empty_body_packet_that_nobody_waits_for_is_passed_over():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        for _ in range(2):
            web.request("GET", "/a")
            web.send(body(b""))
            assert web.reply()[2] == b"GET /a "


def test_a_body_without_a_length_is_asked_for_when_the_application_reads():
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.request("POST", "/a", [(0xA00B, "a")])
        assert web.packet()[0] == "get"
        web.send(body(b"data"))
        assert web.packet()[0] == "get"
        web.send(body(b""))
        assert web.reply()[2] == b"POST /a data"


@pytest.mark.parametrize("size", [10, 100_000])
def test_more_body_than_content_length_is_not_passed_on(size):
    with serving(echo, **AJP) as connector, WebServer(connector) as web:
        web.request("POST", "/a", [(0xA00B, "a"), (0xA008, str(size))])
        while size > 8000:
            web.send(body(b"x" * 8000))
            size -= 8000
            assert web.packet()[0] == "get"
        web.send(body(b"x" * (size + 1)))
        with contextlib.suppress(AssertionError):  # closed at once, or with a 400
            assert web.reply()[0] == 400
        assert web.is_closed


def test_what_a_web_server_can_cause_to_be_logged_is_counted(caplog):
    with serving(echo, **AJP) as connector:
        for _ in range(12):
            with WebServer(connector) as web:
                web.send(packet(b"\x07"))
                assert web.is_closed
        assert caplog.text.count("closing the connection") == 5
