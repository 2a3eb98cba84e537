"""``catalina doctor`` in a real group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import Node, free_udp_port, started, wait_until
from tests.cluster.test_drain import catalina

pytestmark = pytest.mark.cluster


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes that differ in their send options."""
    port = free_udp_port()
    made = [Node(f"n{options}", tmp_path / f"n{options}", full(port, send_options=options)) for options in (8, 6)]
    with started(made):
        yield made


def test_the_group_is_examined_from_one_node(nodes: list[Node]) -> None:
    one, two = nodes
    wait_until(lambda: "MEMBER" in catalina(one, "status").stdout, "the nodes see each other")
    done = catalina(one, "doctor", "--json")
    report = json.loads(done.stdout)
    found = {(each["check"], each["verdict"]): each["text"] for each in report["findings"]}
    assert (done.returncode, report["verdict"]) == (1, "warning")
    assert found["multicast", "ok"].endswith("comes back")
    assert "takes connections" in found["members", "ok"]
    assert "fits into a packet" in found["fragments", "ok"]
    assert found["settings", "warning"].startswith("channelSendOptions: 8 here, 6 on tcp://127.0.0.1:")
    assert "only nodes on this machine reach it" in found["addresses", "warning"]
    assert ("clock", "ok") in found
    assert not any(verdict == "error" for _, verdict in found)
    two.kill()
    wait_until(lambda: "MEMBER" not in catalina(one, "status").stdout, "the other node is found dead")
    alone = catalina(one, "doctor")
    assert alone.returncode == 1
    assert "WARNING  multicast: nobody else is heard on 228.0.0.4:" in alone.stdout
