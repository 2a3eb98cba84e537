"""The live page of a cluster in Chromium, over three real nodes: one is drained, one is killed with kill -9."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, Node, started
from tests.interop.chromium import Chromium, chromium
from tests.interop.java_tomcat import JavaTomcat, compile_probe
from tests.support.ports import free_udp_port

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

KEY = "0123456789abcdef0123456789abcdef"
ENCRYPT = (
    f'<Interceptor className="org.apache.catalina.tribes.group.interceptors.EncryptInterceptor" encryptionKey="{KEY}"/>'
)
REALM = (
    '<Realm className="org.apache.catalina.realm.LockOutRealm">'
    '<Realm className="org.apache.catalina.realm.MemoryRealm"/></Realm>'
)
USERS = (
    '<tomcat-users><role rolename="manager-gui"/>'
    '<user username="gui" password="secret" roles="manager-gui"/></tomcat-users>'
)
BACKUP = '<Context><Manager className="org.apache.catalina.ha.session.BackupManager"/></Context>'


def managed(name: str, base: Path, cluster: str) -> Node:
    """A node with the manager."""
    node = Node(name, base, cluster, engine_cluster=REALM)
    descriptors = node.base / "conf" / "Catalina" / "localhost"
    descriptors.mkdir(parents=True)
    (descriptors / "manager.xml").write_text(f'<Context privileged="true" docBase="{PROJECT}/webapps/manager"/>')
    (node.base / "conf" / "tomcat-users.xml").write_text(USERS)
    return node


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Three nodes, each with ``/app`` under a DeltaManager and the manager."""
    port = free_udp_port()
    made = []
    for name in ("n1", "n2", "n3"):
        node = managed(name, tmp_path / name, full(port, interceptors=ENCRYPT))
        shutil.copytree(node.base / "webapps" / "app", node.base / "webapps" / "kept")
        (node.base / "webapps" / "kept" / "META-INF").mkdir()
        (node.base / "webapps" / "kept" / "META-INF" / "context.xml").write_text(BACKUP)
        made.append(node)
    with started(made):
        yield made


def state(browser: Chromium, name: str) -> str:
    """The row of a node, as it is read."""
    rows = browser.driver.find_elements(By.CSS_SELECTOR, "#live tr[id^=node-]")
    return next((row.text for row in rows if row.text.startswith(name)), "")


def open_page(browser: Chromium, node: Node) -> None:
    browser.driver.get(f"http://gui:secret@localhost:{node.http_port}/manager/cluster")
    browser.wait(lambda: "3 of 3 serve" in browser.text("#summary"), "all nodes serve")


def test_the_page_moves_shows_a_killed_node_and_operates_another(nodes: list[Node], tmp_path: Path) -> None:
    one, two, three = nodes
    with chromium(tmp_path, one.http_port) as browser:
        open_page(browser, one)
        browser.wait(lambda: "Live." in browser.text("#liveness"), "the page is live")
        session = one.get("/count", app="/kept").session_id
        kept = "#live tr[id$='localhost/kept']"
        browser.wait(lambda: session and "BackupManager 1" in _texts(browser, kept), "the session is shown")
        browser.wait(lambda: browser.find("figure polyline").get_attribute("points"), "the charts move")

        button = browser.find("button[aria-label='Drain: n3']")
        browser.driver.execute_script("arguments[0].focus()", button)
        two.kill()
        browser.wait(lambda: "gone" in state(browser, "n2"), "the killed node is shown as gone")
        browser.wait(lambda: "n2 is gone" in browser.text("#events"), "and told as an event")
        browser.wait(lambda: "2 of 2 serve" in browser.text("#summary"), "two are left")
        focused = browser.driver.switch_to.active_element
        assert focused.get_attribute("aria-label") == "Drain: n3"  # though rows have gone and changed meanwhile

        browser.press("button[aria-label='Drain: n3']")
        assert "draining: health checks say DOWN" in browser.text("#message")
        browser.wait(lambda: "draining" in state(browser, "n3"), "the drained node says so")
        browser.press("button[aria-label='Take back: n3']")
        browser.wait(lambda: "here" in state(browser, "n3"), "it is taken back")
        browser.press("button[aria-label='Turnover off: n3']")
        browser.find("button[aria-label='Turnover on: n3']")
        assert "[gui] at [127.0.0.1 by way of tcp://127.0.0.1:" in three.log
        assert "from [True] to [False]" in three.log

        errors = [entry["message"] for entry in browser.driver.get_log("browser") if "favicon" not in entry["message"]]
        assert errors == []  # the content security policy stands in nobody's way
        two.start()
        browser.wait(lambda: "3 of 3 serve" in browser.text("#summary"), "the node is back")


def test_the_page_can_be_read_paused_and_used_without_its_script(nodes: list[Node], tmp_path: Path) -> None:
    with chromium(tmp_path, nodes[0].http_port) as browser:
        open_page(browser, nodes[0])
        browser.find("#liveness button").send_keys(Keys.ENTER)
        assert "Paused." in browser.text("#liveness")
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        browser.open("/manager/cluster")
        assert "As of" in browser.text("#liveness")
        assert "here" in state(browser, "n2")
        browser.press("button[aria-label='Turnover off: n2']")
        assert browser.text("#message") == "JvmRouteBinderValve.enabled is false"
        browser.find("input[name=idle]").send_keys(Keys.ENTER)  # presses no button
        assert browser.text("#message") == "JvmRouteBinderValve.enabled is false"


def test_the_status_page_moves(nodes: list[Node], tmp_path: Path) -> None:
    with chromium(tmp_path, nodes[0].http_port) as browser:
        browser.driver.get(f"http://gui:secret@localhost:{nodes[0].http_port}/manager/status/all")
        browser.wait(lambda: "Live." in browser.text("#liveness"), "the page is live")
        browser.wait(lambda: browser.find("figure polyline").get_attribute("points"), "the charts move")
        browser.driver.save_screenshot(str(tmp_path / "status.png"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_can_be_read_in_light_and_dark(nodes: list[Node], tmp_path: Path, scheme: str) -> None:
    with chromium(tmp_path, nodes[0].http_port) as browser:
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        open_page(browser, nodes[0])
        browser.find("#live .state")
        faint = browser.driver.execute_script(FAINT)
        assert faint == []
        browser.driver.save_screenshot(str(tmp_path / f"{scheme}.png"))


def test_a_java_node_is_shown_with_what_is_known_of_it(tmp_path: Path) -> None:
    port, classes = free_udp_port(), compile_probe(tmp_path / "classes")
    ours = managed("n1", tmp_path / "n1", full(port))
    java = JavaTomcat("java1", tmp_path / "java1", classes, cluster=full(port))
    with started([ours, java]), chromium(tmp_path, ours.http_port) as browser:
        browser.driver.get(f"http://gui:secret@localhost:{ours.http_port}/manager/cluster")
        browser.wait(lambda: "2 of 2 serve" in browser.text("#summary"), "both serve")
        rows = browser.driver.find_elements(By.CSS_SELECTOR, "#live tr[id^=node-]")
        (row,) = [row.text for row in rows if "Java" in row.text]
        assert "here" in row
        assert "s ago" in row  # its heartbeat
        assert "Drain" not in row
        java.kill()
        browser.wait(lambda: "is gone" in browser.text("#events"), "its death is told")


def _texts(browser: Chromium, selector: str) -> str:
    return " ".join(each.text for each in browser.driver.find_elements(By.CSS_SELECTOR, selector))


#: The texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
FAINT = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.getClientRects().length) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) found.push(element.outerHTML.slice(0, 100));
}
return found;
"""
