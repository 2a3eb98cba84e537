"""The interpreter, its threads and its memory: ``vminfo`` and ``threaddump`` (Tomcat: util/Diagnostics.java).

The sections and labels are Tomcat's; those for which Python has no value are left out.
"""

from __future__ import annotations

import gc
import logging
import os
import platform
import resource
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping

from catalina.juli.levels import level_name
from catalina.mbeans.platform.process_files import kernel_id
from catalina.mbeans.secrets import shown

__all__ = ["thread_dump", "vm_info"]

Section = tuple[str, list[str]]
#: Parts of a second that the system counts processor time in.
_TICKS = os.sysconf("SC_CLK_TCK")


def vm_info(properties: Mapping[str, str]) -> str:
    """All sections, with CRLF.

    Args:
        properties: the server's; values whose names look like secrets are hidden.
    """
    lines = [_now()]
    for title, inside in _sections(properties):
        lines += [f"{title}:", *(f"  {line}" for line in inside), ""]
    return "\r\n".join(lines) + "\r\n"


def _now() -> str:
    now = time.time()
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03d}"


def _sections(properties: Mapping[str, str]) -> Iterator[Section]:
    system = os.uname()
    started = _start_time()
    yield (
        "Runtime information",
        [
            f"vmName: {platform.python_implementation()}",
            f"vmVersion: {platform.python_version()}",
            "vmVendor: Python Software Foundation",
            f"specVersion: {sys.version_info.major}.{sys.version_info.minor}",
            f"name: {os.getpid()}@{system.nodename}",
            f"startTime: {int(started * 1000)}",
            f"uptime: {int((time.time() - started) * 1000)}",
        ],
    )
    yield (
        "OS information",
        [
            f"name: {system.sysname}",
            f"version: {system.release}",
            f"architecture: {system.machine}",
            f"availableProcessors: {len(os.sched_getaffinity(0))}",
            f"systemLoadAverage: {os.getloadavg()[0]}",
        ],
    )
    threads = threading.enumerate()
    yield "Thread counts", [f"daemon: {sum(thread.daemon for thread in threads)}", f"total: {len(threads)}"]
    yield "Startup arguments", [_argument(text) for text in sys.argv[1:]]
    yield "Path information", ["classPath: " + os.pathsep.join(sys.path)]
    yield "Class loading", [f"loaded: {len(sys.modules)}"]
    for generation, counts in enumerate(gc.get_stats()):
        yield (
            f"Garbage Collector [generation {generation}]",
            [
                f"getCollectionCount: {counts['collections']}",
                f"collected: {counts['collected']}",
                f"uncollectable: {counts['uncollectable']}",
            ],
        )
    yield "Memory information", [f"resident used: {_resident()}", f"resident peak: {_peak()}"]
    yield "System properties", [f"{name}: {shown(name, value)}" for name, value in sorted(properties.items())]
    yield "Logger information", list(_loggers())


def _argument(text: str) -> str:
    name, equals, value = text.partition("=")
    return name + equals + shown(name, value)


def _start_time() -> float:
    """Seconds since the epoch at which this process began."""
    with open("/proc/self/stat", "rb") as source:
        since_boot = int(source.read().rpartition(b")")[2].split()[19]) / _TICKS
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot


def _resident() -> int:
    with open("/proc/self/statm", "rb") as source:
        return int(source.read().split()[1]) * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _loggers() -> Iterator[str]:
    for name, logger in sorted(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            parent = logger.parent.name if logger.parent is not None else ""
            level = level_name(logger.level) if logger.level else "null"
            yield f"{name}: level={level}, parent={'' if parent == 'root' else parent}"


def thread_dump() -> str:
    """The stack of every thread, innermost call first, with CRLF."""
    lines = [_now(), f"Full thread dump {platform.python_implementation()} ({platform.python_version()}):", ""]
    frames = sys._current_frames()
    for thread in threading.enumerate():
        lines.append(_header(thread))
        frame = frames.get(thread.ident or 0)
        stack = traceback.extract_stack(frame) if frame is not None else []
        for call in reversed(stack):
            lines.append(f"\tat {call.name}({call.filename}:{call.lineno})")
        lines.append("")
    return "\r\n".join(lines) + "\r\n"


def _header(thread: threading.Thread) -> str:
    number = kernel_id(thread)
    text = f'"{thread.name}" Id={number}'
    try:
        with open(f"/proc/self/task/{number}/stat", "rb") as source:
            fields = source.read().rpartition(b")")[2].split()
    except OSError:
        return text + " (has just ended)"
    user, kernel = (int(ticks) * 1_000_000_000 // _TICKS for ticks in fields[11:13])
    kind = " daemon" if thread.daemon else ""
    return f"{text}{kind} cpu={user + kernel} ns usr={user} ns state={fields[0].decode()}"
