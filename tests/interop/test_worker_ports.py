"""Balancers that choose the worker of a node with three: the session stays where it is, and survives its worker.

httpd with mod_jk and mod_proxy_ajp, HAProxy, and nginx; the workers have ports and routes of their own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, started
from tests.cluster.test_workers import APPLICATION, WEB_XML
from tests.interop.front_servers import haproxy, nginx
from tests.interop.httpd import Browser, Httpd, add_ajp, jk_workers, proxy_balancer
from tests.support.needs import need_command
from tests.support.ports import free_ports, free_udp_port
from tests.support.waiting import let_pass, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

WORKERS = 3
Ports = dict[str, int]


def mod_jk(directory: Path, http: Ports, ajp: Ports) -> Any:
    domains = "\n".join(f"worker.{route}.domain=n1" for route in ajp)
    return Httpd(directory, workers=jk_workers(ajp, domains))


def mod_proxy_ajp(directory: Path, http: Ports, ajp: Ports) -> Any:
    return Httpd(directory, balancer=proxy_balancer(ajp))


def by_haproxy(directory: Path, http: Ports, ajp: Ports) -> Any:
    return haproxy(directory, http)


def by_nginx(directory: Path, http: Ports, ajp: Ports) -> Any:
    return nginx(directory, http)


def _routes(first: int) -> Ports:
    return {f"n1-{worker}": first + worker for worker in range(WORKERS)}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Ports, Ports]]:
    """The node, and the HTTP and AJP ports of its routes."""
    for command in ("apache2", "haproxy", "nginx"):
        need_command(command, command)
    base = tmp_path_factory.mktemp("ports")
    classes = base / "counting" / "WEB-INF" / "classes"
    classes.mkdir(parents=True)
    (classes.parent / "web.xml").write_text(WEB_XML)
    (classes / "counting.py").write_text(APPLICATION)
    http, ajp = free_ports(WORKERS), free_ports(WORKERS)
    cluster = full(free_udp_port())
    made = Node("n1", base / "n1", cluster, http_port=http, webapp=base / "counting", workers=WORKERS)
    add_ajp(made, ajp)
    server_xml = made.base / "conf" / "server.xml"
    server_xml.write_text(server_xml.read_text().replace("<Connector ", '<Connector workerPorts="true" '))
    with started([made]):
        yield made, _routes(http), _routes(ajp)


def count(browser: Browser) -> tuple[int, int]:
    """The session's count, and the process that has answered."""
    answer = browser.get("/app/count")
    assert answer.status == 200, answer
    number, pid = answer.body.split()
    return int(number), int(pid)


def serves(node: Node, port: int) -> bool:
    try:
        return node.get("/facts", port=port).status == 200
    except OSError:
        return False


@pytest.mark.parametrize("front", [mod_jk, mod_proxy_ajp, by_haproxy, by_nginx])
def test_a_browser_stays_with_its_worker_and_its_session_survives_it(
    node: tuple[Node, Ports, Ports], tmp_path: Path, front: Callable[[Path, Ports, Ports], Any]
) -> None:
    nodes, http, ajp = node
    with front(tmp_path / "front", http, ajp) as balancer:
        browsers = [balancer.browser() for _ in range(6)]
        homes = [count(browser)[1] for browser in browsers]
        assert {browser.route for browser in browsers} == set(http)
        ids = [browser.session_id for browser in browsers]
        assert [count(browser) for browser in browsers] == [(2, home) for home in homes]
        os.kill(homes[0], signal.SIGKILL)
        wait_until(lambda: homes[0] not in nodes.processes(), "its end, which closes its connections")
        assert [count(browser)[0] for browser in browsers] == [3] * len(browsers)
        wait_until(lambda: all(serves(nodes, port) for port in http.values()), "the successor")
        let_pass(1.2, "the web servers' recover time")
        assert [count(browser)[0] for browser in browsers] == [4] * len(browsers)
        stayed = [number for number, home in enumerate(homes) if home != homes[0]]
        assert [browsers[number].session_id for number in stayed] == [ids[number] for number in stayed]
