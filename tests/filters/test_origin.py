"""The Origin header."""

import pytest

from catalina.filters.origin import is_same_origin, is_valid_origin


@pytest.mark.parametrize(
    "origin", ["http://a.example", "https://a.example:8443", "null", "file:///x", "file://", "chrome-extension://abc"]
)
def test_origins_are_recognised(origin):
    assert is_valid_origin(origin)


@pytest.mark.parametrize(
    "origin", ["", "a.example", "http://a%20b", "http://a b", "http://a:x", "http://<a>", "//a", "http://"]
)
def test_what_is_no_origin_is_refused(origin):
    assert not is_valid_origin(origin)


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://a.example", True),
        ("http://a.example:80", True),
        ("http://a.example:443", False),
        ("http://a.example:800", False),
        ("https://a.example", False),
        ("http://b.example", False),
    ],
)
def test_an_origin_is_the_same_by_scheme_host_and_port(origin, same):
    assert is_same_origin("http", "a.example", 80, origin) is same


def test_other_ports_are_part_of_the_origin():
    assert is_same_origin("http", "a.example", 8080, "http://a.example:8080")
    assert not is_same_origin("", "a.example", 80, "http://a.example")
    assert not is_same_origin("http", "a.example", 8080, "http://a.example")
    assert is_same_origin("https", "a.example", 443, "https://a.example:443")
