"""The page of the group and its buttons, as a browser asks for them."""

from __future__ import annotations

import html
import logging
import re
from urllib.parse import urlencode

import pytest

from catalina.manager.cluster.watch import ClusterWatch
from catalina.startup.session_safety import clusters_of
from tests.cluster.clusters import full
from tests.manager.site import Answer, Site, make_base, running, war
from tests.support.ports import free_udp_port

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A node that is alone in its cluster."""
    base = make_base(tmp_path_factory.mktemp("site") / "base", full(free_udp_port()))
    with running(base) as site:
        site.login = "gui:secret"
        yield site


def press(site: Site, verb: str, application: str = "", page: str = "", idle: str = "0", **fields: str) -> Answer:
    """Press a button of the page."""
    page = page or site.ask("/manager/cluster").text
    (action,) = re.findall(r'action="([^"]*/cluster/order[^"]*)"', page)
    values = [html.unescape(each) for each in re.findall(r'name="order" value="([^"]*)"', page)]
    (value,) = [each for each in values if each.split(" ")[0] == verb and each.split(" ")[2:] == application.split()]
    body = urlencode({"order": value, "idle": idle} | fields).encode()
    return site.ask(html.unescape(action), "POST", body, Content_Type=FORM)


def look_anew(site: Site) -> None:
    """The next page shows the node as it is now, not as it was a second ago."""
    (cluster,) = clusters_of(site.server)
    cluster.facts.live.look_anew()
    ClusterWatch.of(cluster)._looked = 0.0


def message(answer: Answer) -> str:
    return html.unescape(re.findall(r'<pre id="message"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)[0])


@pytest.mark.parametrize(
    ("login", "status"), [(None, 401), ("op:secret", 403), ("watch:secret", 403), ("gui:secret", 200)]
)
@pytest.mark.parametrize("path", ["/manager/cluster", "/manager/cluster/"])
def test_only_the_role_manager_gui_is_let_in(site, login, status, path):
    site.cookie = ""
    assert site.ask(path, login=login).status == status


def test_the_page_is_whole_without_its_script_and_takes_in_nothing_from_elsewhere(site):
    page = site.ask("/manager/cluster")
    assert "<b>tcp://127.0.0.1:" in page.text
    assert "1 of 1 serve" in page.text
    assert re.search(r"<td>localhost/plain</td>", page.text)
    assert re.findall(r'<script src="([^"]*)"', page.text) == ["/manager/live.js"]
    assert "<script>" not in page.text
    assert ' style="' not in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert site.ask("/manager/live.js").status == 200


def test_a_button_drains_the_node_and_takes_it_back(site, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    try:
        assert message(press(site, "drain")).startswith("draining: health checks say DOWN")
        assert site.service.connectors[0].draining
        assert "[gui] at [127.0.0.1] over [manager/cluster] drain [this node]" in caplog.text
    finally:
        page = site.ask("/manager/cluster").text
        assert message(press(site, "undrain", page=page)) == "health checks say UP again"
    assert "gui: drain" in site.ask("/manager/cluster").text


def test_sessions_of_an_application_are_ended_by_a_button(site):
    site.ask("/plain/", login=None)
    manager = site.host.find_child("/plain").manager
    assert manager.active_sessions >= 1
    assert "sessions were expired" in message(press(site, "expire", "localhost/plain"))
    assert manager.active_sessions == 0


def test_an_application_is_redeployed_by_a_button_with_its_new_archive_if_there_is_one(site):
    assert message(press(site, "redeploy", "localhost/plain")) == "reloaded [/plain]"
    (site.host.app_base_path / "shop.war").write_bytes(war("old"))
    site.config.check_now("/shop")
    assert site.ask("/shop/", login=None).text == "old"
    (site.host.app_base_path / "shop.war").write_bytes(war("the new one"))
    look_anew(site)
    assert message(press(site, "redeploy", "localhost/shop")) == "redeployed [/shop] from its changed files"
    assert site.ask("/shop/", login=None).text == "the new one"


def test_the_newest_version_is_rolled_back_by_a_button(site):
    for version in ("1", "2"):
        (site.host.app_base_path / f"blog##{version}.war").write_bytes(war(version))
        site.config.check_now(f"/blog##{version}")
    assert site.ask("/blog/", login=None).text == "2"
    look_anew(site)
    assert "[/blog##1] serves" in message(press(site, "roll-back", "localhost/blog##2"))
    assert site.ask("/blog/", login=None).text == "1"


@pytest.mark.parametrize("fields", [{"idle": "soon"}, {"idle": ""}, {"idle": "9" * 50}, {"idle": "-1"}])
def test_minutes_that_are_none_end_nothing(site, fields):
    assert message(press(site, "expire", "localhost/plain", **fields)) == "Expected minutes"


@pytest.mark.parametrize("value", ["", "drain", "drain 00", "x" * 9000])
def test_an_order_for_nobody_is_refused(site, value):
    page = site.ask("/manager/cluster").text
    (action,) = re.findall(r'action="([^"]*/cluster/order[^"]*)"', page)
    body = urlencode({"order": value, "idle": "0"}).encode()
    answer = site.ask(html.unescape(action), "POST", body, Content_Type=FORM)
    assert message(answer) == "That node is no member any more"
    assert not site.service.connectors[0].draining


@pytest.mark.parametrize("path", ["/manager/cluster", "/manager/cluster/order", "/manager/cluster/"])
def test_nothing_is_ordered_without_the_nonce_of_the_page(site, path):
    assert site.ask(path, "POST", b"order=drain", Content_Type=FORM).status == 403
    assert not site.service.connectors[0].draining


def test_what_is_not_there_is_404_and_what_is_not_meant_405(site):
    nonce = re.findall(r"/cluster/order\?([^\"]*)", site.ask("/manager/cluster").text)[0]
    assert site.ask(f"/manager/cluster/nothing?{nonce}").status == 404
    assert site.ask(f"/manager/cluster/order?{nonce}").status == 404
    assert site.ask("/manager/cluster", "PUT", b"x").status in (403, 405)


def test_another_cluster_of_the_node_is_asked_for_by_its_name(site):
    assert "This node is in no cluster" in site.ask("/manager/cluster?cluster=other").text
    assert "1 of 1 serve" in site.ask("/manager/cluster?cluster=localhost").text


def test_a_node_without_a_cluster_says_so(tmp_path):
    with running(make_base(tmp_path / "base")) as alone:
        alone.login = "gui:secret"
        assert "This node is in no cluster" in alone.ask("/manager/cluster").text
        assert alone.ask("/manager/cluster/events").status == 404
