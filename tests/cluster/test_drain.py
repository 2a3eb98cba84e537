"""Taking a node out of a cluster with ``catalina drain``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.clusters import full
from tests.cluster.node import PROJECT, Node, started
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

BACKUP = '<Context><Manager className="org.apache.catalina.ha.session.BackupManager"/></Context>'
COMMAND = "import sys; from catalina.__main__ import main; sys.exit(main())"
HEALTH = '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>'


@pytest.fixture(params=[None, BACKUP], ids=["delta", "backup"])
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Node]]:
    port = free_udp_port()
    made = [Node(name, tmp_path / name, full(port) + HEALTH, context_xml=request.param) for name in ("n1", "n2")]
    with started(made):
        yield made


def catalina(node: Node, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator types it."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        env=dict(os.environ, CATALINA_BASE=str(node.base), PYTHONPATH=str(PROJECT)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def row_of(output: str, beginning: str) -> list[str]:
    (line,) = [line for line in output.splitlines() if line.startswith(beginning)]
    return line.split(maxsplit=3)


def test_a_drained_node_may_be_stopped_and_no_session_is_lost(nodes: list[Node]) -> None:
    one, two = nodes
    wait_until(lambda: "MEMBER" in catalina(one, "status").stdout, "the nodes see each other")
    sessions = [one.get("/count").session_id for _ in range(5)]
    drained = catalina(one, "drain", "--wait")
    assert drained.returncode == 0, drained
    assert "no request runs, and other nodes know all that they are to know" in drained.stdout
    assert row_of(drained.stdout, "localhost/app")[1:3] == ["5", "5"]
    assert one.get("/health", app="").status == 503
    assert two.get("/health", app="").status == 200
    one.stop()
    assert [two.get("/count", session_id).values["count"] for session_id in sessions] == [2] * 5
    alone = catalina(two, "drain", "--wait", "5")
    assert alone.returncode == 1
    assert alone.stdout.endswith("5 sessions are nowhere else: a stop ends them\n")
    assert catalina(two, "undrain").returncode == 0
    assert two.get("/health", app="").status == 200
