"""The verbs about the node as a whole."""

from __future__ import annotations

import json
import threading

import pytest

from catalina.errors import CatalinaError
from catalina.startup.node_commands import NodeCommands, columns
from tests.manager.site import make_base, running
from tests.startup.test_node_status import WAITING
from tests.support.waiting import wait_until


@pytest.fixture
def site(tmp_path):
    make_base(tmp_path, '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>', managers=())
    slow = tmp_path / "webapps" / "slow"
    slow.mkdir()
    (slow / "wsgi.py").write_text(WAITING)
    with running(tmp_path) as site:
        yield site


def run(site, verb, report=lambda *_: None, **arguments):
    method = getattr(NodeCommands(site.server), f"do_{verb}")
    return method(site.host, arguments, None, report)


def test_a_drained_node_is_down_for_balancers_and_serves_on_until_it_is_taken_back(site):
    assert run(site, "drain").code == 0
    assert site.ask("/health").status == 503
    answer = site.ask("/plain/")
    assert (answer.status, answer.headers.get("Connection")) == (200, "close")
    assert run(site, "undrain").lines == ["health checks say UP again"]
    assert site.ask("/health").status == 200
    assert "Connection" not in site.ask("/plain/").headers


def test_draining_waits_for_requests_and_tells_how_far_it_is(site):
    asking = threading.Thread(target=site.ask, args=("/slow/",))
    asking.start()
    endpoint = site.service.connectors[0].endpoint
    wait_until(lambda: endpoint.running, "the request is under way")
    seen = []

    def report(*progress):
        seen.append(progress)
        (site.base / "webapps" / "slow" / "go").touch()

    done = run(site, "drain", report, wait=30)
    asking.join()
    assert seen[0] == ("draining", 0, 1)
    assert done.code == 0
    assert "no request runs, and other nodes know all that they are to know" in done.lines


def test_a_request_that_does_not_end_in_time_is_exit_code_1(site):
    asking = threading.Thread(target=site.ask, args=("/slow/",))
    asking.start()
    endpoint = site.service.connectors[0].endpoint
    wait_until(lambda: endpoint.running, "the request is under way")
    done = run(site, "drain", wait=0.01)
    (site.base / "webapps" / "slow" / "go").touch()
    asking.join()
    assert done.code == 1
    assert "1 requests still run, 0 bytes are on their way to other nodes" in done.lines


def test_sessions_that_a_stop_would_end_are_counted(site):
    site.ask("/plain/")
    done = run(site, "drain", wait=10)
    assert done.code == 1
    assert done.lines[-1] == "1 sessions are nowhere else: a stop ends them"
    assert [line.split() for line in done.lines if line.startswith("localhost/plain")] == [
        ["localhost/plain", "1", "0", "only", "here", "(StandardManager)"]
    ]


def test_the_status_is_for_people_and_for_scripts(site):
    lines = run(site, "status").lines
    assert lines[1].startswith("STARTED for ")
    assert any(line.startswith("localhost  /plain") and " running " in line for line in lines)
    whole = json.loads("\n".join(run(site, "status", json=True).lines))
    assert whole["state"] == "STARTED"
    assert run(site, "status").code == 0
    run(site, "drain")
    assert run(site, "status").lines[1].startswith("DRAINING for ")


def test_the_status_of_a_node_with_a_failed_application_is_exit_code_1(site):
    broken = site.base / "webapps" / "broken"
    broken.mkdir()
    (broken / "wsgi.py").write_text("1/0\n")
    site.config.check_now("/broken")
    assert run(site, "status").code == 1
    assert any("ZeroDivisionError" in line for line in run(site, "status").lines)


def test_sessions_are_shown_without_what_would_give_them_away(site):
    site.ask("/plain/")
    (session,) = site.host.find_child("/plain").manager.find_sessions()
    assert run(site, "sessions").lines[1].split()[:3] == ["localhost/plain", "1", "0"]
    head, row = run(site, "sessions", name="plain").lines
    assert head.split() == ["SESSION", "MADE", "IDLE", "USER", "ATTRIBUTES"]
    assert row.startswith(f"{session.id[:8]}... ")
    assert row.endswith(" n")
    assert session.id not in row
    assert run(site, "sessions", name="/plain", ids=True).lines[1].startswith(f"{session.id} ")


def test_sessions_of_an_application_that_is_not_there(site):
    with pytest.raises(CatalinaError, match=r"no application \[/none\] with sessions on host localhost"):
        run(site, "sessions", name="/none")


def test_a_table_lines_up():
    assert columns([("A", "B", "C"), ("long", "x", "")]) == ["A     B  C", "long  x"]


def test_the_doctor_is_for_people_and_for_scripts(site):
    whole = json.loads("\n".join(run(site, "doctor", json=True).lines))
    assert whole["verdict"] in ("ok", "warning")
    assert {"check": "cluster", "verdict": "ok", "text": "this node is in no cluster", "advice": ""} in whole[
        "findings"
    ]
    assert any(line.startswith("OK       applications: ") for line in run(site, "doctor").lines)
    broken = site.base / "webapps" / "broken"
    broken.mkdir()
    (broken / "wsgi.py").write_text("1/0\n")
    site.config.check_now("/broken")
    assert run(site, "doctor").code == 2
