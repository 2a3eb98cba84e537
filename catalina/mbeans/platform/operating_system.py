"""``java.lang:type=OperatingSystem``: the machine, and this process's use of it."""

from __future__ import annotations

import os
import platform
import resource
import threading
import time

from catalina.attributes import Component
from catalina.mbeans.platform.process_files import machine_memory, process_memory
from catalina.operations import Long, readable

__all__ = ["OperatingSystemBean"]

#: A load is a difference between two looks; they are at least so many seconds apart.
_SHORTEST = 0.2


class _Load:
    """The part of the processors' time that was used between two looks, 0 to 1; -1 before the second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used, self._of = self._now()
        self._last = -1.0

    def _now(self) -> tuple[float, float]:
        return time.process_time(), time.monotonic() * (os.cpu_count() or 1)

    def look(self) -> float:
        """The load since the last look."""
        with self._lock:
            used, of = self._now()
            if of - self._of >= _SHORTEST:
                self._last = min(1.0, max(0.0, (used - self._used) / (of - self._of)))
                self._used, self._of = used, of
            return self._last


class _MachineLoad(_Load):
    def _now(self) -> tuple[float, float]:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return float(sum(ticks) - ticks[3] - ticks[4]), float(sum(ticks))


class OperatingSystemBean(Component):
    """The machine, and this process's use of it."""

    bean_class = "com.sun.management.internal.OperatingSystemImpl"
    bean_interfaces = (
        "com.sun.management.UnixOperatingSystemMXBean",
        "com.sun.management.OperatingSystemMXBean",
        "java.lang.management.OperatingSystemMXBean",
        "java.lang.management.PlatformManagedObject",
    )

    def __init__(self) -> None:
        super().__init__()
        self._process_load = _Load()
        self._machine_load = _MachineLoad()

    @property
    @readable("Name", doc="The name of the system.")
    def system(self) -> str:
        return platform.system()

    @property
    @readable("Arch", doc="The architecture of the processor.")
    def arch(self) -> str:
        machine = platform.machine()
        return {"x86_64": "amd64"}.get(machine, machine)

    @property
    @readable("Version", doc="The version of the kernel.")
    def version(self) -> str:
        return platform.release()

    @property
    @readable("AvailableProcessors", doc="That this process may use.")
    def processors(self) -> int:
        return len(os.sched_getaffinity(0))

    @property
    @readable("SystemLoadAverage", doc="The load of the last minute.")
    def load_average(self) -> float:
        return os.getloadavg()[0]

    @property
    @readable("ProcessCpuTime", doc="Processor time of this process, in ns.")
    def cpu_time(self) -> Long:
        return time.process_time_ns()

    @property
    @readable("ProcessCpuLoad", doc="Part of the processors that this process used lately, 0 to 1; -1 at first.")
    def cpu_load(self) -> float:
        return self._process_load.look()

    @property
    @readable("CpuLoad", doc="Part of the processors that everybody used lately, 0 to 1; -1 at first.")
    def machine_cpu_load(self) -> float:
        return self._machine_load.look()

    @property
    @readable("SystemCpuLoad", doc="The same under its older name.")
    def system_cpu_load(self) -> float:
        return self._machine_load.look()

    @property
    @readable("TotalMemorySize", doc="Bytes of the machine's memory.")
    def total_memory(self) -> Long:
        return machine_memory().get("MemTotal", 0)

    @property
    @readable("FreeMemorySize", doc="Of the machine, in bytes.")
    def free_memory(self) -> Long:
        return machine_memory().get("MemFree", 0)

    @property
    @readable("TotalPhysicalMemorySize", doc="TotalMemorySize under its older name.")
    def total_physical(self) -> Long:
        return machine_memory().get("MemTotal", 0)

    @property
    @readable("FreePhysicalMemorySize", doc="FreeMemorySize under its older name.")
    def free_physical(self) -> Long:
        return machine_memory().get("MemFree", 0)

    @property
    @readable("TotalSwapSpaceSize", doc="Of the machine, in bytes.")
    def total_swap(self) -> Long:
        return machine_memory().get("SwapTotal", 0)

    @property
    @readable("FreeSwapSpaceSize", doc="Of the machine, in bytes.")
    def free_swap(self) -> Long:
        return machine_memory().get("SwapFree", 0)

    @property
    @readable("CommittedVirtualMemorySize", doc="Address space of this process, in bytes.")
    def virtual(self) -> Long:
        return process_memory().get("VmSize", 0)

    @property
    @readable("OpenFileDescriptorCount", doc="Files and sockets that this process has open.")
    def descriptors(self) -> Long:
        return len(os.listdir("/proc/self/fd")) - 1  # without the one that this look opens

    @property
    @readable("MaxFileDescriptorCount", doc="How many it may have.")
    def max_descriptors(self) -> Long:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
