"""Counting requests, waiting for the last one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.in_progress import InProgress
from catalina.connector.request import Request
from tests.connector.bare import bare_connector


def go_through(progress: InProgress, work: Callable[[], object]) -> None:
    me = Request(ConnectionFacts(bare_connector()), "GET", "/")
    progress.inside[me] = threading.get_ident()
    try:
        work()
    finally:
        progress.leave(me)


def test_idle_from_the_beginning() -> None:
    assert InProgress().wait_idle(0)


def test_the_waiting_ends_with_the_last_request() -> None:
    progress = InProgress()
    leave = threading.Event()
    inside = threading.Event()

    def request() -> None:
        go_through(progress, lambda: (inside.set(), leave.wait(5)))

    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    assert inside.wait(5)
    assert progress.count == 1
    assert not progress.wait_idle(0.01)
    threading.Timer(0.02, leave.set).start()
    assert progress.wait_idle(5)
    thread.join(5)
