"""The front of a trial group, without processes: nodes are made up, their connectors are werkzeug's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from catalina.development.front import Front
from catalina.development.node_process import NodeProcess
from catalina.development.trial_base import TrialBase, free_port
from tests.support.stand_in import stand_in


@Request.application
def node_application(request: Request) -> Response:
    if request.path == "/new":
        answer = Response("new")
        answer.set_cookie("JSESSIONID", "ABC.node2")
        return answer
    return Response(f"{request.method} {request.full_path} {request.headers.get('X-A')} {len(request.get_data())}")


@dataclass
class Group:
    """A front of two nodes, a client, and the buttons that were pressed."""

    client: Client
    front: Front
    nodes: list[Any]
    pressed: list[Any]


@pytest.fixture
def group() -> Iterator[Group]:
    """Two nodes, of which the first one's port is closed although it claims to run, and what the buttons ask for."""
    server = make_server("127.0.0.1", 0, node_application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    nodes: list[Any] = [
        stand_in(
            NodeProcess, name=name, runs=True, sessions=dict, base=stand_in(TrialBase, address="127.0.0.1", port=port)
        )
        for name, port in (("node1", free_port()), ("node2", server.server_port))
    ]
    pressed: list[Any] = []
    front = Front(nodes, lambda verb, node: pressed.append((verb, node.name)))
    client = Client(front)
    yield Group(client, front, nodes, pressed)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_dead_node_is_passed_over_and_all_of_a_request_arrives(group: Group) -> None:
    for _ in range(3):
        answer = group.client.post("/a%20b?c=d", data=b"x" * 1000, headers={"X-A": "y", "Cookie": "JSESSIONID=Q.node1"})
        assert (answer.status_code, answer.text) == (200, "POST /a b?c=d y 1000")
        assert answer.headers["X-Served-By"] == "node2"


def test_without_a_node_it_says_so(group: Group) -> None:
    for node in group.nodes:
        node.runs = False
    assert group.client.get("/").status_code == 503


def test_the_page_shows_who_served_and_who_holds_the_session(group: Group) -> None:
    group.nodes[1].sessions = lambda: {"ABC.node2": "primary"}
    group.nodes[0].sessions = lambda: {"ABC.node2": "backup"}
    group.client.get("/new")
    (served,) = group.front.served
    assert (served.node, served.path, served.session) == ("node2", "/new", "ABC")
    page = group.client.get("/.catalina/").text
    assert "<td>ABC</td><td>node2</td><td>node1</td>" in page
    assert "<td>GET /new</td><td>200</td><td>node2</td><td>ABC</td><td>node1</td>" in page
    Client(group.front).get("/without")
    assert "<td>GET /without</td><td>200</td><td>node2</td><td></td><td></td>" in group.client.get("/.catalina/").text


def test_a_button_needs_the_token_of_the_page_and_a_local_name(group: Group) -> None:
    token = group.client.get("/.catalina/").text.partition('name="token" value="')[2].partition('"')[0]
    assert group.client.post("/.catalina/kill/node1", data="token=guess").status_code == 403
    assert group.pressed == []
    assert group.client.post("/.catalina/kill/node1", data=f"token={token}").status_code == 303
    assert group.client.post("/.catalina/dance/node1", data=f"token={token}").status_code == 404
    assert group.pressed == [("kill", "node1")]
    assert group.client.get("/.catalina/", base_url="http://evil.example").status_code == 403
