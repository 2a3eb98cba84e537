"""Applications that run in some of a node's workers, as real processes."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.cluster.node import Node
from tests.cluster.test_workers import write_application
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Three workers; ``/app`` runs in one of them, ``/two`` in two, ``/all`` in all."""
    directory = tmp_path_factory.mktemp("placements")
    write_application(directory / "one", '<Context workers="1"/>')
    node = Node("n1", directory / "n1", webapp=directory / "one", workers=3)
    write_application(node.base / "webapps" / "two", '<Context workers="2"/>')
    write_application(node.base / "webapps" / "all", "<Context/>")
    try:
        yield node.start()
    finally:
        node.close()
        shutil.rmtree(node.base)


def worker_of(node: Node, path: str, session_id: str | None = None) -> bytes:
    return node.get("/facts", session_id, app=path).body.split()[0]


def test_an_application_runs_in_as_many_workers_as_it_wants(node: Node) -> None:
    assert len({worker_of(node, "/app") for _ in range(12)}) == 1
    assert len({worker_of(node, "/two") for _ in range(24)}) == 2
    assert not {worker_of(node, "/app")} & {worker_of(node, "/two") for _ in range(24)}
    listed = node.catalina("list").stdout.split("\n")
    assert next(line for line in listed if line.startswith("/app")).split()[3] == "0"
    assert next(line for line in listed if line.startswith("/two")).split()[3] == "1,2"
    assert next(line for line in listed if line.startswith("/all")).split()[3] == "all"


def test_a_connection_with_requests_for_all_applications_finds_each_session(node: Node) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=20)
    cookies: dict[str, str] = {}
    for turn in range(1, 15):  # more often than a connection moves
        for path in ("/app", "/two", "/all"):
            connection.request("GET", f"{path}/count", headers={"Cookie": cookies.get(path, "")})
            answer = connection.getresponse()
            assert answer.read().split()[0] == str(turn).encode(), (turn, path)
            cookies[path] = (answer.headers["Set-Cookie"] or cookies.get(path, "")).partition(";")[0]
    connection.close()


def test_uploads_and_their_answers_come_through(node: Node) -> None:
    pids = {node.get("/count", app="/app").body.split()[1] for _ in range(6)}
    assert len(pids) == 1
    assert node.get("/nowhere/..//count", app="/app").status == 200


def test_kill_9_of_the_only_worker_of_an_application_loses_no_session(node: Node) -> None:
    sessions = [node.get("/count", app="/app").session_id for _ in range(10)]
    before = worker_of(node, "/app")
    os.kill(int(before), signal.SIGKILL)
    # The connection that is in the killed worker breaks; others wait for the next process in its place.
    wait_until(lambda: worker_of(node, "/app") != before, "another process serves it", seconds=30)
    assert [node.get("/count", each, app="/app").body.split()[0] for each in sessions] == [b"2"] * 10


def test_a_reload_concerns_the_workers_that_run_it(node: Node) -> None:
    session = node.get("/count", app="/two").session_id
    assert node.catalina("reload", "/two").returncode == 0
    assert node.get("/count", session, app="/two").body.split()[0] == b"2"
    assert node.log.count("Reloading Context with name [/two] has started") >= 2


def test_an_application_moves_when_there_are_fewer_workers(node: Node) -> None:
    session = node.get("/count", app="/two").session_id
    os.kill(node.arbiter, signal.SIGTTOU)
    wait_until(lambda: not node.named_processes("catalina-w2"), "the worker has ended", seconds=30)
    wait_until(lambda: len({worker_of(node, "/two") for _ in range(10)}) == 2, "two others run it", seconds=30)
    assert node.get("/count", session, app="/two").body.split()[0] == b"2"
