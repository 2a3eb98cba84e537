"""One login for two applications."""

import logging

import pytest

from catalina.authenticator.single_sign_on import SingleSignOn
from tests.authenticator.application import (
    PROTECTED,
    Browser,
    add_application,
    basic,
    login_config,
    secure_node,
    text,
)
from tests.realm.realms import DictRealm
from tests.support.narrowing import there

INNER = PROTECTED + login_config("BASIC")
BOB = basic("bob", "secret")
SSO = "JSESSIONIDSSO"


def make(tmp_path, other=INNER, **values):
    node = secure_node(tmp_path, INNER)
    add_application(node, other, "other")
    sso = SingleSignOn(**values)
    node.host.add_valve(sso)
    return node, sso


def test_a_user_who_has_logged_in_once_is_known_everywhere(tmp_path):
    node, _ = make(tmp_path)
    with node:
        browser = Browser(node)
        first = browser.ask("/shop/private/x", headers=BOB)
        cookie = next(value for name, value in first.headers if value.startswith(SSO))
        assert "Path=/" in cookie
        assert "HttpOnly" in cookie
        del browser.cookies["JSESSIONID"]
        assert text(browser.ask("/other/private/x")).startswith("bob|BASIC")


def test_an_application_without_login_knows_him_too(tmp_path):
    node, _ = make(tmp_path, PROTECTED)
    with node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        del browser.cookies["JSESSIONID"]
        assert browser.ask("/other/private/x").status == 200


def test_logging_out_of_one_application_logs_out_of_all(tmp_path):
    node, sso = make(tmp_path)
    with node:
        shop, other = Browser(node), Browser(node)
        shop.ask("/shop/private/x", headers=BOB)
        other.cookies[SSO] = shop.cookies[SSO]
        other.ask("/other/private/x")
        assert node.host.find_child("/other").manager.active_sessions == 1
        shop.ask("/shop/out")
        assert node.host.find_child("/other").manager.active_sessions == 0
        assert other.ask("/other/private/x").status == 401
        assert sso.cache == {}


def test_a_session_that_times_out_leaves_the_others(tmp_path):
    node, _ = make(tmp_path)
    with node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        other = Browser(node)
        other.cookies[SSO] = browser.cookies[SSO]
        other.ask("/other/private/x")
        manager = node.host.find_child("/shop").manager
        (session,) = manager.find_sessions()
        session.max_inactive_interval = 1
        session.this_accessed_time_ms = session.last_accessed_time_ms = 0
        manager.process_expires()
        assert manager.active_sessions == 0
        assert other.ask("/other/private/x").status == 200


def test_an_unknown_cookie_is_removed(tmp_path):
    node, _ = make(tmp_path)
    with node:
        browser = Browser(node)
        browser.cookies[SSO] = "unknown"
        answer = browser.ask("/shop/open")
    cookie = there(answer.get("Set-Cookie"))
    assert cookie.startswith(f"{SSO}=REMOVE")
    assert "Max-Age=0" in cookie


def test_with_reauthentication_the_other_realm_checks_the_password(tmp_path):
    node, _ = make(tmp_path, require_reauthentication=True)
    node.host.find_child("/other").realm = realm = DictRealm({"bob": ("secret", ("user",))})
    with node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        del browser.cookies["JSESSIONID"]
        assert browser.ask("/other/private/x").status == 200
        del browser.cookies["JSESSIONID"]
        realm.users["bob"] = ("changed", ("user",))
        assert browser.ask("/other/private/x").status == 401


@pytest.mark.parametrize(("mode", "status"), [("default", 200), ("principal", 200), ("password", 200), ("full", 401)])
def test_an_application_chooses_how_it_trusts(tmp_path, mode, status):
    node, _ = make(tmp_path)
    with node:
        other = node.host.find_child("/other")
        other.pipeline.valves[0].sso_reauthentication_mode = mode
        other.pipeline.valves[0].cache = False
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        del browser.cookies["JSESSIONID"]
        assert browser.ask("/other/private/x").status == status


def test_a_changed_session_id_is_followed(tmp_path):
    node, sso = make(tmp_path)
    with node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        manager = node.host.find_child("/shop").manager
        (session,) = manager.find_sessions()
        new_id = manager.change_session_id(session)
        (entry,) = sso.cache.values()
        assert {key.session_id for key in entry.session_keys} == {new_id}


def test_stopping_an_application_is_no_logout(tmp_path):
    node, _ = make(tmp_path)
    with node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        other = Browser(node)
        other.cookies[SSO] = browser.cookies[SSO]
        other.ask("/other/private/x")
        node.host.find_child("/shop").stop()
        assert other.ask("/other/private/x").status == 200


def test_a_realm_of_an_applications_own_is_mentioned(tmp_path, caplog):
    node, _ = make(tmp_path)
    node.host.find_child("/other").realm = DictRealm()
    with caplog.at_level(logging.WARNING), node:
        assert "SSO found a realm defined on context [/other]" in caplog.text


def test_a_host_without_a_realm_is_mentioned(tmp_path, caplog):
    node, _ = make(tmp_path)
    node.engine.realm = None
    with caplog.at_level(logging.WARNING), node:
        assert "has no realm associated with it" in caplog.text
