"""Applications in processes of their own, as real processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import test_workers
from tests.cluster.node import Node
from tests.cluster.test_workers import WEB_XML
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

CONTEXT = """<Context isolation="process" requestTimeout="1500" failCtxIfServletStartFails="true"
    healthPath="/health" healthTimeout="30000"/>"""
LOADED_AT_START = WEB_XML.replace("</servlet-class>", "</servlet-class><load-on-startup>1</load-on-startup>")
APPLICATION = """
import os
VERSION = "one"

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/health" and VERSION == "unhealthy":
        raise RuntimeError("no database")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/loop":
        while True:
            pass
    if path == "/hog":
        return [str(pow(3, 60_000_000) % 7).encode()]  # one call of C code that holds the interpreter for a minute
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    return [f"{session['count']} {os.getpid()} {VERSION}".encode()]
"""


def write_application(directory: Path, context: str = CONTEXT) -> None:
    test_workers.write_application(directory, context, web_xml=LOADED_AT_START, source=APPLICATION)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One worker and a keeper; ``/app`` has a process of its own, ``/all`` has none."""
    directory = tmp_path_factory.mktemp("pools")
    write_application(directory / "one")
    node = Node("n1", directory / "n1", webapp=directory / "one", workers=1)
    write_application(node.base / "webapps" / "all", "<Context/>")
    node.options = "-Dcatalina.keeper=true"
    try:
        node.start(wait=False)
        wait_until(lambda: has_answer(node), "it serves", seconds=40)
        yield node
    finally:
        node.close()
        shutil.rmtree(node.base)


def has_answer(node: Node) -> bool:
    try:
        return node.get("/").status == 200 and node.get("/", app="/all").status == 200
    except OSError:
        return False


def pid_of(node: Node, app: str = "/app") -> int:
    return int(node.get("/", app=app).body.split()[1])


def listed(node: Node, app: str = "/app") -> dict[str, str]:
    """The row of an application in ``catalina list``, by the heads of its columns."""
    head, *rows = (re.split("  +", line) for line in node.catalina("list").stdout.splitlines())
    return dict(zip(head, next(row for row in rows if row[0] == app), strict=False))


def test_an_application_has_a_process_of_its_own(node: Node) -> None:
    assert [pid_of(node)] == node.named_processes("catalina-p")
    assert [pid_of(node, "/all")] == node.named_processes("catalina-w")
    mine, other = listed(node, "/app"), listed(node, "/all")
    assert (mine["WORKERS"][0], other["WORKERS"]) == ("p", "all")
    assert (mine["MEMORY"].split()[1], mine["RESTARTS"]) == ("MiB", "0")
    assert int(mine["MEMORY"].split()[0]) > 5
    assert (other["MEMORY"], other["RESTARTS"]) == ("-", "-")


def test_a_reload_is_a_new_process_with_the_same_sessions(node: Node) -> None:
    before, session = pid_of(node), node.get("/").session_id
    code = node.base / "webapps" / "app" / "WEB-INF" / "classes" / "counting.py"
    code.write_text(APPLICATION.replace("one", "two"))
    failed: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            failed.append(node.get("/", session, timeout=20).status)

    client = threading.Thread(target=ask)
    client.start()
    outcome = node.catalina("reload", "/app")
    ended.set()
    client.join(30)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert set(failed) == {200}
    answer = node.get("/", session).body.split()
    assert (answer[0], answer[2]) == (str(len(failed) + 2).encode(), b"two")
    wait_until(lambda: node.named_processes("catalina-p") == [int(answer[1])], "the old process has ended", seconds=30)
    assert int(answer[1]) != before


def test_a_version_that_does_not_start_changes_nothing(node: Node) -> None:
    before = pid_of(node)
    code = node.base / "webapps" / "app" / "WEB-INF" / "classes" / "counting.py"
    good = code.read_text()
    code.write_text("import nosuchmodule\n")
    outcome = node.catalina("reload", "/app")
    assert outcome.returncode != 0
    assert "nosuchmodule" in outcome.stdout + outcome.stderr
    assert pid_of(node) == before
    code.write_text(APPLICATION.replace("one", "unhealthy"))
    outcome = node.catalina("reload", "/app")
    assert outcome.returncode != 0
    assert "healthPath [/health] fails: RuntimeError: no database" in outcome.stdout + outcome.stderr
    assert pid_of(node) == before
    code.write_text(good)
    assert node.catalina("reload", "/app").returncode == 0
    assert pid_of(node) != before


