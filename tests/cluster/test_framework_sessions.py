"""The examples of the frameworks' adapters, as wheels, on real nodes that are killed under their users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.browser import Browser
from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, Node
from tests.cluster.test_farm import Farm
from tests.support.frameworks import need_frameworks
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

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


def wheel(name: str, directory: Path, left_out: str = "") -> Path:
    """The wheel of an example, built as its reader would.

    Args:
        left_out: lines with this text are left out, to have the application as it was written for elsewhere.
    """
    source = directory / f"{name}-source"
    shutil.copytree(PROJECT / "examples" / name, source)
    if left_out:
        for file in source.rglob("*.py"):
            lines = file.read_text().splitlines(keepends=True)
            file.write_text("".join(line for line in lines if left_out not in line))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(directory / f"{name}-dist"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next((directory / f"{name}-dist").glob("*.whl"))


def buy(browser: Browser, node: Node) -> None:
    """The first steps of every user: look, put something into the cart, twice."""
    browser.get(node)
    assert browser.post(node, "/cart/tea") == {"tea": 1}
    assert browser.post(node, "/cart/tea") == {"tea": 2}


def answers(app: str, node: Node) -> bool:
    return Browser(app).ask(node)[0] == 200


def seen_by_anna(anna: Browser, node: Node) -> Any:
    """The page that a node shows her, None as long as it does not know that she has logged in. Her cookies stay as they
    are.
    """
    peek = Browser(anna.app)
    peek.cookies = dict(anna.cookies)
    shown = peek.get(node)
    return shown if shown["user"] == "anna" else None


def goes_on(app: str, first: Node, second: Node, cookie: str, asynchronous: bool = False) -> None:
    """A login and a cart on one node, which dies; the other one has all of it."""
    anna, before = log_in(app, first)
    if asynchronous:
        wait_until(lambda: seen_by_anna(anna, second), "the login has arrived")
    first.kill()
    has_all(anna, second, cookie)
    leaves(anna, before, second)


def log_in(app: str, node: Node) -> tuple[Browser, str]:
    """A user with a cart who has logged in, and the id that her session had before."""
    anna = Browser(app)
    anna.password = PASSWORD
    buy(anna, node)
    before = anna.session_id or ""
    anna.post(node, "/login/anna?remember=1")
    assert anna.session_id not in ("", before)
    return anna, before


def has_all(anna: Browser, node: Node, cookie: str) -> None:
    """The page that she sees on another node, where she goes on. It sends the cookie with its own route, for as
    long.
    """
    shown = anna.get(node)
    assert (shown["user"], shown["cart"]) == ("anna", {"tea": 2})
    assert cookie in anna.set_cookies[0]
    assert anna.post(node, "/cart/milk") == {"tea": 2, "milk": 1}
    assert list(anna.cookies) == ["JSESSIONID"]


def leaves(anna: Browser, before: str, node: Node) -> None:
    """The id from before the login leads nowhere, nor does the last one after the logout."""
    last = anna.session_id or ""
    anna.post(node, "/logout")
    for old in (before, last):
        stranger = Browser(anna.app)
        stranger.cookies["JSESSIONID"] = old
        shown = stranger.get(node)
        assert (shown["user"], shown["cart"]) == (None, {})


BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager"/>'


@pytest.mark.parametrize(("options", "manager", "workers"), [(8, "", 1), (6, BACKUP, 2)])
def test_flask_goes_on_where_the_other_node_died(
    make_pair: Callable[..., tuple[Node, Node]], tmp_path: Path, options: int, manager: str, workers: int
) -> None:
    file = wheel("flask", tmp_path, left_out="atalinaSessionInterface" if workers > 1 else "")
    first, second = make_pair(
        send_options=options,
        manager=manager,
        workers=workers,
        before_start=lambda node: shutil.copy(file, node.base / "webapps"),
    )
    goes_on("/flask-cart", first, second, "; Max-Age=2678400; Expires=", asynchronous=options == 8)


@pytest.mark.parametrize(("manager", "workers"), [(BACKUP, 1), ("", 2)])
def test_django_goes_on_where_the_other_node_died_without_a_word_of_ours(
    make_pair: Callable[..., tuple[Node, Node]], tmp_path: Path, users: Path, manager: str, workers: int
) -> None:
    file = wheel("django", tmp_path, left_out="SESSION_ENGINE =")
    first, second = make_pair(
        send_options=6,
        manager=manager,
        workers=workers,
        before_start=lambda node: shutil.copy(file, node.base / "webapps"),
    )
    goes_on("/django-cart", first, second, "; Max-Age=1209600; Expires=")
    said = "Django's sessions are the container's (its settings name no SESSION_ENGINE)"
    assert f'[/django-cart##1.0] frameworkSessions="auto": {said}' in second.log


KEYS = """
from flask import Flask, jsonify, session

