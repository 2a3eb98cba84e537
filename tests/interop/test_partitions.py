"""The HOW-TO's picture of a large site: DNS round robin over web servers, and behind them clusters that share nothing.

One httpd with mod_jk stands for both web servers: its balancer knows all nodes, and each node's ``domain``. The nodes
share one multicast group, and DomainFilterInterceptor makes two clusters of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.interop.httpd import Browser, Httpd, add_ajp, jk_workers
from tests.support.needs import need_command
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

#: node (its jvmRoute) -> domain. Routes are the workers' names, and the domain decides where a dead node's sessions go.
DOMAINS = {"n1": "east", "n2": "east", "n3": "west", "n4": "west"}
FILTER = '<Interceptor className="org.apache.catalina.tribes.group.interceptors.DomainFilterInterceptor" domain="{}"/>'


class Site:
    """Four nodes in two domains, and the web server in front of them."""

    def __init__(self, directory: Path) -> None:
        need_command("apache2", "apache2")
        port = free_udp_port()
        self.nodes: dict[str, Node] = {}
        for name, domain in DOMAINS.items():
            cluster = full(port, send_options=6, interceptors=FILTER.format(domain))
            cluster = cluster.replace('dropTime="3000"', f'dropTime="3000" domain="{domain}"')
            self.nodes[name] = Node(name, directory / name, cluster=cluster)
        ports = {name: add_ajp(node) for name, node in self.nodes.items()}
        domains = "\n".join(f"worker.{name}.domain={domain}" for name, domain in DOMAINS.items())
        self._workers = jk_workers(ports, domains)
        self._directory = directory

    def start(self) -> Httpd:
        for node in self.nodes.values():
            node.start(wait=False)
        for node in self.nodes.values():
            node.wait_started()
            wait_until(partial(node.has_logged, "Replication member added"), f"{node.name} sees its partner")
        return Httpd(self._directory / "httpd", workers=self._workers)

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Httpd]]:
    made = Site(tmp_path_factory.mktemp("partitions"))
    try:
        with made.start() as httpd:
            yield made, httpd
    finally:
        made.close()


def count(browser: Browser) -> int:
    answer = browser.get("/app/count")
    assert answer.status == 200, answer
    return int(json.loads(answer.body)["values"]["count"])


def browsers_of_every_node(httpd: Httpd) -> dict[str, Browser]:
    """A browser whose session lives at each of the nodes, by its route."""
    found: dict[str, Browser] = {}
    for _ in range(40):
        browser = httpd.browser()
        assert count(browser) == 1
        found.setdefault(browser.route or "", browser)
    assert set(found) == set(DOMAINS)
    return found


def test_a_session_is_known_in_its_own_domain_only(site: tuple[Site, Httpd]) -> None:
    nodes, httpd = site[0].nodes, site[1]
    for home, browser in browsers_of_every_node(httpd).items():
        known = {name for name in nodes if nodes[name].get("/show", browser.session_id).json["id"] is not None}
        assert known == {name for name, domain in DOMAINS.items() if domain == DOMAINS[home]}


def test_a_node_says_which_members_it_keeps_out(site: tuple[Site, Httpd]) -> None:
    for node in site[0].nodes.values():
        assert node.log.count("Replication member added") == 1
        wait_until(partial(node.has_logged, "was refused to join cluster", 2), "it sees the other domain")


def test_the_sessions_of_a_killed_node_go_on_in_its_domain(site: tuple[Site, Httpd]) -> None:
    nodes, httpd = site[0].nodes, site[1]
    found = browsers_of_every_node(httpd)
    more = [httpd.browser() for _ in range(40)]
    assert [count(browser) for browser in more] == [1] * len(more)
    # A balancer that did not know of domains would spread these over three nodes, of which two do not have them.
    at_n1 = [found["n1"], *(browser for browser in more if browser.route == "n1")]
    assert len(at_n1) >= 4
    nodes["n1"].kill()
    for browser in at_n1:
        assert count(browser) == 2
        assert browser.route == "n2"
    for name in ("n3", "n4"):
        assert count(found[name]) == 2
        assert found[name].route == name
    nodes["n1"].start()
