from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_request import fill_request, join_cookies
from catalina.connector.request import Request
from catalina.coyote.http2.http2_protocol import Http2Protocol
from catalina.coyote.http11.request_head import RequestHeadParser
from catalina.coyote.http_error import HttpError


def fill(*fields: tuple[bytes, bytes], settings: Http2Protocol | None = None, **pseudo: bytes) -> Request:
    line = {"method": b"GET", "path": b"/a?b", "scheme": b"http", "authority": b"shop:81", **pseudo}
    request = Request(ConnectionFacts(local_name="10.0.0.2", local_port=8080), "", "")
    connector = SimpleNamespace(is_tls=False, proxy_name=None, proxy_port=0)
    endpoint: Any = SimpleNamespace(connector=connector, http11_rules=SimpleNamespace(parser=RequestHeadParser()))
    named = [(b":" + name.encode(), value) for name, value in line.items() if value]
    fill_request(request, [*named, *fields], endpoint, settings or Http2Protocol(), lambda host: None)
    return request


def test_the_fields_with_a_colon_are_the_request_line():
    request = fill((b"content-length", b"5"))
    assert (request.method, request.request_uri, request.query_string) == ("GET", "/a", "b")
    assert (request.server_name, request.server_port, request.content_length) == ("shop", 81, 5)
    assert request.headers.get("host") == "shop:81"
    assert not [name for name in request.headers.names() if name.startswith(":")]


def test_a_host_field_stands_in_for_the_authority():
    assert fill((b"host", b"other"), authority=b"").server_name == "other"
    assert fill(authority=b"").server_name == "10.0.0.2"


@pytest.mark.parametrize(
    ("pseudo", "status"),
    [
        ({"method": b"CONNECT"}, 501),
        ({"path": b"nopath"}, 400),
        ({"path": b"/a|b"}, 400),
        ({"path": b"*"}, 400),
        ({"authority": b"a b"}, 400),
        ({"scheme": b"https"}, 400),
    ],
)
def test_what_is_no_request_is_refused(pseudo, status):
    with pytest.raises(HttpError) as caught:
        fill(**pseudo)
    assert caught.value.status == status


def test_options_may_ask_about_the_whole_server():
    assert fill(method=b"OPTIONS", path=b"*").request_uri == "*"


def test_limits_and_leniency_are_the_operators():
    fields = [(b"x-%d" % number, b"1") for number in range(6)]
    with pytest.raises(HttpError) as caught:
        fill(*fields, settings=Http2Protocol(max_header_count=5))
    assert caught.value.status == 431
    assert fill(*fields, settings=Http2Protocol(max_header_count=-1)).method == "GET"
    assert fill(scheme=b"https", settings=Http2Protocol(allow_scheme_mismatch=True)).method == "GET"


def test_cookies_that_come_one_by_one_are_one_field():
    fields = ((b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", b"b=2"))
    assert list(join_cookies(fields).items()) == [("accept", "*/*"), ("cookie", "a=1; b=2")]
    assert list(join_cookies(fields[:2]).items()) == [("cookie", "a=1"), ("accept", "*/*")]
