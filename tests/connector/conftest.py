from __future__ import annotations

import threading

import pytest


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Every connector and loop joins its threads."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # one that has signed off from its loop may still have an instruction or two to go
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert left == []


@pytest.fixture(autouse=True)
def quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines are looked at ten times a second: a test of a time-out need not take a whole one."""
    monkeypatch.setattr("catalina.connector.endpoint.SWEEP_SECONDS", 0.1)
    monkeypatch.setattr("catalina.connector.http2_connection.LOOK_SECONDS", 0.1)
