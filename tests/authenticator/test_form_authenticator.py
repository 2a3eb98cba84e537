"""Login by a form, as a browser goes through it."""

import re

import pytest

from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.authenticator.form_authenticator import SavedRequest, forward
from catalina.connector.request_input import RequestInput
from catalina.core.standard_context import StandardContext
from catalina.errors import LimitError
from tests.authenticator.application import PROTECTED, Browser, login_config, secure_node, text
from tests.support.narrowing import of_type
from tests.valves.exchange import body_of, make_request

PAGES = "<form-login-config><form-login-page>/login.html</form-login-page>" \
    "<form-error-page>/failed.html</form-error-page></form-login-config>"  # fmt: skip
INNER = """
<servlet-mapping><servlet-name>default</servlet-name><url-pattern>*.html</url-pattern></servlet-mapping>
""" + PROTECTED + login_config("FORM", PAGES)  # fmt: skip
FILES = {"login.html": "please log in", "failed.html": "wrong password"}
RIGHT = b"j_username=bob&j_password=secret"


def make(tmp_path, inner=INNER, **files):
    return secure_node(tmp_path, inner, **{**FILES, **files})


def valve(node):
    pipeline = node.host.find_child("/shop").pipeline
    return next(one for one in pipeline.valves if isinstance(one, AuthenticatorBase))


def log_in(browser, body=RIGHT):
    return browser.ask("/shop/j_security_check", "POST", body=body)


