"""One node as a process."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.development.node_process import NodeProcess
from catalina.development.project import find_project
from catalina.development.trial_base import TrialBase, free_port
from catalina.errors import CatalinaError
from tests.cluster.node import PROJECT
from tests.startup.instance import children, is_alive
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "wsgi.py").write_text("def application(environ, start_response): ...\n")
    base = TrialBase(tmp_path / "base", find_project(".", shop), port=free_port())
    base.write()
    with (tmp_path / "out").open("wb") as out:
        node = NodeProcess(base, output=out)
        yield node
        node.kill()


def test_it_serves_answers_commands_and_stops_in_order(node: NodeProcess) -> None:
    node.start()
    assert node.wait_ready() == []
    assert node.ask("list")[1].split()[:2] == ["/", "running"]
    assert node.sessions() == {}
    assert node.reload() == ["reloaded [/]"]
    with pytest.raises(CatalinaError, match="no command 'dance'"):
        node.ask("dance")
    assert node.stop() == 143
    with pytest.raises(CatalinaError, match="node1 does not answer"):
        node.ask("list")


def test_one_that_ends_before_it_serves_is_said(node: NodeProcess) -> None:
    (node.base.directory / "conf" / "server.xml").write_text("<Server")
    node.start()
    with pytest.raises(CatalinaError, match="node1 ended with code 1 before it served"):
        node.wait_ready()


def test_it_dies_with_the_process_that_has_started_it(node: NodeProcess, tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from catalina.development.node_process import NodeProcess
from catalina.development.project import Project
from catalina.development.trial_base import TrialBase
root = Path({str(tmp_path)!r})
node = NodeProcess(TrialBase(root / "base", Project(root / "shop", "", False, root), port={node.base.port}))
node.start()
node.wait_ready()
print("ready", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=PROJECT) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"ready\n"
        (arbiter,) = children(supervisor.pid)
        both = [arbiter, *children(arbiter)]
        assert len(both) == 2
        supervisor.kill()
    for process in both:
        wait_until(functools.partial(_has_ended, process), f"{process} has ended", 30)


def _has_ended(process: int) -> bool:
    return not is_alive(process)
