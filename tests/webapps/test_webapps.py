"""The applications that come with the server, served by it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.node import Answer, Node

PROJECT = Path(__file__).parents[2]


class Browser:
    """Keeps its session cookie."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cookie = ""

    def ask(self, path: str, method: str = "GET", form: str = "", accept: str = "text/html") -> Answer:
        headers = {"Accept": accept, "Content-Length": str(len(form))}
        if self.cookie:
            headers["Cookie"] = self.cookie
        answer = self.node.ask(path, method, headers, form.encode())
        made = answer.get("Set-Cookie")
        if made is not None:
            self.cookie = made.partition(";")[0]
        return answer


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    node = Node(tmp_path)
    shutil.copy(PROJECT / "conf" / "web.xml", tmp_path / "conf" / "web.xml")
    for name in ("ROOT", "examples"):
        shutil.copytree(
            PROJECT / "webapps" / name, tmp_path / "webapps" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
        node.add(name, {})
    with node:
        yield Browser(node)


@pytest.mark.parametrize(
    "path", ["/", "/examples/", "/examples/counter", "/examples/cart/", "/examples/session/", "/examples/request/x?a=1"]
)
def test_every_page_is_there_and_every_link_on_it_leads_somewhere(browser: Browser, path: str) -> None:
    answer = browser.ask(path)
    assert answer.status == 200
    base = path.partition("?")[0].rpartition("/")[0]
    for link in re.findall(r'(?:href|src)="([^"#?]+)', answer.body.decode()):
        target = link if link.startswith("/") else f"{base}/{link}"
        assert browser.ask(target).status == 200, target


def test_the_examples_are_distributable_and_their_cookie_is_careful(browser: Browser) -> None:
    context = browser.node.host.find_child("/examples")
    assert context.distributable  # type: ignore[union-attr]  # a context has it
    cookie = browser.ask("/examples/counter", accept="*/*").get("Set-Cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/examples" in cookie


def test_the_counter_counts_for_a_browser_and_for_a_script(browser: Browser) -> None:
    assert browser.ask("/examples/counter", accept="*/*").body.startswith(b"count=1 ")
    assert browser.ask("/examples/counter", "POST").get("Location") == "/examples/counter"
    assert b'<p class="big">2</p>' in browser.ask("/examples/counter").body


def test_the_cart_is_changed_in_place(browser: Browser) -> None:
    for product in ("tea", "tea", "lamp"):
        assert browser.ask("/examples/cart/add", "POST", f"product={product}").status == 303
    page = browser.ask("/examples/cart/").body.decode()
    assert "15.80" in page
    assert "54.80" in page
    browser.ask("/examples/cart/remove", "POST", "product=tea")
    assert "54.80" not in browser.ask("/examples/cart/").body.decode()
    browser.ask("/examples/cart/clear", "POST")
    assert "It is empty." in browser.ask("/examples/cart/").body.decode()
    assert browser.ask("/examples/cart/add", "POST", "product=<x>").status == 400


def test_the_session_page_shows_and_changes_the_session(browser: Browser) -> None:
    assert browser.ask("/examples/session/").get("Set-Cookie") is None  # reading makes none
    browser.ask("/examples/session/set", "POST", "name=<n>&value=7&kind=whole+number")
    page = browser.ask("/examples/session/").body.decode()
    assert "&lt;n&gt;" in page
    assert "<code>7</code></td><td>int" in page
    before = browser.cookie
    browser.ask("/examples/session/change-id", "POST")
    assert browser.cookie != before
    assert browser.ask("/examples/session/set", "POST", "name=n&value=x&kind=number").status == 400
    browser.ask("/examples/session/remove", "POST", "name=%3Cn%3E")
    assert "Nothing is in it." in browser.ask("/examples/session/").body.decode()
    browser.ask("/examples/session/invalidate", "POST")
    assert "none yet" in browser.ask("/examples/session/").body.decode()


def test_errors_have_the_applications_own_page_and_the_filters_headers(browser: Browser) -> None:
    answer = browser.ask("/examples/nope")
    assert answer.status == 404
    assert b"No such example" in answer.body
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert browser.ask("/nope").status == 404


def test_the_request_page_escapes_what_the_client_sent(browser: Browser) -> None:
    body = browser.ask("/examples/request/<b>?<script>").body
    assert b"<script>" not in body
    assert json.dumps("<b>").encode() not in body