def test_kill_9_of_its_process_loses_no_session(node: Node) -> None:
    session, before = node.get("/").session_id, pid_of(node)
    restarts = int(listed(node)["RESTARTS"])
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: pid_of(node) != before, "another process serves it", seconds=30)
    assert int(listed(node)["RESTARTS"]) == restarts + 1
    assert node.get("/", session).body.split()[0] == b"2"


def test_a_request_without_end_gets_503_and_ends_its_process_alone(node: Node) -> None:
    session, before = node.get("/").session_id, pid_of(node)
    assert node.get("/loop", timeout=20).status == 503
    assert "while True" in node.log, "the stack is in the log"
    wait_until(lambda: pid_of(node) != before, "another process serves it", seconds=30)
    assert node.get("/", session).body.split()[0] == b"2"
    wait_until(lambda: before not in node.processes(), "the process has ended", seconds=30)


def test_code_that_holds_the_interpreter_ends_its_process_too(node: Node) -> None:
    before = pid_of(node)
    with pytest.raises(OSError):  # noqa: PT011 - the connection breaks off, however the client sees that
        node.get("/hog", timeout=20)
    wait_until(lambda: pid_of(node) != before, "another process serves it", seconds=30)
    assert "Timeout (0:00:03.500000)!" in node.log


def archive_of(directory: Path, version: str, context: str = CONTEXT, source: str | None = None) -> str:
    """An archive ``/shop`` whose application says its version."""
    write_application(directory / version, context)
    code = source or APPLICATION.replace("one", version)
    (directory / version / "WEB-INF" / "classes" / "counting.py").write_text(code)
    (directory / "archives" / version).mkdir(parents=True)
    return shutil.make_archive(str(directory / "archives" / version / "shop"), "zip", directory / version)


def test_an_archive_is_exchanged_and_one_that_does_not_start_changes_nothing(node: Node, tmp_path: Path) -> None:
    assert node.catalina("deploy", archive_of(tmp_path, "first")).returncode == 0
    session = node.get("/", app="/shop").session_id
    assert node.catalina("deploy", archive_of(tmp_path, "second")).returncode == 0
    answer = node.get("/", session, app="/shop").body.split()
    assert answer[::2] == [b"2", b"second"]
    broken = node.catalina("deploy", archive_of(tmp_path, "broken", source="import nosuchmodule"))
    assert broken.returncode != 0
    assert "nosuchmodule" in broken.stdout + broken.stderr
    unhealthy = node.catalina("deploy", archive_of(tmp_path, "unhealthy"))
    assert unhealthy.returncode != 0
    assert "healthPath [/health] fails" in unhealthy.stdout + unhealthy.stderr
    assert node.get("/", session, app="/shop").body.split() == [b"3", answer[1], b"second"], "the same process"
    assert node.catalina("deploy", archive_of(tmp_path, "shared", "<Context/>")).returncode == 0
    answer = node.get("/", session, app="/shop").body.split()
    assert (answer[::2], int(answer[1])) == ([b"4", b"shared"], pid_of(node, "/all"))
    wait_until(lambda: len(node.named_processes("catalina-p")) == 1, "its processes have ended", seconds=30)
    assert node.catalina("deploy", archive_of(tmp_path, "again")).returncode == 0
    assert len(node.named_processes("catalina-p")) == 2
    assert node.catalina("undeploy", "/shop").returncode == 0
    assert node.get("/", app="/shop").status == 404
    wait_until(lambda: len(node.named_processes("catalina-p")) == 1, "its process has ended", seconds=30)


def test_the_next_keeper_takes_the_pools_as_they_are(node: Node) -> None:
    session, before = node.get("/").session_id, pid_of(node)
    (keeper,) = node.named_processes("catalina-keeper")
    os.kill(keeper, signal.SIGKILL)
    assert node.get("/", session, timeout=30).body.split()[:2] == [b"2", str(before).encode()]
    wait_until(lambda: node.named_processes("catalina-keeper") not in ([], [keeper]), "another keeper", seconds=30)
    wait_until(lambda: node.catalina("list").returncode == 0, "it answers", seconds=30)
    assert pid_of(node) == before
