"""The manager's pages, as a browser asks for them."""

from __future__ import annotations

import html
import logging
import re
from urllib.parse import urlencode

import pytest

from tests.deploy.archives import hello, make_wheel
from tests.manager.site import Answer, Site, war

BOUNDARY = "xxBOUNDARYxx"


class Browser:
    """Somebody who is logged in, and follows forms."""

    def __init__(self, site: Site) -> None:
        site.login = "gui:secret"
        self.site = site
        self.page = site.ask("/manager/html")

    def action(self, command: str, query: str = "") -> str:
        """The address of a form or link, with its nonce."""
        addresses = re.findall(r'(?:action|href)="([^"]*/html/' + re.escape(command) + r'\?[^"]*)"', self.page.text)
        found: list[str] = [html.unescape(each) for each in addresses if query in html.unescape(each)]
        assert found, f"{command} {query}: {self.page.text}"
        return found[0]

    def press(self, command: str, query: str = "", **fields: str) -> Answer:
        body = urlencode(fields).encode()
        self.page = self.site.ask(
            self.action(command, query), "POST", body or b"x=", Content_Type="application/x-www-form-urlencoded"
        )
        return self.page

    def upload(self, name: str, content: bytes) -> Answer:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="deployWar"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        self.page = self.site.ask(self.action("upload"), "POST", body, Content_Type=kind)
        return self.page

    @property
    def message(self) -> str:
        found = re.search(r'<pre[^>]*role="status"[^>]*>(.*?)</pre>', self.page.text, re.DOTALL)
        assert found, self.page.text
        return html.unescape(found[1])


@pytest.fixture
def browser(site):
    return Browser(site)


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("op:secret", 403), ("gui:secret", 200)])
def test_only_the_role_manager_gui_is_let_in(site, login, status):
    assert site.ask("/manager/html/list", login=login).status == status


def test_the_list_has_every_application_and_no_commands_for_the_manager_itself(browser):
    assert browser.page.status == 200
    rows = re.findall(r"<tr>(.*?)</tr>", browser.page.text, re.DOTALL)
    plain = next(row for row in rows if 'href="/plain/"' in row)
    manager = next(row for row in rows if 'href="/manager/"' in row)
    assert "Undeploy" in plain
    assert "<form" not in manager


def test_nothing_changes_without_the_nonce_or_by_get(site, browser):
    kind = "application/x-www-form-urlencoded"
    assert site.ask("/manager/html/stop?path=/plain", "POST", b"x=", Content_Type=kind).status == 403
    assert site.ask("/manager/html/stop?path=/plain").status == 403
    browser.page = site.ask(browser.action("stop", "path=/plain"))
    assert browser.message == "FAIL - Tried to use command [/stop] via a GET request but POST is required"
    assert site.ask("/plain/").status == 200


def test_an_application_is_stopped_started_reloaded_and_undeployed(site, browser, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    browser.press("stop", "path=/plain")
    assert browser.message == "OK - Stopped application at context path [/plain]"
    assert site.ask("/plain/").status == 404
    browser.press("start", "path=/plain")
    browser.press("reload", "path=/plain")
    assert browser.message == "OK - Reloaded application at context path [/plain]"
    browser.press("undeploy", "path=/plain")
    assert browser.message == "OK - Undeployed application at context path [/plain]"
    assert "[gui] at [127.0.0.1] over [manager/html] undeploy [path=/plain]" in caplog.text


@pytest.mark.parametrize("name", ["shop.war", "shop.zip"])
def test_an_archive_is_uploaded(site, browser, name):
    browser.upload(name, war("uploaded"))
    assert browser.message == "OK - Deployed application at context path [/shop]"
    assert site.ask("/shop/").text == "uploaded"
    browser.upload(name, war("again"))
    assert browser.message.startswith("FAIL - ")


def test_a_wheel_is_uploaded_under_its_own_name(site, browser, tmp_path):
    wheel = make_wheel(tmp_path, "shop", "1", {"shop.py": hello("wheel")})
    browser.upload(wheel.name, wheel.read_bytes())
    assert browser.message == "OK - Deployed application at context path [/shop##1]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.txt", "FAIL - File uploaded [x.txt] must be a .war, .zip or .whl"),
        ("", "FAIL - File upload failed, no file"),
        ("../../conf/x.war", "OK - Deployed application at context path [/x]"),
    ],
)
def test_the_name_of_an_upload_leads_nowhere(site, browser, name, message):
    browser.upload(name, war())
    assert browser.message == message
    assert not (site.base / "conf" / "x.war").exists()


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(site, browser):
    body = b"x" * 100
    answer = site.ask(
        browser.action("upload"), "POST", body,
        Content_Type="multipart/form-data; boundary=b", Content_Length=str(60 * 2**20), Expect="100-continue",
    )  # fmt: skip
    assert answer.status == 413


def test_something_of_the_server_is_deployed(site, browser, tmp_path):
    (tmp_path / "one.war").write_bytes(war("one"))
    browser.press("deploy", deployPath="/one", deployWar=f"{tmp_path}/one.war", deployConfig="", deployVersion="")
    assert browser.message == "OK - Deployed application at context path [/one]"


def test_names_are_escaped(site, browser):
    browser.page = site.ask(browser.action("sessions", "path=/plain").replace("path=/plain", "path=/%3Cb%3E"))
    assert "<b>" not in browser.page.text
    assert "&lt;b&gt;" in browser.page.text


def test_sessions_are_listed_looked_at_and_ended(site, browser, caplog):
    session_id = site.ask("/plain/", login=None).headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    manager = site.host.find_child("/plain").manager
    manager.find_session(session_id).set_attribute("<x>", {"a": [1, 2]})
    manager.find_session(session_id).set_attribute("password", "hunter2")
    browser.page = site.ask(browser.action("sessions", "path=/plain"))
    assert session_id in browser.page.text
    browser.page = site.ask(browser.action("sessions", "sessionDetail"))
    assert "&lt;x&gt;" in browser.page.text
    assert "{&#39;a&#39;: [1, 2]}" in browser.page.text
    assert "hunter2" not in browser.page.text
    assert re.search("Type</t[hd]><td>Primary</td>", browser.page.text)
    query = "path=/plain"
    browser.press("sessions", query, action="removeSessionAttribute", sessionId=session_id, attributeName="<x>")
    assert browser.message == "Attribute [<x>] was removed"
    assert not manager.find_session(session_id).has_attribute("<x>")
    browser.press("sessions", query, action="invalidateSessions", sessionIds=session_id)
    assert browser.message == "1 sessions were ended"
    assert manager.find_session(session_id) is None


def test_diagnostics_are_shown(site, browser):
    for command in ("findleaks", "sslConnectorCiphers", "sslConnectorCerts", "sslConnectorTrustedCerts"):
        answer = site.ask(browser.action(command))
        assert answer.status == 200
        assert "<pre>" in answer.text


def test_no_page_lets_in_script_or_frames_of_others(browser):
    policy = browser.page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script>" not in browser.page.text
