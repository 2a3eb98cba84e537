"""Facts about this process and the machine from Linux, in bytes and counts (proc(5), cgroups(7))."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["kernel_id", "machine_memory", "memory_limit", "process_memory", "thread_cpu_ns"]

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def process_memory() -> dict[str, int]:
    """``VmRSS``, ``RssAnon``, ``RssFile``, ``VmSize`` ... of this process, in bytes."""
    return _fields(Path("/proc/self/status"))


def machine_memory() -> dict[str, int]:
    """``MemTotal``, ``MemAvailable``, ``SwapTotal`` ... of the machine, in bytes."""
    return _fields(Path("/proc/meminfo"))


def _fields(path: Path) -> dict[str, int]:
    found = {}
    for line in path.read_text("ascii", "replace").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdecimal():
            found[name] = int(words[0]) * 1024
    return found


def memory_limit() -> int:
    """The memory limit of this process's control group, -1 without a limit."""
    try:
        text = _CGROUP_LIMIT.read_text("ascii").strip()
    except OSError:
        return -1
    return int(text) if text.isdecimal() else -1


def kernel_id(thread: threading.Thread) -> int | None:
    """The kernel's number of a thread; None before it has started.

    Python up to 3.12 goes on telling, for the main thread of a forked process, that of the process that has forked.
    """
    return os.getpid() if thread is threading.main_thread() else thread.native_id


def thread_cpu_ns(native_id: int) -> int:
    """Processor time of a thread, in ns; -1 when there is no such thread."""
    try:
        text = Path(f"/proc/self/task/{native_id}/stat").read_text("ascii", "replace")
    except OSError:
        return -1
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_NS


def thread_state(native_id: int) -> str:
    """The kernel's letter for the state of a thread: ``R`` runs, ``S`` waits for something; empty when it has ended."""
    try:
        text = Path(f"/proc/self/task/{native_id}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]
