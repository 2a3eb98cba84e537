from __future__ import annotations

import time

import pytest

from catalina.util.java_dates import java_date


def test_a_time_is_written_as_by_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert java_date(1_796_004_075_123) == "Mon Nov 30 02:01:15 UTC 2026"
    finally:
        monkeypatch.undo()
        time.tzset()
