from __future__ import annotations

import pytest

from catalina.connector.set_cookie import set_cookie_value
from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor


def test_a_session_cookie_is_written_as_tomcat_writes_it():
    assert set_cookie_value("JSESSIONID", "AB.n1", "/shop", None, -1, True, True) == (
        "JSESSIONID=AB.n1; Path=/shop; Secure; HttpOnly"
    )


def test_an_age_is_also_written_for_old_browsers():
    text = set_cookie_value("a", "b", None, "example.org", 0, False, False)
    assert text == "a=b; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Domain=example.org"


def test_same_site_comes_from_the_cookie_or_the_processor():
    processor = Rfc6265CookieProcessor(same_site_cookies="strict")
    assert set_cookie_value("a", "b", None, None, None, False, False, None, processor) == "a=b; SameSite=Strict"
    own = set_cookie_value("a", "b", None, None, None, False, False, {"SameSite": "lax"}, processor)
    assert own == "a=b; SameSite=Lax"
    unset = Rfc6265CookieProcessor(same_site_cookies="unset", partitioned=True)
    assert set_cookie_value("a", "b", None, None, None, False, False, None, unset) == "a=b; Partitioned"


@pytest.mark.parametrize(
    ("name", "value", "path", "domain"),
    [
        ("a b", "c", None, None),
        ("a", "b;c", None, None),
        ("a", "b\r\nc", None, None),
        ("a", "b c", None, None),
        ("a", "b", "/;x", None),
        ("a", "b", "/\n", None),
        ("a", "b", None, "ex ample"),
        ("a", "b", None, ".example.org"),
    ],
)
def test_no_part_can_end_itself_and_begin_another(name, value, path, domain):
    with pytest.raises(ValueError, match="cookie"):
        set_cookie_value(name, value, path, domain, None, False, False)
