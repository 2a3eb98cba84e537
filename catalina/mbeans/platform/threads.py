"""``java.lang:type=Threading``: the threads of this process, their states and their processor time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import ClassVar

from catalina.attributes import Component
from catalina.mbeans.open_data import CompositeData, CompositeType
from catalina.mbeans.platform.process_files import kernel_id, thread_cpu_ns, thread_state
from catalina.operations import Impact, Long, operation, readable

__all__ = ["ThreadingBean"]

_STACK_ELEMENT = CompositeType(
    "java.lang.StackTraceElement",
    "java.lang.StackTraceElement",
    {
        "classLoaderName": ("java.lang.String", "classLoaderName"),
        "className": ("java.lang.String", "className"),
        "fileName": ("java.lang.String", "fileName"),
        "lineNumber": ("int", "lineNumber"),
        "methodName": ("java.lang.String", "methodName"),
        "moduleName": ("java.lang.String", "moduleName"),
        "moduleVersion": ("java.lang.String", "moduleVersion"),
        "nativeMethod": ("boolean", "nativeMethod"),
    },
)
_LOCK = CompositeType(
    "java.lang.management.LockInfo",
    "java.lang.management.LockInfo",
    {"className": ("java.lang.String", "className"), "identityHashCode": ("int", "identityHashCode")},
)
_MONITOR = CompositeType(
    "java.lang.management.MonitorInfo",
    "java.lang.management.MonitorInfo",
    {
        **_LOCK.items,
        "lockedStackDepth": ("int", "lockedStackDepth"),
        "lockedStackFrame": (_STACK_ELEMENT, "lockedStackFrame"),
    },
)
_THREAD = CompositeType(
    "java.lang.management.ThreadInfo",
    "java.lang.management.ThreadInfo",
    {
        "blockedCount": ("long", "blockedCount"),
        "blockedTime": ("long", "blockedTime"),
        "daemon": ("boolean", "daemon"),
        "inNative": ("boolean", "inNative"),
        "lockInfo": (_LOCK, "lockInfo"),
        "lockName": ("java.lang.String", "lockName"),
        "lockOwnerId": ("long", "lockOwnerId"),
        "lockOwnerName": ("java.lang.String", "lockOwnerName"),
        "lockedMonitors": ([_MONITOR], "lockedMonitors"),
        "lockedSynchronizers": ([_LOCK], "lockedSynchronizers"),
        "priority": ("int", "priority"),
        "stackTrace": ([_STACK_ELEMENT], "stackTrace"),
        "suspended": ("boolean", "suspended"),
        "threadId": ("long", "threadId"),
        "threadName": ("java.lang.String", "threadName"),
        "threadState": ("java.lang.String", "threadState"),
        "waitedCount": ("long", "waitedCount"),
        "waitedTime": ("long", "waitedTime"),
    },
)
#: Frames of one thread that are reported, because applications may recurse.
MAX_FRAMES = 200


class ThreadingBean(Component):
    """The threads of this process."""

    bean_class = "com.sun.management.internal.HotSpotThreadImpl"
    bean_interfaces = ("java.lang.management.ThreadMXBean", "java.lang.management.PlatformManagedObject")
    #: Operation -> the type of the records that it returns.
    bean_records: ClassVar[Mapping[str, CompositeType]] = {"getThreadInfo": _THREAD, "dumpAllThreads": _THREAD}

    def __init__(self) -> None:
        super().__init__()
        self._peak = 0
        self._started = 0
        self._seen: set[int] = set()
        self._lock = threading.Lock()

    def _threads(self) -> dict[int, threading.Thread]:
        """The kernel's id -> thread, for running threads."""
        numbered = [(kernel_id(thread), thread) for thread in threading.enumerate()]
        found = {number: thread for number, thread in numbered if number is not None}
        with self._lock:
            self._peak = max(self._peak, len(found))
            self._started = self._started + len(found.keys() - self._seen)
            self._seen = set(found)
        return found

    @property
    @readable("ThreadCount", doc="Threads that run now.")
    def thread_count(self) -> int:
        return len(self._threads())

    @property
    @readable("DaemonThreadCount", doc="The number of threads that a stop does not wait for.")
    def daemon_count(self) -> int:
        return sum(thread.daemon for thread in self._threads().values())

    @property
    @readable("PeakThreadCount", doc="Most threads that were seen at once, whenever somebody looked.")
    def peak(self) -> int:
        self._threads()
        return self._peak

    @property
    @readable("TotalStartedThreadCount", doc="Threads that were ever seen, whenever somebody looked.")
    def started(self) -> Long:
        self._threads()
        return int(self._started)

    @property
    @readable("AllThreadIds", doc="The kernel's ids of the threads.")
    def thread_ids(self) -> list[int]:
        return sorted(self._threads())

    @property
    @readable("ThreadCpuTimeSupported", doc="Yes.")
    def cpu_time_supported(self) -> bool:
        return True

    @property
    @readable("ThreadCpuTimeEnabled", doc="Yes.")
    def cpu_time_enabled(self) -> bool:
        return True

    @property
    @readable("CurrentThreadCpuTimeSupported", doc="No: the thread that answers means nothing to who asks.")
    def current_cpu_time_supported(self) -> bool:
        return False

    @property
    @readable("ThreadContentionMonitoringSupported", doc="No: Python does not count waits.")
    def contention_supported(self) -> bool:
        return False

    @property
    @readable("ObjectMonitorUsageSupported", doc="No: Python's locks do not know their owners.")
    def monitors_supported(self) -> bool:
        return False

    @property
    @readable("SynchronizerUsageSupported", doc="No: Python's locks do not know their owners.")
    def synchronizers_supported(self) -> bool:
        return False

    @operation(name="getThreadInfo", impact=Impact.INFO)
    def thread_info(self, id: Long) -> CompositeData | None:
        """One thread, without its stack."""
        return self._infos([id], 0)[0]

    @operation(name="getThreadInfo", impact=Impact.INFO)
    def thread_info_deep(self, id: Long, max_depth: int) -> CompositeData | None:
        """One thread with the top of its stack."""
        return self._infos([id], max_depth)[0]

    @operation(name="getThreadInfo", impact=Impact.INFO)
    def thread_infos(self, ids: list[int]) -> list[CompositeData]:
        """Several threads, without their stacks."""
        return self._infos(ids, 0)  # type: ignore[return-value]  # null for a thread that has ended

    @operation(name="getThreadInfo", impact=Impact.INFO)
    def thread_infos_deep(self, ids: list[int], max_depth: int) -> list[CompositeData]:
        """Several threads with the tops of their stacks."""
        return self._infos(ids, max_depth)  # type: ignore[return-value]  # null for a thread that has ended

    @operation(name="getThreadInfo", impact=Impact.INFO)
    def thread_infos_locks(self, ids: list[int], monitors: bool, synchronizers: bool) -> list[CompositeData]:
        """Several threads with their stacks, without their locks, which Python does not know."""
        return self._infos(ids, MAX_FRAMES)  # type: ignore[return-value]  # null for a thread that has ended

    @operation(name="dumpAllThreads", impact=Impact.INFO)
    def dump(self, monitors: bool, synchronizers: bool) -> list[CompositeData]:
        """All threads with their stacks, without their locks, which Python does not know."""
        return [info for info in self._infos(sorted(self._threads()), MAX_FRAMES) if info is not None]

    @operation(name="dumpAllThreads", impact=Impact.INFO)
    def dump_deep(self, monitors: bool, synchronizers: bool, max_depth: int) -> list[CompositeData]:
        """All threads with the tops of their stacks."""
        return [info for info in self._infos(sorted(self._threads()), max_depth) if info is not None]

    @operation(name="getThreadCpuTime", impact=Impact.INFO)
    def cpu_time(self, id: Long) -> Long:
        """Processor time of a thread, in ns; -1 when it has ended."""
        return thread_cpu_ns(id) if id in self._threads() else -1

    @operation(name="getThreadCpuTime", impact=Impact.INFO)
    def cpu_times(self, ids: list[int]) -> list[int]:
        """Processor times of several threads, in ns; -1 for one that has ended."""
        threads = self._threads()
        return [thread_cpu_ns(one) if one in threads else -1 for one in ids]

    @operation(name="findMonitorDeadlockedThreads", impact=Impact.INFO)
    def find_monitor_deadlocked(self) -> list[int] | None:
        """Always empty: Python's locks do not know their owners, so a deadlock cannot be found."""
        return None

    @operation
    def reset_peak_thread_count(self) -> None:
        """Set the peak to the present number of threads."""
        self._peak = 0

    def _infos(self, ids: list[int], depth: int) -> list[CompositeData | None]:
        threads = self._threads()
        frames = sys._current_frames()
        return [
            None if one not in threads else _info(threads[one], frames.get(threads[one].ident or 0), depth)
            for one in ids
        ]


