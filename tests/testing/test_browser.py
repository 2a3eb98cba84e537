"""The client of catalina.testing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from catalina.development.node_process import NodeProcess
from catalina.development.trial_base import TrialBase
from catalina.testing.browser import Browser
from tests.support.stand_in import stand_in


@Request.application
def application(request: Request) -> Response:
    if request.path == "/shop/form":
        answer = redirect("/shop/done?x=1", 303)
        answer.set_cookie("name", request.form["name"])
        return answer
    if request.path == "/shop/forget":
        answer = Response("gone")
        answer.delete_cookie("name")
        return answer
    if request.path == "/shop/round":
        return redirect("/shop/round")
    return Response(f'["{request.method}", "{request.full_path}", "{request.cookies.get("name")}"]')


@pytest.fixture
def nodes() -> Iterator[list[Any]]:
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    base = stand_in(TrialBase, address="127.0.0.1", port=server.server_port)
    yield [stand_in(NodeProcess, name=name, runs=True, base=base) for name in ("node1", "node2")]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_form_is_sent_its_redirect_followed_and_its_cookie_kept(nodes: list[Any]) -> None:
    browser = Browser(nodes, "/shop")
    answer = browser.post("/form", {"name": "anna"})
    assert (answer.status, answer.json, answer.node) == (200, ["GET", "/shop/done?x=1", "anna"], "node1")
    assert browser.cookies == {"name": "anna"}
    browser.get("/forget")
    assert browser.cookies == {}


def test_it_stays_where_it_is_until_that_node_is_dead(nodes: list[Any]) -> None:
    browser = Browser(nodes, "")
    assert [browser.get().node, browser.get(on="node2").node, browser.get().node] == ["node1", "node2", "node2"]
    nodes[1].runs = False
    assert browser.get().node == "node1"
    with pytest.raises(AssertionError, match="node2 does not run"):
        browser.get(on="node2")
    nodes[0].runs = False
    with pytest.raises(AssertionError, match="no node runs"):
        browser.get()


def test_redirects_without_end_are_an_error(nodes: list[Any]) -> None:
    with pytest.raises(AssertionError, match="more than 10 redirects, the last one to /shop/round"):
        Browser(nodes, "/shop").get("/round")
