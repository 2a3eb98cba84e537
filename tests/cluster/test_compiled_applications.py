"""A reload that has to be a restart of the node, in a cluster: the sessions come back from the other one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalina.startup import control_client
from tests.cluster.clusters import full
from tests.cluster.counting import CountingClients
from tests.cluster.node import HERE, STARTED, Node
from tests.loader.applications import compiled_module
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


def share(application: Path) -> None:
    """Let an application with compiled modules run in the node's own processes."""
    (application / "META-INF").mkdir(exist_ok=True)
    (application / "META-INF" / "context.xml").write_text('<Context isolation="shared"/>')


def webapp(directory: Path) -> Path:
    """The probe application, with a compiled module of its own."""
    shutil.copytree(HERE / "webapp", directory)
    share(directory)
    classes = directory / "WEB-INF" / "classes"
    (classes / "fast").mkdir()
    (classes / "fast" / "__init__.py").touch()
    module = compiled_module()
    shutil.copy(module, classes / "fast")
    with (classes / "cluster_probe.py").open("a") as source:
        source.write(f"\n\nimport fast.{module.name.partition('.')[0]}\n")
    return directory


def test_the_sessions_are_there_again_after_the_restart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = full(free_udp_port(), send_options=6)
    application = webapp(tmp_path / "probe")
    a, b = (Node(name, tmp_path / name, cluster=cluster, webapp=application) for name in ("a", "b"))
    try:
        a.start()
        b.start()
        session_id = a.get("/count").session_id
        assert b.get("/show", session_id).values == {"count": 1}
        worker = a.processes()[-1]
        assert control_client.main("reload", ["/app"], a.base) == 0
        assert "modules that one process can load only once" in capsys.readouterr().out
        wait_until(lambda: a.log.count(STARTED) == 2, "the node is started again", 40)
        assert a.get("/count", session_id).values == {"count": 2}
        assert b.get("/show", session_id).values == {"count": 2}
        assert a.processes()[-1] != worker
    finally:
        for node in (a, b):
            node.close()


COUNTING = """
import fast.{module}

def application(environ, start_response):
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{{session['count']}} x".encode()]
"""


def test_workers_are_replaced_one_by_one_while_the_other_serves(tmp_path: Path) -> None:
    application = tmp_path / "counting"
    (application / "fast").mkdir(parents=True)
    (application / "fast" / "__init__.py").touch()
    module = compiled_module()
    shutil.copy(module, application / "fast")
    share(application)
    (application / "wsgi.py").write_text(COUNTING.format(module=module.name.partition(".")[0]))
    node = Node("a", tmp_path / "a", webapp=application, workers=2)
    try:
        node.start()
        before = node.named_processes("catalina-w")
        clients = CountingClients([node.http_port], "/app/")
        outcomes: list[int] = []
        clients.run_while(lambda: outcomes.append(control_client.main("reload", ["/app"], node.base)))
        assert outcomes == [0]
        assert clients.faults == []
        assert not set(before) & set(node.named_processes("catalina-w"))
    finally:
        node.close()
