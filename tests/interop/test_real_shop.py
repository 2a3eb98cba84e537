"""A shop behind HAProxy on three nodes: Chromium buys, nodes are killed under it and come back, cart and login stay."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from catalina.testing import Group
from tests.cluster.node import PROJECT
from tests.interop.chromium import Chromium, chromium
from tests.interop.front_servers import haproxy
from tests.support.frameworks import need_frameworks
from tests.support.needs import need_command

FRAMEWORKS = need_frameworks()
SHOP = Path(__file__).parent / "shop"
PASSWORD = "correct horse"
#: The smallest picture: one pixel.
PICTURE = bytes.fromhex(
    "47494638396101000100800000ff0000ffffff21f90400000000002c00000000010001000002024401003b"
)  # fmt: skip

pytestmark = [pytest.mark.cluster, pytest.mark.interop]


class Estate:
    """Three nodes, HAProxy before them, and a browser.

    Args:
        application: what the nodes serve under /app.
        environment: variables of the nodes.
    """

    def __init__(self, stack: ExitStack, directory: Path, application: str, environment: dict[str, str]) -> None:
        nodes = directory / "nodes"
        nodes.mkdir()
        self.nodes = Group(nodes, application, 3, "/app", environment=environment)
        stack.callback(self.nodes.close)
        self.nodes.start()
        ports = {node.name: node.base.port for node in self.nodes}
        front = stack.enter_context(haproxy(directory / "haproxy", ports))
        self.browser: Chromium = stack.enter_context(chromium(directory, front.port))

    @property
    def node(self) -> str:
        """The name of the node that the browser's session is at: HAProxy's prefix of the cookie."""
        return self.browser.cookies["JSESSIONID"].partition("~")[0]

    def buy_while_nodes_die_and_come_back(self, user: str) -> None:
        """Each node is killed once while the browser's session is there; the browser goes on."""
        browser, bought, killed = self.browser, 0, []
        for _ in range(3):
            for _ in range(2):
                browser.press("#buy")
                bought += 1
                assert (browser.text("#count"), browser.text("#user")) == (str(bought), user)
            victim = self.node
            self.nodes.kill(victim)
            browser.press("#buy")
            bought += 1
            assert (browser.text("#count"), browser.text("#user")) == (str(bought), user)
            assert self.node != victim
            self.nodes.revive(victim)
            killed.append(victim)
        assert len(set(killed)) > 1
        browser.open("/app/")
        assert (browser.text("#count"), browser.text("#user")) == (str(bought), user)


@pytest.fixture
def make_estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Estate]]:
    for command in ("chromium", "chromedriver", "haproxy"):
        need_command(command)
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{FRAMEWORKS}")
    with ExitStack() as stack:
        yield lambda application, environment: Estate(stack, tmp_path, application, environment)


def test_a_django_shop(make_estate: Callable[..., Estate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables: dict[str, Any] = {
        "SHOP_DATABASE": str(tmp_path / "shop.sqlite3"),
        "SHOP_PICTURES": str(tmp_path / "pictures"),
    }
    environment = {**os.environ, **variables, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    for command in (["migrate", "-v0"], ["createsuperuser", "--noinput", "--username=anna", "--email=a@b.example"]):
        manage = [sys.executable, str(SHOP / "manage.py"), *command]
        subprocess.run(manage, check=True, capture_output=True, timeout=120, env=environment)
    monkeypatch.chdir(SHOP)
    estate = make_estate("shop.wsgi:application", variables)
    browser = estate.browser
    browser.open("/app/admin/")
    browser.type("#id_username", "anna")
    browser.type("#id_password", PASSWORD)
    browser.press("input[type=submit]")
    (tmp_path / "tea.gif").write_bytes(PICTURE)
    browser.open("/app/admin/shop/product/add/")
    browser.type("#id_name", "tea")
    browser.type("#id_cents", "250")
    browser.type("#id_picture", str(tmp_path / "tea.gif"))
    estate.nodes.kill(estate.node)  # with the form filled in: its token is in the session
    browser.press("input[name=_save]")
    assert (tmp_path / "pictures" / "products" / "tea.gif").read_bytes() == PICTURE
    for node in estate.nodes:
        if not node.runs:
            estate.nodes.revive(node.name)
    browser.open("/app/")
    browser.wait(lambda: browser.find("#picture").get_property("naturalWidth") == 1, "the picture is shown")
    estate.buy_while_nodes_die_and_come_back("anna")


def test_the_same_with_flask_login(
    make_estate: Callable[..., Estate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SHOP)
    estate = make_estate("flask_shop:app", {})
    browser = estate.browser
    browser.open("/app/")
    browser.type("input[name=username]", "anna")
    browser.press("#login")
    assert browser.text("#user") == "anna"
    estate.buy_while_nodes_die_and_come_back("anna")
