from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_request import fill_request, join_cookies
from catalina.connector.request import Request
from catalina.coyote.http2.request_fields import RequestFields
from catalina.coyote.http11.request_head import RequestHeadParser
from catalina.coyote.http_error import HttpError
from tests.connector.bare import bare_connector


def fill(*fields: tuple[bytes, bytes], **given: bytes) -> Request:
    line = {"method": b"GET", "path": b"/a?b", "scheme": b"http", "authority": b"shop:81", **given}
    request = Request(ConnectionFacts(bare_connector(), local_name="10.0.0.2", local_port=8080), "", "")
    connector = SimpleNamespace(is_tls=False, proxy_name=None, proxy_port=0)
    rules = SimpleNamespace(exchange=SimpleNamespace(parser=RequestHeadParser()))
    endpoint: Any = SimpleNamespace(connector=connector, http11_rules=rules)
    sent = RequestFields(line["method"], line["scheme"], line["path"], line["authority"], fields, 5)
    fill_request(request, sent, endpoint, lambda host: None)
    return request


def test_the_fields_with_a_colon_are_the_request_line():
    request = fill((b"content-length", b"5"))
    assert (request.method, request.request_uri, request.query_string) == ("GET", "/a", "b")
    assert (request.server_name, request.server_port, request.content_length) == ("shop", 81, 5)
    assert request.headers.get("host") == "shop:81"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"method": b"CONNECT", "path": None, "scheme": None}, 501),
        ({"method": b"G ET"}, 400),
        ({"method": b""}, 400),
        ({"path": b"nopath"}, 400),
        ({"path": b"/a|b"}, 400),
        ({"path": b"*"}, 400),
        ({"authority": b"a b"}, 400),
        ({"scheme": b"1http"}, 400),
    ],
)
def test_what_is_no_request_is_refused(given, status):
    with pytest.raises(HttpError) as caught:
        fill(**given)
    assert caught.value.status == status


def test_a_host_that_the_tls_connection_is_not_for_is_refused():
    def refuse(host: str | None) -> None:
        raise HttpError(421, host or "")

    with pytest.raises(HttpError, match="shop"):
        fill_request(
            Request(ConnectionFacts(bare_connector()), "", ""),
            RequestFields(b"GET", b"https", b"/", b"shop:81", (), -1),
            SimpleNamespace(connector=None),  # type: ignore[arg-type]
            refuse,
        )


def test_options_may_ask_about_the_whole_server():
    assert fill(method=b"OPTIONS", path=b"*").request_uri == "*"


def test_cookies_that_come_one_by_one_are_one_field():
    fields = ((b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", b"b=2"))
    assert list(join_cookies(fields).items()) == [("accept", "*/*"), ("cookie", "a=1; b=2")]
    assert list(join_cookies(fields[:2]).items()) == [("cookie", "a=1"), ("accept", "*/*")]
