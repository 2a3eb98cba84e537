"""The status of a node under a running request."""

from __future__ import annotations

import json
import os
import threading

from catalina.core.node_role import Elsewhere, NodeRole
from catalina.startup.node_status import node_status
from tests.manager.site import make_base, running
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until

#: Answers when the file ``go`` beside it is there.
WAITING = """
import pathlib, time
def application(environ, start_response):
    deadline = time.monotonic() + 30
    while not pathlib.Path(__file__).with_name("go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"gone"]
"""


def test_a_request_that_runs_is_named_and_then_counted(tmp_path):
    slow = make_base(tmp_path, managers=()) / "webapps" / "slow"
    slow.mkdir()
    (slow / "wsgi.py").write_text(WAITING)
    with running(tmp_path) as site:
        asking = threading.Thread(target=site.ask, args=("/slow/cart?id=secret",))
        asking.start()
        status = wait_until(lambda: _when_under_way(site.server), "the request is under way")
        (request,) = status["slow"]
        assert request["request"] == "GET /slow/cart"
        assert request["client"] == "127.0.0.1"
        (connector,) = status["connectors"]
        assert (connector["state"], connector["running"], connector["busy"]) == ("started", 1, 1)
        (slow / "go").touch()
        asking.join()
        status = wait_until(lambda: _when_counted(site.server), "the request is counted")
        (connector,) = status["connectors"]
        assert (connector["requests"], connector["errors"]) == (1, 1)
        assert sum(connector["times"].values()) == 1
        assert status["slow"] == []
        applications = {each["path"]: each for each in status["applications"]}
        assert (applications["/slow"]["requests"], applications["/slow"]["errors"]) == (1, 1)
        assert applications["/plain"]["requests"] == 0
        assert status["process"]["pid"] == os.getpid()
        json.dumps(status)


def _when_under_way(server):
    """The reactor's thread begins a request itself; it is busy when that has taken long enough for another to go on."""
    status = node_status(server)
    return status if status["slow"] and status["connectors"][0]["busy"] else None


def _when_counted(server):
    status = node_status(server)
    return status if status["connectors"][0]["requests"] else None


def test_an_application_that_failed_says_why(tmp_path):
    broken = make_base(tmp_path, managers=()) / "webapps" / "broken"
    broken.mkdir()
    (broken / "wsgi.py").write_text("1/0\n")
    with running(tmp_path) as site:
        (row,) = [each for each in node_status(site.server)["applications"] if each["path"] == "/broken"]
    assert row["state"] == "failed"
    assert "ZeroDivisionError" in row["reason"]
    assert row["sessions"] is None


def test_the_keeper_adds_up_what_requests_do_in_its_workers(tmp_path, monkeypatch):
    make_base(tmp_path, managers=())
    with running(tmp_path) as site:
        _add_up(site, monkeypatch)


def _add_up(site, monkeypatch):
    def of_worker(**values):
        status = node_status(site.server)
        status["connectors"][0].update(values, state="started")
        status["slow"] = [{"seconds": values["busy"], "request": "GET /", "client": ""}]
        return status

    workers = {0: of_worker(busy=1, requests=10, times={"10": 2}), 1: of_worker(busy=2, requests=5, times={"10": 1})}
    role = stand_in(
        NodeRole, serves=True, runs=lambda _: True, elsewhere=stand_in(Elsewhere, ask_all=lambda service: workers)
    )
    with monkeypatch.context() as patched:
        patched.setattr(site.server, "role", role)
        status = node_status(site.server)
    connector = status["connectors"][0]
    assert (connector["busy"], connector["requests"], connector["times"]) == (3, 15, {"10": 3})
    assert [each["seconds"] for each in status["slow"]] == [2, 1]
    assert [each["worker"] for each in status["workers"]] == [0, 1]