def test_a_browser_goes_through_login_to_the_page_it_wanted(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        first = browser.ask("/shop/private/x?a=1")
        assert (first.status, first.body) == (200, b"please log in")
        before = browser.cookies["JSESSIONID"]
        posted = log_in(browser)
        assert posted.status == 303
        assert posted.get("Location") == "/shop/private/x?a=1"
        assert browser.cookies["JSESSIONID"] != before
        page = browser.follow(posted)
        assert text(page).startswith("bob|FORM|GET|/private/x|a=1")
        assert text(browser.ask("/shop/private/y")).startswith("bob|FORM")


def test_a_wrong_password_shows_the_error_page_and_the_next_try_may_succeed(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x")
        wrong = log_in(browser, b"j_username=bob&j_password=wrong")
        assert wrong.body == b"wrong password"
        assert log_in(browser).status == 303


def test_a_post_is_repeated_with_its_body_and_headers(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        first = browser.ask("/shop/private/x", "POST", {"X-Once": "7"}, b"article=1")
        assert first.body == b"please log in"
        page = browser.follow(log_in(browser))
        assert text(page) == "bob|FORM|POST|/private/x||article=1|application/x-www-form-urlencoded|7"


def test_a_post_that_is_too_large_is_refused(tmp_path):
    with make(tmp_path) as node:
        node.connector.max_save_post_size = 4
        answer = Browser(node).ask("/shop/private/x", "POST", body=b"article=1")
    assert answer.status == 403


def test_conditional_headers_are_not_repeated(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers={"If-None-Match": '"old"', "X-Once": "7"})
        assert text(browser.follow(log_in(browser))).endswith("|7")


def test_the_saved_request_is_used_once(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x", "POST", body=b"article=1")
        page = browser.follow(log_in(browser))
        assert "article=1" in text(page)
        assert "article=1" not in text(browser.ask("/shop/private/x"))


def test_a_login_page_without_a_page_before_is_an_error(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/keep")
        assert log_in(browser).status == 408  # the session is not one that the login page was shown in


def test_without_any_session_the_time_is_over(tmp_path):
    with make(tmp_path) as node:
        answer = log_in(Browser(node))
    assert answer.status == 408


def test_the_landing_page_catches_whoever_has_no_page_to_go_to(tmp_path):
    with make(tmp_path) as node:
        valve(node).landing_page = "/private/home"
        answer = log_in(Browser(node))
    assert answer.status == 302
    # The client may keep no cookie.
    assert re.fullmatch("/shop/private/home;jsessionid=[0-9A-F]{32}", answer.get("Location"))


def test_a_session_that_somebody_has_planted_is_useless(tmp_path):
    with make(tmp_path) as node:
        attacker = Browser(node)
        attacker.ask("/shop/private/x")
        planted = dict(attacker.cookies)
        victim = Browser(node)
        victim.cookies = dict(planted)
        posted = log_in(victim)
        assert posted.status == 303
        assert victim.cookies != planted
        assert attacker.ask("/shop/private/x").body == b"please log in"


def test_a_session_made_for_the_login_page_lives_shortly(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x")
        manager = node.host.find_child("/shop").manager
        (session,) = manager.find_sessions()
        assert session.max_inactive_interval == 120
        browser.follow(log_in(browser))
        assert session.max_inactive_interval == 1800


def test_a_session_that_was_there_keeps_its_life(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/keep")
        browser.ask("/shop/keep")
        browser.ask("/shop/private/x")
        (session,) = node.host.find_child("/shop").manager.find_sessions()
        assert session.max_inactive_interval == 1800


def test_without_cache_the_session_keeps_the_password(tmp_path):
    with make(tmp_path) as node:
        valve(node).cache = False
        browser = Browser(node)
        browser.ask("/shop/private/x")
        assert text(browser.follow(log_in(browser))).startswith("bob|FORM")
        assert text(browser.ask("/shop/private/y")).startswith("bob|FORM")
        node.engine.realm.users["bob"] = ("changed", ("user",))
        assert browser.ask("/shop/private/y").body == b"please log in"


def test_the_charset_of_names_can_be_set(tmp_path):
    node = secure_node(tmp_path, INNER, {"b\u00f6b": ("secret", ("user",))}, **FILES)
    with node:
        valve(node).character_encoding = "ISO-8859-1"
        browser = Browser(node)
        browser.ask("/shop/private/x")
        assert log_in(browser, b"j_username=b%f6b&j_password=secret").status == 303


def test_a_missing_login_page_is_said(tmp_path, caplog):
    with make(tmp_path, PROTECTED + login_config("FORM")) as node:
        assert node.ask("/shop/private/x").status == 500
    assert "No login page was defined for FORM authentication in context [/shop]" in caplog.text


def test_a_missing_error_page_is_said(tmp_path, caplog):
    pages = "<form-login-config><form-login-page>/login.html</form-login-page></form-login-config>"
    with make(tmp_path, PROTECTED + login_config("FORM", pages)) as node:
        assert node.ask("/shop/j_security_check", "POST", body=b"j_username=x").status == 500
    assert "No error page was defined" in caplog.text


def test_the_login_action_is_recognised_anywhere_in_the_application(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x")
        assert browser.ask("/shop/some/where/j_security_check", "POST", body=RIGHT).status == 303


def test_a_password_in_the_url_is_no_login(tmp_path):
    with make(tmp_path) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x")
        assert browser.ask(f"/shop/j_security_check?{RIGHT.decode()}").status == 400
        assert browser.ask("/shop/j_security_check", "POST", body=RIGHT).status == 303


def test_a_client_without_cookies_logs_in_with_the_id_in_the_url(tmp_path):
    inner = INNER + "<session-config><tracking-mode>URL</tracking-mode></session-config>"
    with make(tmp_path, inner) as node:
        first = node.ask("/shop/private/x?a=1")
        assert first.get("Set-Cookie") is None
        session_id = first.response.request.get_session(False).id
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        posted = node.ask(f"/shop/j_security_check;jsessionid={session_id}", "POST", body=RIGHT, headers=fields)
        new_id = posted.response.request.get_session(False).id
        assert posted.get("Location") == f"/shop/private/x;jsessionid={new_id}?a=1"
        assert text(node.ask(posted.get("Location"))).startswith("bob|FORM|GET|/private/x|a=1")
        assert text(node.ask(f"/shop/private/y;jsessionid={new_id}")).startswith("bob|FORM")


def show(node, page):
    context = node.host.find_child("/shop")
    request, response = make_request("/shop/private", context=context, connector=node.connector, host=node.host)
    shown = forward(context, page, request, response)
    assert request.servlet_path == ""
    return shown, body_of(response)


def test_a_page_of_the_application_is_shown(tmp_path):
    with secure_node(tmp_path, "") as node:
        shown, body = show(node, "/login?x=1")
    assert shown
    assert b"|/login|x=1|" in body


def test_a_page_sees_its_own_address_and_the_request_has_its_own_again(tmp_path):
    pages = "def application(environ, start_response):\n    start_response('200 OK', [])\n"
    pages += "    return [environ['REQUEST_URI'].encode()]\n"
    with secure_node(tmp_path, "", **{"WEB-INF/classes/pages.py": pages}) as node:
        context = of_type(StandardContext, node.host.find_child("/shop"))
        request, response = make_request("/shop/private", context=context, connector=node.connector, host=node.host)
        assert forward(context, "/login", request, response)
        assert body_of(response).startswith(b"/shop/login")
        assert request.request_uri == "/shop/private"


@pytest.mark.parametrize("page", ["login", "/../x"])
def test_what_nothing_answers_for_is_not_shown(tmp_path, page, caplog):
    with secure_node(tmp_path, "") as node:
        assert not show(node, page)[0]
    assert "answers for the page" in caplog.text


def test_a_page_that_fails_is_not_shown(tmp_path, caplog):
    broken = {"WEB-INF/classes/pages.py": "def application(environ, start_response):\n    raise ValueError('page')\n"}
    with secure_node(tmp_path, "", **broken) as node:
        assert not show(node, "/login")[0]
    assert "Unexpected error forwarding" in caplog.text


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
