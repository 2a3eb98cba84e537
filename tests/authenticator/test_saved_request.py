"""The request that is repeated after the login."""

import pytest

from catalina.authenticator.saved_request import SavedRequest
from catalina.connector.request_input import RequestInput
from catalina.errors import LimitError
from tests.valves.exchange import make_request


def post(body=b"a=1", headers=(("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "c=1"))):
    request, _ = make_request("/x", "POST", headers, query="q=2")
    request.input = RequestInput(None, body)
    return request


def test_a_request_becomes_the_saved_one_again():
    saved = SavedRequest.of(post(), 100)
    again, _ = make_request("/x", "GET", [("Cookie", "other=1")])
    saved.restore(again)
    assert again.method == "POST"
    assert again.cookies == {"c": ("1",)}
    assert again.parameters["a"] == ["1"]
    assert again.input.read() == b"a=1"
    assert again.content_length == 3


def test_a_body_larger_than_the_limit_is_refused():
    with pytest.raises(LimitError, match="maxSavePostSize 2"):
        SavedRequest.of(post(), 2)
    assert SavedRequest.of(post(), 0).body == b""
    assert SavedRequest.of(post(), -1).body == b"a=1"


def test_a_form_without_a_type_gets_one():
    again, _ = make_request("/x")
    SavedRequest.of(post(headers=()), 100).restore(again)
    assert again.content_type == "application/x-www-form-urlencoded"


def test_the_url_never_names_another_host():
    assert SavedRequest("GET", "//evil.example/x", "/x", "a=1").url == "/evil.example/x?a=1"


def test_secrets_do_not_show_in_logs():
    assert "c=1" not in repr(SavedRequest.of(post(), 100))
    assert "a=1" not in repr(SavedRequest.of(post(), 100))
