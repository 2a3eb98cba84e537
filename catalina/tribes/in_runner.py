"""Runs a function in the event loop's thread and waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalina.reactor import Reactor

__all__ = ["run_in_runner"]


def run_in_runner(reactor: Reactor, work: Callable[[], None], timeout: float = 10.0) -> None:
    """Run ``work`` in the runner's thread (right here if this is that thread), and return when it has run.

    Raises:
        TimeoutError: the loop did not run it within ``timeout`` seconds, because it is stopped or stuck.
        BaseException: whatever ``work`` raised.
    """
    if reactor.in_runner:
        work()
        return
    done = threading.Event()
    fault: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001  # it is raised in the waiting thread
            fault.append(exc)
        finally:
            done.set()

    reactor.call_soon(run)
    if not done.wait(timeout):
        raise TimeoutError(f"the event loop {reactor.name!r} did not run {work!r} within {timeout} s")
    if fault:
        raise fault[0]
