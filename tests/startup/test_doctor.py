"""The doctor's report."""

from __future__ import annotations

from catalina.startup.doctor import examine, finding_lines, verdict_of
from catalina.startup.finding import Finding
from tests.manager.site import make_base, running

FINE, FAULT = Finding("files", "ok", "3 of 9"), Finding("clock", "error", "late", "chronyc tracking")
DOUBT = Finding("clock", "warning", "a bit late", "chronyc tracking")


def test_the_verdict_is_the_worst():
    assert verdict_of([FINE, FAULT, DOUBT]) == "error"
    assert verdict_of([FINE, DOUBT]) == "warning"
    assert verdict_of([FINE, Finding("mtu", "unknown", "?")]) == "unknown"
    assert verdict_of([]) == "ok"


def test_faults_come_first_with_what_to_do():
    assert finding_lines([FINE, DOUBT, FAULT]) == [
        "ERROR    clock: late",
        "         -> chronyc tracking",
        "WARNING  clock: a bit late",
        "         -> chronyc tracking",
        "OK       files: 3 of 9",
        "",
        "1 errors, 1 warnings, 3 looks",
    ]


def test_a_node_without_a_cluster_is_examined_at_once(tmp_path):
    make_base(tmp_path, managers=())
    with running(tmp_path) as site:
        found = examine(site.server, lambda *_: None)
    assert "this node is in no cluster" in [each.text for each in found]
    assert "every application runs" in [each.text for each in found]
    assert {each.check for each in found} == {"files", "watches", "applications", "cluster"}
