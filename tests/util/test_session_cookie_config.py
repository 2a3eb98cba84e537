"""The effective cookie."""

from __future__ import annotations

import pytest

from catalina.core.standard_context import StandardContext
from catalina.descriptor.elements import SessionConfig
from catalina.util.session_cookie_config import SessionCookieConfig


def test_without_any_word_it_is_jsessionid_for_the_context_path() -> None:
    config = SessionCookieConfig.of(StandardContext(), SessionConfig())
    assert (config.name, config.uri_parameter, config.path, config.domain) == ("JSESSIONID", "jsessionid", None, None)
    assert (config.http_only, config.secure, config.max_age) == (True, False, -1)
    assert (config.cookie_tracking, config.url_tracking, config.ssl_tracking) == (True, True, False)


def test_the_contexts_attributes_win_over_web_xml() -> None:
    web_xml = SessionConfig(cookie_name="W", cookie_path="/w", cookie_domain="w.example", max_age=5, secure=True)
    context = StandardContext(session_cookie_name="C", session_cookie_path="/", session_cookie_domain="c.example")
    config = SessionCookieConfig.of(context, web_xml)
    assert (config.name, config.path, config.domain) == ("C", "/", "c.example")
    config = SessionCookieConfig.of(StandardContext(), web_xml)
    assert (config.name, config.path, config.domain) == ("W", "/w", "w.example")
    assert (config.max_age, config.secure) == (5, True)


@pytest.mark.parametrize(
    ("context", "web_xml", "http_only"),
    [(True, None, True), (False, None, False), (True, False, True), (False, True, True), (False, False, False)],
)
def test_http_only_when_one_of_both_says_so(context: bool, web_xml: bool | None, http_only: bool) -> None:
    config = SessionCookieConfig.of(StandardContext(use_http_only=context), SessionConfig(http_only=web_xml))
    assert config.http_only is http_only


@pytest.mark.parametrize(
    ("cookies", "modes", "expected"),
    [
        (True, set(), (True, True)),
        (False, set(), (False, True)),
        (True, {"COOKIE"}, (True, False)),
        (True, {"URL"}, (False, True)),
    ],
)
def test_the_ways_an_id_may_travel(cookies: bool, modes: set[str], expected: tuple[bool, bool]) -> None:
    config = SessionCookieConfig.of(StandardContext(cookies=cookies), SessionConfig(tracking_modes=frozenset(modes)))
    assert (config.cookie_tracking, config.url_tracking) == expected


@pytest.mark.parametrize(
    ("context", "web_xml", "expected"),
    [(True, {}, "true"), (False, {}, "false"), (True, {"Partitioned": "false"}, "false"),
     (False, {"partitioned": "TRUE"}, "true"), (True, {"Partitioned": ""}, "false")],
)  # fmt: skip
def test_the_session_cookie_says_itself_whether_it_is_partitioned(
    context: bool, web_xml: dict[str, str], expected: str
) -> None:
    config = SessionCookieConfig.of(StandardContext(use_partitioned=context), SessionConfig(attributes=web_xml))
    assert config.attributes == {"Partitioned": expected}


def test_what_the_application_prefers_holds_where_the_operator_says_nothing() -> None:
    config = SessionCookieConfig.of(StandardContext(), SessionConfig())
    config.prefer(False, None, False)
    assert (config.secure, config.attributes) == (False, {"Partitioned": "false"})
    config.prefer(True, "Lax", True)
    assert (config.secure, config.attributes) == (True, {"Partitioned": "true", "SameSite": "Lax"})
    config = SessionCookieConfig.of(StandardContext(), SessionConfig(attributes={"samesite": "Strict"}, secure=True))
    config.prefer(False, "None", False)
    assert (config.secure, config.attributes["samesite"]) == (True, "Strict")
    assert "SameSite" not in config.attributes
