"""The session id in URLs."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.connector.session_urls import encode_redirect_url
from catalina.core.standard_context import StandardContext
from catalina.session.standard_session import StandardSession
from catalina.util.session_cookie_config import SessionCookieConfig
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


def request_of(path: str = "/shop", session_id: str | None = "ABC", **values: Any) -> Any:
    config = SessionCookieConfig(uri_parameter="sid", url_tracking=values.pop("url_tracking", True))
    context = stand_in(StandardContext, path=path, session_cookie=config, manager=None)
    session = None if session_id is None else stand_in(StandardSession, id=session_id)
    values |= {"context": context, "context_path": path, "get_session": lambda create=True: session}
    request, _ = make_request(f"{path}/dir/page", server_port=80, **values)
    return request


@pytest.mark.parametrize(
    ("url", "encoded"),
    [
        ("/shop/x", "/shop/x;sid=ABC"),
        ("/shop/x?a=1#top", "/shop/x;sid=ABC?a=1#top"),
        ("/shop/x#top", "/shop/x;sid=ABC#top"),
        ("other", "other;sid=ABC"),
        ("/shop", "/shop;sid=ABC"),
        ("http://shop.example.org/shop/x", "http://shop.example.org/shop/x;sid=ABC"),
        ("HTTP://Shop.Example.org:80/shop/x", "HTTP://Shop.Example.org:80/shop/x;sid=ABC"),
        ("/shop/x;sid=ABC", "/shop/x;sid=ABC"),
        ("/shop/x;sid=OLD", "/shop/x;sid=OLD;sid=ABC"),
        ("?a=1", "?a=1"),
    ],
)
def test_urls_of_the_application_carry_the_id(url: str, encoded: str) -> None:
    assert encode_redirect_url(request_of(), url) == encoded


@pytest.mark.parametrize(
    "url",
    ["#top", "/shopping/x", "/", "//evil.example/shop/x", "https://shop.example.org/shop/x", "http://[/shop",
     "http://shop.example.org:8080/shop/x", "http://evil.example/shop/x", "../../x", "mailto:a@shop.example.org"],
)  # fmt: skip
def test_no_other_url_learns_the_id(url: str) -> None:
    assert encode_redirect_url(request_of(), url) == url


@pytest.mark.parametrize(
    "values", [{"session_id": None}, {"url_tracking": False}, {"requested_session_id_from_cookie": True}]
)
def test_the_id_is_written_only_where_the_client_needs_it(values: dict[str, Any]) -> None:
    assert encode_redirect_url(request_of(**values), "/shop/x") == "/shop/x"


def test_every_path_is_of_the_root_application() -> None:
    assert encode_redirect_url(request_of(""), "/x") == "/x;sid=ABC"
