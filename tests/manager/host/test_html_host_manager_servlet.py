"""The host manager's page."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest

from tests.manager.host.test_host_manager_servlet import hosts_site

__all__ = ["hosts_site"]
KIND = "application/x-www-form-urlencoded"


@pytest.fixture
def browser(hosts_site):
    hosts_site.login = "gui:secret"
    hosts_site.keeps_cookies_of = "/host-manager"

    class Browser:
        page = hosts_site.ask("/host-manager/html")

        def press(self, command, **fields):
            address = re.findall(rf'action="([^"]*/html/{command}\?[^"]*)"', self.page.text)[0]
            body = urlencode(fields).encode()
            self.page = hosts_site.ask(html.unescape(address), "POST", body, Content_Type=KIND)
            return html.unescape(re.findall(r'<pre id="message"[^>]*>(.*?)</pre>', self.page.text, re.DOTALL)[0])

    return Browser()


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("op:secret", 403), ("gui:secret", 200)])
def test_only_the_role_admin_gui_is_let_in(hosts_site, login, status):
    assert hosts_site.ask("/host-manager/html", login=login).status == status


def test_a_host_is_added_stopped_started_and_removed(hosts_site, browser):
    fields = {"name": "vh1", "aliases": "a.vh1", "appBase": "", "autoDeploy": "on"}
    assert browser.press("add", **fields) == "OK - Host [vh1] added"
    host = hosts_site.service.engine.find_child("vh1")
    assert (host.auto_deploy, host.unpack_wars) == (True, False)
    assert browser.press("stop", name="vh1") == "OK - Host [vh1] stopped"
    assert browser.press("start", name="vh1") == "OK - Host [vh1] started"
    assert browser.press("remove", name="vh1") == "OK - Removed host [vh1]"


def test_nothing_changes_without_the_nonce_or_by_get(hosts_site, browser):
    assert hosts_site.ask("/host-manager/html/add", "POST", b"name=vh1", Content_Type=KIND).status == 403
    nonce = re.findall(r'html/list\?([^"]*)"', browser.page.text)[0]
    answer = hosts_site.ask(f"/host-manager/html/add?name=vh1&{nonce}")
    assert "via a GET request but POST is required" in answer.text
    assert len(hosts_site.service.engine.children) == 1


def test_names_are_escaped(browser):
    assert browser.press("add", name="<b>") == "FAIL - Invalid host name [<b>] was specified"
    assert "<b>" not in browser.page.text
