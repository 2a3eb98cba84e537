"""Descriptors, threads and processes that a part of the test run leaves behind.

A test run lives for half an hour in one process; whatever each module leaves adds up, and a server that leaves
something per start or per request fails in production the same way.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Leftovers"]

#: For how long threads and processes that were told to end may take to do so, in seconds.
PATIENCE = 5.0
#: Beginnings of the targets of descriptors that belong to the test runner: the files that it captures output in.
RUNNERS_OWN = ("/tmp/#", "/dev/", "/proc/")


class Leftovers:
    """Things that have appeared in this process since this was made."""

    def __init__(self) -> None:
        self._known = set(_everything())

    @contextlib.contextmanager
    def lasting(self) -> Iterator[None]:
        """Things that appear inside stay on purpose: a fixture of the whole session makes them."""
        before = _everything()
        yield
        self._known.update(_everything().keys() - before.keys())

    def look(self, patience: float = PATIENCE) -> list[str]:
        """The unknown things that are here, sorted; things that are about to end get ``patience`` seconds."""
        deadline = time.monotonic() + patience
        left = self._new()
        while left and time.monotonic() < deadline:
            gc.collect()
            left = self._new()
            if left:
                threading.Event().wait(0.01)
        return sorted(left)

    def _new(self) -> list[str]:
        return [text for key, text in _everything().items() if key not in self._known]


def _everything() -> dict[str, str]:
    """A key for each thing, and its description."""
    return _descriptors() | _threads() | _children()


def _descriptors() -> dict[str, str]:
    found: dict[str, str] = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # that of the listing itself, or of a thread that has just closed it
            continue
        if not target.startswith(RUNNERS_OWN):
            text = f"descriptor {number} of {target}"
            found[text] = text
    return found


def _threads() -> dict[str, str]:
    return {f"thread {thread.ident} {thread.name}": f"thread {thread.name}" for thread in threading.enumerate()}


def _children() -> dict[str, str]:
    found: dict[str, str] = {}
    for task in os.listdir("/proc/self/task"):
        try:
            children = Path("/proc/self/task", task, "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            continue
        found |= {f"process {pid}": f"process {pid}: {_command(pid)}" for pid in children}
    return found


def _command(pid: str) -> str:
    """Its command line; a process that has ended has none."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        line = b""
    return line.replace(b"\0", b" ").decode(errors="replace").strip() or "has ended, and nobody has waited for it"
