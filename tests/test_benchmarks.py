"""The benchmarks that run in one process still run."""

from __future__ import annotations

import pytest

from benchmarks import stages


def test_each_stage_of_a_replicated_request_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_LOOPS", 10)
    measured = stages.measure()
    assert len(measured) == 9
    assert all(micros > 0 for micros in measured.values())
