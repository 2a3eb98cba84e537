from __future__ import annotations

from catalina.connector import headers as module
from catalina.connector.headers import Headers, cgi_key


def test_names_are_found_in_any_case_and_repetitions_are_kept():
    headers = Headers(((b"Accept", b"a"), (b"X-Up", b"1"), (b"ACCEPT", b"b")))
    assert headers.get("accept") == "a"
    assert headers.get_all("Accept") == ["a", "b"]
    assert headers.get("missing", "default") == "default"
    assert headers.names() == ["Accept", "X-Up"]
    assert "x-UP" in headers
    assert "x-down" not in headers


def test_a_valve_can_replace_add_and_remove():
    headers = Headers(((b"X", b"1"), (b"Y", b"2"), (b"x", b"3")))
    headers.set("x", "4")
    headers.add("Z", "5")
    headers.remove("y")
    assert list(headers.items()) == [("x", "4"), ("Z", "5")]
    assert headers.get("X") == "4"


def test_values_lose_no_byte():
    assert Headers(((b"X", b"\xe4\xff"),)).get("x") == "\xe4\xff"


def test_environ_keys_follow_cgi():
    assert cgi_key(b"User-Agent") == "HTTP_USER_AGENT"
    assert cgi_key(b"content-type") == "CONTENT_TYPE"
    assert cgi_key(b"Content-Length") == "CONTENT_LENGTH"


def test_a_name_with_an_underscore_has_no_key_so_it_cannot_pose_as_one_with_a_dash():
    assert cgi_key(b"X_Forwarded_For") == ""


def test_the_cache_of_names_is_bounded():
    for number in range(2 * module.CACHED_NAMES):
        cgi_key(b"X-%d" % number)
    assert len(module.CGI_KEYS) <= module.CACHED_NAMES


def test_the_text_form_shows_no_values():
    assert "secret" not in repr(Headers(((b"Authorization", b"secret"),)))


def test_the_environ_has_repeated_fields_in_one_and_cookies_as_cookies():
    headers = Headers(((b"Accept", b"a"), (b"Cookie", b"x=1"), (b"accept", b"b"), (b"cookie", b"y=2"), (b"A_B", b"no")))
    assert headers.cgi_fields() == {"HTTP_ACCEPT": "a,b", "HTTP_COOKIE": "x=1; y=2"}


def test_the_environ_of_changed_fields_is_made_anew():
    headers = Headers(((b"X", b"1"),))
    assert headers.cgi_fields() is headers.cgi_fields()
    headers.set("X", "2")
    assert headers.cgi_fields() == {"HTTP_X": "2"}
    headers.remove("x")
    assert headers.cgi_fields() == {}


def test_names_that_came_for_the_first_time_are_in_the_environ_too():
    module.CGI_KEYS.clear()
    for _ in range(2):
        assert Headers(((b"X-New", b"\xe4"), (b"Content-Type", b"t"))).cgi_fields() == {
            "HTTP_X_NEW": "\xe4",
            "CONTENT_TYPE": "t",
        }
