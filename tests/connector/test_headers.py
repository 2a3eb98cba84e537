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
