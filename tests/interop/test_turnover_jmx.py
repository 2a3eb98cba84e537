"""The HOW-TO's trick, step by step: sessions are turned over to another node by switching a valve over JMX.

"Set enable true on all JvmRouteBinderValve backups, disable worker at mod_jk and then drop node and restart it! Then
enable mod_jk Worker and disable JvmRouteBinderValves again. This use case means that only requested session are
migrated."
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.jmx.remote_settings import PREFIX
from tests.cluster.clusters import full
from tests.cluster.node import Node
from tests.interop.httpd import Browser, Httpd, add_ajp, jk_workers
from tests.interop.jmx_driver import run_driver
from tests.support.needs import need_command
from tests.support.ports import free_port, free_udp_port

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

VALVE = "Catalina:type=Valve,host=localhost,name=JvmRouteBinderValve"
STATUS = "worker.list=status\nworker.status.type=status"


class JmxNode:
    """A node of the cluster with AJP and JMX, its valve switched off."""

    def __init__(self, name: str, base: Path, multicast_port: int, patch: pytest.MonkeyPatch) -> None:
        cluster = full(multicast_port, send_options=6).replace(
            'session.JvmRouteBinderValve"/>', 'session.JvmRouteBinderValve" enabled="false"/>'
        )
        assert 'enabled="false"' in cluster
        self.node = Node(name, base, cluster=cluster)
        self.ajp_port = add_ajp(self.node)
        self.jmx_port = free_port()
        self._patch = patch

    def start(self) -> None:
        options = f"-D{PREFIX} -D{PREFIX}.port={self.jmx_port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false"
        self._patch.setenv("JAVA_OPTS", options)
        self.node.start()

    def enable_valve(self, truth: str) -> None:
        """By the JDK's own client."""
        found = run_driver(self.jmx_port, options=(f"-Dbean={VALVE}", "-Dattribute=enabled", f"-Dtruth={truth}"))
        assert (found["set"], found["get"]) == ("ok", truth)

    def moved_sessions(self) -> str:
        return run_driver(self.jmx_port, options=(f"-Dbean={VALVE}", "-Dattribute=numberOfSessions"))["get"]


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[JmxNode, JmxNode]]:
    need_command("apache2", "apache2")
    port = free_udp_port()
    first = JmxNode("n1", tmp_path / "n1", port, monkeypatch)
    second = JmxNode("n2", tmp_path / "n2", port, monkeypatch)
    try:
        first.start()
        second.start()
        yield first, second
    finally:
        first.node.close()
        second.node.close()


def count(browser: Browser) -> int:
    answer = browser.get("/app/count")
    assert answer.status == 200, answer
    return int(json.loads(answer.body)["values"]["count"])


def set_worker(httpd: Httpd, activation: str) -> None:
    """Change the balancer's member n1 in mod_jk's own status page: ``a`` active, ``d`` disabled, ``s`` stopped."""
    connection = http.client.HTTPConnection("127.0.0.1", httpd.port, timeout=15)
    try:
        connection.request("GET", f"/jkstatus?cmd=update&from=list&w=lb&sw=n1&vwa={activation}&mime=txt")
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, text
    assert "type=OK" in text or "OK" in text, text


def test_only_requested_sessions_move_and_none_is_lost(nodes: tuple[JmxNode, JmxNode], tmp_path: Path) -> None:
    first, second = nodes
    workers = jk_workers({"n1": first.ajp_port, "n2": second.ajp_port}, STATUS)
    with Httpd(tmp_path / "httpd", workers=workers, balancer="JkMount /jkstatus status\n") as httpd:
        browsers = [httpd.browser() for _ in range(6)]
        assert [count(browser) for browser in browsers for _ in range(2)] == [1, 2] * 6
        at_first = [browser for browser in browsers if browser.route == "n1"]
        elsewhere = [browser for browser in browsers if browser.route == "n2"]
        requested, quiet = at_first[:1], at_first[1:]
        assert requested
        assert quiet
        second.enable_valve("true")
        set_worker(httpd, "d")
        first.node.stop()
        for browser in requested:
            assert count(browser) == 3
            assert browser.route == "n2"
        first.start()
        set_worker(httpd, "a")
        second.enable_valve("false")
        for browser in quiet:
            assert count(browser) == 3
            assert browser.route == "n1"
        for browser in requested:
            assert count(browser) == 4
            assert browser.route == "n2"
        for browser in elsewhere:
            assert count(browser) == 3
            assert browser.route == "n2"
        assert second.moved_sessions() == str(len(requested))
