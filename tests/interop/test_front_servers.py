"""HAProxy and nginx over HTTP: sticky sessions by jvmRoute, and no session lost when nodes die and return."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, started
from tests.interop.front_servers import FrontServer, haproxy, nginx
from tests.interop.httpd import Browser
from tests.support.needs import need_command
from tests.support.ports import free_udp_port
from tests.support.waiting import let_pass

pytestmark = [pytest.mark.interop, pytest.mark.cluster]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Two started nodes of one group, replicating synchronously."""
    for name in ("haproxy", "nginx"):
        need_command(name, name)
    port = free_udp_port()
    made = [Node(name, tmp_path / name, cluster=full(port, send_options=6)) for name in ("n1", "n2")]
    with started(made):
        yield made


def count(browser: Browser) -> int:
    answer = browser.get("/app/count")
    assert answer.status == 200, answer
    return int(json.loads(answer.body)["values"]["count"])


@pytest.mark.parametrize("make", [haproxy, nginx])
def test_a_browser_keeps_its_session_while_nodes_are_killed_and_return(
    nodes: list[Node], tmp_path: Path, make: Callable[[Path, dict[str, int]], FrontServer]
) -> None:
    by_name = {node.name: node for node in nodes}
    with make(tmp_path / "front", {node.name: node.http_port for node in nodes}) as front:
        browsers = [front.browser() for _ in range(4)]
        counts = [0] * len(browsers)

        def click(times: int = 3) -> None:
            for _ in range(times):
                for number, browser in enumerate(browsers):
                    counts[number] += 1
                    assert count(browser) == counts[number]

        click()
        homes = [browser.session_id for browser in browsers]
        click()
        assert [browser.session_id for browser in browsers] == homes  # sticky
        for victim, survivor in (("n1", "n2"), ("n2", "n1")):
            by_name[victim].kill()
            let_pass(0.7, "HAProxy looks every 0.3 s; nginx tries a request in that gap on the other node")
            click()
            routes = {(browser.session_id or "").rpartition(".")[2] for browser in browsers}
            assert routes == {survivor}
            by_name[victim].start()
            let_pass(1.2, "nginx's fail_timeout")
            click()
