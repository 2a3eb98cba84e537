from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.connector import Connector
from catalina.connector.headers import Headers
from catalina.connector.parameters import declared_encoding, parse_cookies
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.errors import LimitError
from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor
from tests.connector.bare import BareContext
from tests.support.stand_in import stand_in
from tests.support.work import assert_linear

FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


def request(query: str | None = None, body: bytes = b"", *fields: tuple[bytes, bytes], method: str = "POST",
            **limits: Any) -> Request:  # fmt: skip
    attributes: dict[str, Any] = {
        "uri_encoding": "utf-8", "max_parameter_count": 10, "max_post_size": 100, "parse_body_methods": ("POST",),
        "max_cookie_count": 3, "use_body_encoding_for_uri": False,
    }  # fmt: skip
    connector = stand_in(Connector, **{**attributes, **limits})
    connection = ConnectionFacts(connector)
    return Request(connection, method, "/", query, headers=Headers(fields), body=RequestInput(None, body))


def test_query_and_form_are_joined_in_order():
    made = request("a=1&b=%C3%A4+x", b"a=2&c", FORM)
    assert made.parameters == {"a": ["1", "2"], "b": ["\xe4 x"], "c": [""]}


def test_the_application_can_still_read_the_form():
    made = request(None, b"a=2", FORM)
    assert made.parameters == {"a": ["2"]}
    assert made.input.read() == b"a=2"


def test_only_forms_of_the_chosen_methods_are_read():
    assert request(None, b"a=1", FORM, method="PUT").parameters == {}
    assert request(None, b"a=1", FORM, method="PUT", parse_body_methods=("PUT",)).parameters == {"a": ["1"]}
    assert request(None, b"a=1", (b"Content-Type", b"text/plain")).parameters == {}


def test_the_charset_of_the_form_counts_and_a_made_up_one_does_not_hurt():
    typed = b"application/x-www-form-urlencoded; charset="
    assert request(None, b"a=%E4", (b"Content-Type", typed + b"iso-8859-1")).parameters == {"a": ["\xe4"]}
    assert request(None, b"a=1", (b"Content-Type", typed + b"no-such-thing")).parameters == {"a": ["1"]}


def test_the_descriptor_says_the_charset_of_forms_that_say_none():
    made = request(None, b"a=%E4", FORM)
    context: Any = BareContext(request_character_encoding="iso-8859-1")
    made.context = context
    assert made.parameters == {"a": ["\xe4"]}
    assert declared_encoding(made) == "iso-8859-1"
    made.character_encoding = "utf-8"
    assert declared_encoding(made) == "utf-8"


def test_who_must_not_wait_gets_what_is_known():
    made = request("a=1", b"a=2", FORM)
    assert made.known_parameters == {"a": ["1"]}
    assert made.parameters == made.known_parameters == {"a": ["1", "2"]}


def test_the_query_is_decoded_as_the_body_where_that_is_wanted():
    typed = (b"Content-Type", b"text/plain; charset=iso-8859-1")
    assert request("a=%E4", b"", typed).parameters == {"a": ["\ufffd"]}
    assert request("a=%E4", b"", typed, use_body_encoding_for_uri=True).parameters == {"a": ["\xe4"]}


def test_too_many_parameters_and_too_large_forms_are_refused():
    with pytest.raises(LimitError):
        request("&".join("a" * 11)).parameters  # noqa: B018
    with pytest.raises(LimitError):
        request(None, b"a=" + b"x" * 100, FORM).parameters  # noqa: B018
    assert request(None, b"a=" + b"x" * 100, FORM, max_post_size=-1).parameters["a"] == ["x" * 100]


def cookie_headers(*fields: str) -> Headers:
    return Headers([(b"Cookie", field.encode("latin-1")) for field in fields])


def test_cookies_are_read_and_malformed_ones_left_out():
    fields = ('a=1; b="two"; a=3', 'c=x=y; bad name=1; d=a\\b; novalue; =1; e="val ue"; f=v w; g="a,b"')
    cookies = parse_cookies(cookie_headers(*fields), 10, names=False)
    assert cookies == {"a": ("1", "3"), "b": ("two",), "c": ("x=y",), "g": ("a,b",)}


def test_a_cookie_without_an_equals_sign_is_a_name_or_nothing():
    headers = cookie_headers("a; b=1; ; c d; e=")
    assert parse_cookies(headers, 10) == {"a": ("",), "b": ("1",), "e": ("",)}
    assert parse_cookies(headers, 10, names=False) == {"b": ("1",), "e": ("",)}


@pytest.mark.parametrize(("setting", "names"), [("name", {"a", "b"}), ("ignore", {"b"})])
def test_the_cookie_processor_of_the_application_decides(setting, names):
    made = request(None, b"", (b"Cookie", b"a; b=1"))
    context: Any = BareContext(cookie_processor=Rfc6265CookieProcessor(cookies_without_equals=setting))
    made.context = context
    assert set(made.cookies) == names


def test_cookies_are_read_again_when_a_valve_has_changed_the_field():
    headers = cookie_headers("a=1")
    assert parse_cookies(headers, 10) == {"a": ("1",)}
    headers.set("Cookie", "a=2")
    assert parse_cookies(headers, 10) == {"a": ("2",)}


def test_too_many_cookies_are_refused():
    assert len(parse_cookies(cookie_headers("a=1;b=2;c=3"), 3)) == 3
    with pytest.raises(LimitError):
        parse_cookies(cookie_headers("a=1;b=2;c=3;d=4"), 3)
    assert len(parse_cookies(cookie_headers("a=1;b=2;c=3;d=4"), -1)) == 4


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape", "utf-7", "hz", "base64"])
def test_what_is_no_charset_of_java_counts_as_none(charset):
    typed = (b"Content-Type", b"application/x-www-form-urlencoded; charset=" + charset.encode())
    made = request("q=%C3%A4", b"a=%C3%A4-b%5Cx41", typed, use_body_encoding_for_uri=True)
    assert made.parameters == {"q": ["\xe4"], "a": ["\xe4-b\\x41"]}
    assert declared_encoding(made) is None


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"utf-8", b"utf-16", b"shift_jis", b"iso-2022-jp", b"idna", b"\xff"])
)
def test_any_form_gives_parameters_or_the_documented_error(body, charset):
    made = request("a=1", body, (b"Content-Type", b"application/x-www-form-urlencoded;charset=" + charset))
    try:
        parameters = made.parameters
    except LimitError:
        return
    assert all(isinstance(value, str) for values in parameters.values() for value in values)


@given(st.binary(max_size=200))
def test_any_cookie_field_gives_cookies_or_the_documented_error(field):
    with contextlib.suppress(LimitError):
        parse_cookies(Headers([(b"Cookie", field)]), 5)


@pytest.mark.parametrize("piece", [b"a=1&", b"%41", b"+", b"&", b"a&", b"=", b"%"])
def test_reading_a_form_is_linear(piece):
    def make(size: int) -> Any:
        form = piece * size
        return lambda: request(None, form, FORM, max_post_size=-1, max_parameter_count=-1).parameters

    assert_linear(make, 1000)


@pytest.mark.parametrize("piece", ["a=1;", ";", "a", "=", '"', " ", "a=b c;", 'a="x'])
def test_reading_cookies_is_linear(piece):
    def make(size: int) -> Any:
        headers = cookie_headers(piece * size)
        headers.memo.cookies = None
        return lambda: parse_cookies(headers, -1)

    assert_linear(make, 1000)
