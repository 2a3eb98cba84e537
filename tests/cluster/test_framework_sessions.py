"""The examples of the frameworks' adapters, as wheels, on real nodes that are killed under their users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.browser import Browser
from tests.cluster.node import PROJECT, Node, wait_until
from tests.support.frameworks import need_frameworks

FRAMEWORKS = need_frameworks()

PASSWORD = "correct horse"

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def frameworks_in_the_nodes_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{FRAMEWORKS}")


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Django example's database, with one user."""
    database = tmp_path / "cart.sqlite3"
    monkeypatch.setenv("CART_DATABASE", str(database))
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    for command in (["migrate", "-v0"], ["createsuperuser", "--noinput", "--username=anna", "--email=a@b.example"]):
        manage = PROJECT / "examples" / "django" / "manage.py"
        subprocess.run([sys.executable, str(manage), *command], check=True, capture_output=True, timeout=60)
    return database


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


def seen_by_anna(anna: Browser, node: Node) -> Any:
    """What a node shows her, None as long as it does not know that she has logged in. Her cookies stay as they are."""
    peek = Browser(anna.app)
    peek.cookies = dict(anna.cookies)
    shown = peek.get(node)
    return shown if shown["user"] == "anna" else None


def goes_on(app: str, first: Node, second: Node, cookie: str, asynchronous: bool = False) -> None:
    """A login and a cart on one node, which dies; the other one has all of it, and the old id leads nowhere."""
    anna = Browser(app)
    anna.password = PASSWORD
    buy(anna, first)
    before = anna.session_id
    anna.post(first, "/login/anna?remember=1")
    assert anna.session_id != before
    shown = wait_until(lambda: seen_by_anna(anna, second), "the login has arrived") if asynchronous else None
    first.kill()
    shown = shown or anna.get(second)
    assert (shown["user"], shown["cart"]) == ("anna", {"tea": 2})
    assert shown["said"] == ["tea is in your cart", "tea is in your cart"]
    assert anna.post(second, "/cart/milk") == {"tea": 2, "milk": 1}
    assert cookie in anna.set_cookies[0]
    assert list(anna.cookies) == ["JSESSIONID"]
    stranger = Browser(app)
    stranger.cookies["JSESSIONID"] = before or ""
    assert stranger.get(second)["user"] is None
    anna.post(second, "/logout")
    shown = anna.get(second)
    assert (shown["user"], shown["cart"]) == (None, {})


@pytest.mark.parametrize("options", [8, 6])
def test_flask_goes_on_where_the_other_node_died(
    make_pair: Callable[..., tuple[Node, Node]], tmp_path: Path, options: int
) -> None:
    file = wheel("flask", tmp_path)
    first, second = make_pair(send_options=options, before_start=lambda node: shutil.copy(file, node.base / "webapps"))
    goes_on("/flask-cart", first, second, "; Max-Age=2678400; Expires=", asynchronous=options == 8)


def test_django_goes_on_where_the_other_node_died(
    make_pair: Callable[..., tuple[Node, Node]], tmp_path: Path, users: Path
) -> None:
    file = wheel("django", tmp_path)
    first, second = make_pair(send_options=6, before_start=lambda node: shutil.copy(file, node.base / "webapps"))
    goes_on("/django-cart", first, second, "; Max-Age=1209600; Expires=")