app = Flask(__name__)
distributable = True

@app.get("/set/<name>/<int:value>")
def put(name, value):
    session[name] = value
    return jsonify(dict(session))

@app.get("/append/<name>/<int:value>")
def append(name, value):
    session.setdefault(name, []).append(value)
    return jsonify(dict(session))

@app.get("/")
def show():
    return jsonify(dict(session))
"""


def test_two_nodes_that_serve_one_session_at_once_keep_what_both_did_key_by_key(
    make_node: Callable[..., Node], tmp_path: Path
) -> None:
    webapp = tmp_path / "keys"
    webapp.mkdir()
    (webapp / "wsgi.py").write_text(KEYS)
    port = free_udp_port()
    first, second = (make_node(name, cluster=full(port, send_options=6), webapp=webapp) for name in ("n1", "n2"))
    for node in (first, second):
        node.start(wait=False)
    for node in (first, second):
        node.wait_started()
    session_id = first.get("/set/start/0").session_id
    with ThreadPoolExecutor(2) as pool:
        for number in range(1, 21):
            paths = [(first, f"/append/one/{number}"), (second, f"/append/two/{number}")]
            answers = list(pool.map(lambda asked: asked[0].get(asked[1], session_id), paths))
            assert [answer.status for answer in answers] == [200, 200]
    expected = {"start": 0, "one": list(range(1, 21)), "two": list(range(1, 21))}
    wait_until(lambda: all(node.get("/", session_id).json == expected for node in (first, second)), "both have all")


TWO_WEEKS = "; Max-Age=1209600; Expires="
#: Example -> a text whose lines are left out of it, and what a node says of the cookie.
EXAMPLES = {
    "flask": ("atalinaSessionInterface", "; Max-Age=2678400; Expires="),
    "django": ("", TWO_WEEKS),
    "pyramid": ("", TWO_WEEKS),
    "starlette": ("", TWO_WEEKS),
    "beaker": ("", TWO_WEEKS),
}


def test_every_example_is_farmed_to_three_nodes_and_survives_two_of_them(tmp_path: Path, users: Path) -> None:
    farm = Farm(tmp_path, "abc", watchers="a", send_options=6)
    try:
        farm.start("a", "b", "c")
        for name, (left_out, _) in EXAMPLES.items():
            shutil.copy(wheel(name, tmp_path, left_out), farm.listen("a"))
        a, b, c = farm.nodes.values()
        for name in EXAMPLES:
            for node in (a, b, c):
                wait_until(partial(answers, f"/{name}-cart", node), f"{name} on {node.name}", 60)
        annas = {name: log_in(f"/{name}-cart", a) for name in EXAMPLES}
        a.kill()
        for name, (anna, _) in annas.items():
            has_all(anna, b, EXAMPLES[name][1])
        b.kill()
        for anna, before in annas.values():
            assert anna.get(c)["cart"] == {"tea": 2, "milk": 1}
            leaves(anna, before, c)
    finally:
        farm.close()
