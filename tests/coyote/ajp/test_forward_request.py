from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.ajp.forward_request import METHODS, decode_forward_request
from catalina.errors import LimitError, ProtocolError
from tests.coyote.ajp.web_server import attribute, forward_request
from tests.support.work import assert_linear


def test_a_request_is_decoded():
    payload = forward_request(
        "POST",
        "/cart",
        [(0xA00B, "shop:81"), (0xA008, "12"), ("X-Own", "\xe4"), (0xA00E, "curl")],
        [
            attribute(5, "a=1"), attribute(3, "rosa"), attribute(4, "Basic"), attribute(6, "n1"), attribute(12, "s3"),
            attribute(8, "TLS_AES"), attribute(9, "ab"), attribute(11, 256), attribute(10, "REMOTE", "x"),
        ],
        is_tls=True,
    )  # fmt: skip
    request = decode_forward_request(payload)
    assert (request.method, request.uri, request.protocol) == ("POST", "/cart", "HTTP/1.1")
    assert (request.remote_addr, request.remote_host) == ("10.1.2.3", "client.example.org")
    assert (request.server_name, request.server_port, request.is_tls) == ("web.example.org", 8443, True)
    assert request.fields == (
        (b"host", b"shop:81"), (b"content-length", b"12"), (b"X-Own", b"\xe4"), (b"user-agent", b"curl"),
    )  # fmt: skip
    assert request.content_length == 12
    assert request.attributes == {
        "query_string": "a=1", "remote_user": "rosa", "auth_type": "Basic", "route": "n1", "secret": "s3",
        "ssl_cipher": "TLS_AES", "ssl_session": "ab",
    }  # fmt: skip
    assert request.ssl_key_size == 256
    assert request.request_attributes == {"REMOTE": "x"}


def test_methods_have_the_codes_of_the_specification():
    assert METHODS[2] == "GET"
    assert METHODS[8] == "PROPFIND"
    assert METHODS[27] == "MKACTIVITY"


def test_an_unknown_method_stands_in_an_attribute():
    assert decode_forward_request(forward_request("BREW")).method == "BREW"


@pytest.mark.parametrize(
    "payload",
    [
        b"\x02",
        b"\x07",
        b"\x02\x00" + forward_request()[2:],
        b"\x02\x1c" + forward_request()[2:],
        forward_request(fields=[(0xA00F, "x")]),
        forward_request(fields=[(0xA000, "x")]),
        forward_request()[:-1],
        forward_request()[:-1] + b"\x63\xff",
        forward_request("BREW")[: -len(attribute(13, "BREW")) - 1] + b"\xff",
    ],
)
def test_what_the_form_does_not_allow_is_refused(payload):
    with pytest.raises(ProtocolError):
        decode_forward_request(payload)


@pytest.mark.parametrize("values", [["x"], ["-1"], ["1", "1"], ["+1"], ["9" * 19]])
def test_a_content_length_is_one_number(values):
    request = decode_forward_request(forward_request(fields=[(0xA008, value) for value in values]))
    with pytest.raises(ProtocolError):
        request.content_length  # noqa: B018


def test_too_many_fields_are_refused():
    payload = forward_request(fields=[("X", "1")] * 5)
    assert len(decode_forward_request(payload, 5).fields) == 5
    assert len(decode_forward_request(payload, -1).fields) == 5
    with pytest.raises(LimitError):
        decode_forward_request(payload, 4)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_request_or_the_documented_error(data):
    try:
        request = decode_forward_request(b"\x02\x02" + data)
    except ProtocolError:
        return
    assert request.method == "GET"


@given(st.data())
def test_a_request_cut_short_is_refused(data):
    payload = forward_request(attributes=[attribute(5, "a=1")])
    cut = data.draw(st.integers(1, len(payload) - 1))
    with pytest.raises(ProtocolError):
        decode_forward_request(payload[:cut])


@pytest.mark.parametrize(
    "make",
    [
        lambda size: forward_request(fields=[("x", "1")] * size),
        lambda size: forward_request(uri="/" + "a" * size),
        lambda size: forward_request(attributes=[attribute(10, "a", "b")] * size),
        lambda size: forward_request(attributes=[attribute(3, "a" * size)] * 2),
        lambda size: b"\x02" * size,
    ],
)
def test_the_work_is_linear(make):
    def prepare(size: int) -> Any:
        payload = make(size)

        def call() -> None:
            with contextlib.suppress(ProtocolError):
                decode_forward_request(payload, -1)

        return call

    assert_linear(prepare, 100)


@pytest.mark.parametrize(
    "payload",
    [
        forward_request("G ET"),
        forward_request("G\x00T"),
        forward_request(uri="/a\r\nb"),
        forward_request(uri="/a\tb"),
        forward_request(fields=[("x y", "1")]),
        forward_request(fields=[("", "1")]),
        forward_request(fields=[("x", "1\nY: 2")]),
        forward_request(attributes=[attribute(3, "rosa\x00")]),
        forward_request(attributes=[attribute(5, "a\x7fb")]),
        forward_request(protocol="HTTP/1.1\r\n"),
    ],
)
def test_what_http_cannot_say_is_refused(payload):
    with pytest.raises(ProtocolError):
        decode_forward_request(payload)


def test_certificates_have_lines():
    told = decode_forward_request(forward_request(attributes=[attribute(7, "-----BEGIN\nx\n-----END")]))
    assert told.attributes["ssl_cert"].count("\n") == 2


@pytest.mark.parametrize("code", [1, 2, 6])
def test_attributes_that_nobody_reads_may_say_anything(code):
    """mod_jk sends bytes of released memory as the route (6) when it goes to another worker of a dead one's domain."""
    assert decode_forward_request(forward_request(attributes=[attribute(code, "\x80\x7f")])).uri == "/"
