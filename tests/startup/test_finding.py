"""One finding of the doctor."""

from __future__ import annotations

import json

from catalina.startup.finding import CODES, Finding


def test_a_finding_goes_into_json_by_its_names():
    found = Finding("clock", "warning", "late", "chronyc tracking")
    assert json.loads(json.dumps(found.as_dict())) == {
        "check": "clock", "verdict": "warning", "text": "late", "advice": "chronyc tracking",
    }  # fmt: skip


def test_something_that_could_not_be_looked_at_is_no_fault():
    assert CODES["unknown"] == CODES["ok"] == 0
    assert CODES["warning"] < CODES["error"]
