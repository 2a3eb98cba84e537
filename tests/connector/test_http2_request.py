from __future__ import annotations

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.http2_request import fill_request, join_cookies
from catalina.connector.http11_rules import Http11Rules
from catalina.connector.request import Request
from catalina.coyote.http2.request_fields import RequestFields
from catalina.coyote.http_error import HttpError
from tests.connector.bare import bare_connector


def fill(*fields: tuple[bytes, bytes], **given: bytes) -> Request:
    line = {"method": b"GET", "path": b"/a?b", "scheme": b"http", "authority": b"shop:81", **given}
    request = Request(ConnectionFacts(bare_connector(), local_name="10.0.0.2", local_port=8080), "", "")
    sent = RequestFields(line["method"], line["scheme"], line["path"], line["authority"], fields, 5)
    fill_request(request, sent, Http11Rules(bare_connector()), None)
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
    class OtherHost:
        def check_host(self, host: str | None) -> None:
            raise HttpError(421, host or "")

    with pytest.raises(HttpError, match="shop"):
        fill_request(
            Request(ConnectionFacts(bare_connector()), "", ""),
            RequestFields(b"GET", b"https", b"/", b"shop:81", (), -1),
            Http11Rules(bare_connector()),
            OtherHost(),  # type: ignore[arg-type]
        )


def test_options_may_ask_about_the_whole_server():
    assert fill(method=b"OPTIONS", path=b"*").request_uri == "*"


def test_cookies_that_come_one_by_one_are_one_field():
    fields = ((b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", b"b=2"))
    assert list(join_cookies(fields).items()) == [("accept", "*/*"), ("cookie", "a=1; b=2")]
    assert list(join_cookies(fields[:2]).items()) == [("cookie", "a=1"), ("accept", "*/*")]
