"""The examples of the frameworks' adapters, as wheels, on real nodes that are killed under their users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.browser import Browser
from tests.cluster.node import PROJECT, Node
from tests.support.frameworks import need_frameworks

FRAMEWORKS = need_frameworks()

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def frameworks_in_the_nodes_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{FRAMEWORKS}")


def wheel(name: str, directory: Path) -> Path:
    """The wheel of an example, built as its reader would."""
    source = directory / f"{name}-source"
    shutil.copytree(PROJECT / "examples" / name, source)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(directory / f"{name}-dist"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next((directory / f"{name}-dist").glob("*.whl"))


def buy(browser: Browser, node: Node) -> None:
    """What everybody does first: look, put something into the cart, twice."""
    browser.get(node)
    assert browser.post(node, "/cart/tea") == {"tea": 1}
    assert browser.post(node, "/cart/tea") == {"tea": 2}


@pytest.mark.parametrize("options", [8, 6])
def test_flask_goes_on_where_the_other_node_died(
    make_node: Callable[..., Node], make_pair: Callable[..., tuple[Node, Node]], tmp_path: Path, options: int
) -> None:
    file = wheel("flask", tmp_path)
    first, second = make_pair(send_options=options, before_start=lambda node: shutil.copy(file, node.base / "webapps"))
    anna = Browser("/flask-cart")
    buy(anna, first)
    before = anna.session_id
    anna.post(first, "/login/anna?remember=1")
    assert anna.session_id != before
    first.kill()
    shown = anna.get(second)
    assert (shown["user"], shown["cart"]) == ("anna", {"tea": 2})
    assert shown["said"] == ["tea is in your cart", "tea is in your cart"]
    assert anna.post(second, "/cart/milk") == {"tea": 2, "milk": 1}
    assert "Max-Age=2678400" in anna.set_cookies[0]
    stranger = Browser("/flask-cart")
    stranger.cookies["JSESSIONID"] = before or ""
    assert stranger.get(second)["user"] is None
    anna.post(second, "/logout")
    assert anna.session_id is None
    assert anna.get(second)["cart"] == {}