def _info(thread: threading.Thread, frame: FrameType | None, depth: int) -> CompositeData:
    values = {
        "threadId": kernel_id(thread),
        "threadName": thread.name,
        "threadState": _state(thread, frame),
        "stackTrace": _stack(frame, min(depth, MAX_FRAMES)),
        "daemon": thread.daemon,
        "priority": 5,
        "blockedCount": 0,
        "blockedTime": -1,
        "waitedCount": 0,
        "waitedTime": -1,
        "lockInfo": None,
        "lockName": None,
        "lockOwnerId": -1,
        "lockOwnerName": None,
        "lockedMonitors": [],
        "lockedSynchronizers": [],
        "inNative": False,
        "suspended": False,
    }
    return CompositeData(_THREAD, values)


def _state(thread: threading.Thread, frame: FrameType | None) -> str:
    if frame is None:
        return "NEW" if thread.ident is None else "TERMINATED"
    if thread_state(kernel_id(thread) or 0) != "R" and frame.f_code.co_filename == threading.__file__:
        return "WAITING"
    return "RUNNABLE"


def _stack(frame: FrameType | None, depth: int) -> list[CompositeData]:
    found: list[CompositeData] = []
    while frame is not None and len(found) < depth:
        code = frame.f_code
        values = {
            "className": frame.f_globals.get("__name__", "?"),
            "methodName": code.co_qualname,
            "fileName": code.co_filename,
            "lineNumber": frame.f_lineno or -1,
            "nativeMethod": False,
            "classLoaderName": None,
            "moduleName": None,
            "moduleVersion": None,
        }
        found.append(CompositeData(_STACK_ELEMENT, {name: _text(value) for name, value in values.items()}))
        frame = frame.f_back
    return found


def _text(value: object) -> object:
    return value if value is None or isinstance(value, bool | int) else str(value)
