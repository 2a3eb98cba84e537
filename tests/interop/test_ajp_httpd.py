"""AJP with the real Apache httpd in front: what arrives, and that a browser keeps its session while nodes die."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.interop.httpd import Browser, Httpd, add_ajp, jk_workers, proxy_balancer
from tests.support.needs import need_command
from tests.support.ports import free_udp_port
from tests.support.waiting import let_pass

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

ECHO = """
import hashlib, json

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/large":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"x" * 3_000_000]
    if path == "/stream":
        def blocks():
            for number in range(5):
                yield b"%d\\n" % number
        start_response("200 OK", [("Content-Type", "text/plain")])
        return blocks()
    body = environ["wsgi.input"].read()
    names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "SERVER_NAME", "REMOTE_ADDR",
             "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_OWN", "wsgi.url_scheme")
    shown = {name: environ[name] for name in names if name in environ}
    shown["size"], shown["digest"] = len(body), hashlib.sha256(body).hexdigest()
    data = json.dumps(shown).encode()
    start_response("201 Created", [("Content-Type", "application/json"), ("X-Answer", "yes"), ("Set-Cookie", "a=b")])
    return [data]
"""


def node_with_echo(directory: Path) -> Node:
    node = Node("n1", directory)
    echo = node.base / "webapps" / "echo"
    echo.mkdir()
    (echo / "app.py").write_text(ECHO)
    return node


@pytest.fixture(params=["mod_jk", "mod_proxy_ajp"], scope="module")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser in front of httpd in front of one node with the echo application."""
    need_command("apache2", "apache2")
    directory = tmp_path_factory.mktemp("ajp")
    node = node_with_echo(directory / "n1")
    ports = {"n1": add_ajp(node)}
    try:
        node.start()
        jk = request.param == "mod_jk"
        with Httpd(
            directory / "httpd", workers=jk_workers(ports) if jk else "", balancer="" if jk else proxy_balancer(ports)
        ) as httpd:
            yield httpd.browser()
    finally:
        node.close()


def test_method_path_query_and_fields_arrive(front):
    answer = front.send("PUT", "/echo/a%20b/c;v=1?x=%20y", b"body", {"X-Own": "1", "Content-Type": "text/plain"})
    shown = json.loads(answer.body)
    assert answer.status == 201
    assert answer.headers["x-answer"] == "yes"
    assert answer.headers["set-cookie"] == "a=b"
    assert shown["REQUEST_METHOD"] == "PUT"
    assert (shown["SCRIPT_NAME"], shown["PATH_INFO"]) == ("/echo", "/a b/c")
    assert shown["QUERY_STRING"] == "x=%20y"
    assert (shown["HTTP_X_OWN"], shown["CONTENT_TYPE"]) == ("1", "text/plain")
    assert (shown["SERVER_NAME"], shown["REMOTE_ADDR"], shown["wsgi.url_scheme"]) == ("127.0.0.1", "127.0.0.1", "http")


@pytest.mark.parametrize("size", [0, 1, 8185, 8186, 8187, 100_000, 2_000_000])
def test_bodies_of_any_size_arrive_by_length_and_in_chunks(front, size):
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    data = data[:size]
    for body in (data, [data[i : i + 70_000] for i in range(0, size, 70_000)]):
        shown = json.loads(front.send("POST", "/echo/p", body).body)
        assert (shown["size"], shown["digest"]) == (size, hashlib.sha256(data).hexdigest())


def test_large_answers_streams_and_head(front):
    assert front.get("/echo/large").body == b"x" * 3_000_000
    assert front.get("/echo/stream").body == b"0\n1\n2\n3\n4\n"
    answer = front.send("HEAD", "/echo/large")
    assert (answer.status, answer.body) == (200, b"")
    assert front.get("/echo/after").status == 201


def test_errors_come_through(front):
    assert front.get("/nowhere").status == 404
    assert front.get("/echo/%2F").status == 400


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """``make_node(name, **values)``: a node that is not started yet, and is ended behind the test."""
    nodes: list[Node] = []

    def make(name: str, **values: object) -> Node:
        nodes.append(Node(name, tmp_path / name, **values))  # type: ignore[arg-type]
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def cluster(make_node: Callable[..., Node]) -> tuple[list[Node], dict[str, int]]:
    """Two started nodes of one group, replicating synchronously, with AJP connectors."""
    need_command("apache2", "apache2")
    port = free_udp_port()
    nodes = [make_node(name, cluster=full(port, send_options=6)) for name in ("n1", "n2")]
    ports = {node.name: add_ajp(node) for node in nodes}
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    return nodes, ports


def count(browser: Browser) -> int:
    answer = browser.get("/app/count")
    assert answer.status == 200, answer
    return int(json.loads(answer.body)["values"]["count"])


@pytest.mark.parametrize("module", ["mod_jk", "mod_proxy_ajp"])
def test_a_browser_keeps_its_session_while_nodes_are_killed_and_return(cluster, tmp_path, module):
    nodes, ports = cluster
    by_name = {node.name: node for node in nodes}
    jk = module == "mod_jk"
    front = Httpd(
        tmp_path / "httpd", workers=jk_workers(ports) if jk else "", balancer="" if jk else proxy_balancer(ports)
    )
    with front as httpd:
        browsers = [httpd.browser() for _ in range(4)]
        counts = [0] * len(browsers)

        def click(times: int = 3) -> None:
            for _ in range(times):
                for number, browser in enumerate(browsers):
                    counts[number] += 1
                    assert count(browser) == counts[number], httpd.log[-3000:]

        click()
        assert {browser.route for browser in browsers} == {"n1", "n2"}
        homes = [browser.session_id for browser in browsers]
        click()
        assert [browser.session_id for browser in browsers] == homes  # sticky

        for victim, survivor in (("n1", "n2"), ("n2", "n1")):
            by_name[victim].kill()
            click()
            assert {browser.route for browser in browsers} == {survivor}  # JvmRouteBinderValve gave new ids
            by_name[victim].start()
            let_pass(1.2, "the web server's recover time")
            click()


def test_a_stopped_worker_gets_nothing_and_a_disabled_one_keeps_its_sessions(cluster, tmp_path):
    nodes, ports = cluster
    by_name = {node.name: node for node in nodes}
    with Httpd(tmp_path / "all", workers=jk_workers(ports)) as httpd:
        browser = httpd.browser()
        count(browser)
        home = browser.route
        assert home is not None
    with Httpd(tmp_path / "disabled", workers=jk_workers(ports, f"worker.{home}.activation=disabled")) as httpd:
        known = httpd.browser()
        known.session_id = browser.session_id
        assert count(known) == 2
        assert known.route == home
        fresh = [httpd.browser() for _ in range(4)]
        for each in fresh:
            count(each)
        assert home not in {each.route for each in fresh}
    with Httpd(tmp_path / "stopped", workers=jk_workers(ports, f"worker.{home}.activation=stopped")) as httpd:
        moved = httpd.browser()
        moved.session_id = known.session_id
        assert count(moved) == 3
        assert moved.route != home
    assert set(by_name) == {"n1", "n2"}


def test_a_hot_standby_takes_over_with_the_sessions(cluster, tmp_path):
    nodes, ports = cluster
    with Httpd(tmp_path / "httpd", balancer=proxy_balancer(ports, standby="n2")) as httpd:
        browsers = [httpd.browser() for _ in range(3)]
        for browser in browsers:
            assert count(browser) == 1
            assert browser.route == "n1"
        nodes[0].kill()
        for browser in browsers:
            assert count(browser) == 2
            assert browser.route == "n2"
