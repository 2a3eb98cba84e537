"""``java.lang:type=Memory`` and the collectors: the memory of this process."""

from __future__ import annotations

import gc

from catalina.attributes import Component
from catalina.mbeans.open_data import CompositeData, CompositeType
from catalina.mbeans.platform.process_files import memory_limit, process_memory
from catalina.operations import Long, operation, readable

__all__ = ["MEMORY_USAGE", "GarbageCollectorBean", "MemoryBean"]

_USAGE = "java.lang.management.MemoryUsage"
MEMORY_USAGE = CompositeType(
    _USAGE,
    _USAGE,
    {name: ("long", name) for name in ("committed", "init", "max", "used")},
)


def _usage(used: int, committed: int, most: int) -> CompositeData:
    committed = max(used, committed)
    most = most if most >= committed else -1
    return CompositeData(MEMORY_USAGE, {"init": -1, "used": used, "committed": committed, "max": most})


class MemoryBean(Component):
    """The memory of this process: Python's allocations are the heap, its program and libraries are the rest."""

    bean_class = "sun.management.MemoryImpl"
    bean_interfaces = ("java.lang.management.MemoryMXBean", "java.lang.management.PlatformManagedObject")

    @property
    @readable("HeapMemoryUsage", doc="used: anonymous memory that is resident; committed: all that is resident.")
    def heap(self) -> CompositeData:
        facts = process_memory()
        return _usage(facts.get("RssAnon", 0), facts.get("VmRSS", 0), memory_limit())

    @property
    @readable("NonHeapMemoryUsage", doc="Memory that is mapped from files: the interpreter and its libraries.")
    def non_heap(self) -> CompositeData:
        facts = process_memory()
        files = facts.get("RssFile", 0) + facts.get("RssShmem", 0)
        return _usage(files, files, -1)

    @property
    @readable("ObjectPendingFinalizationCount", doc="Objects that the collector found and could not free.")
    def pending(self) -> int:
        return len(gc.garbage)

    @property
    @readable("Verbose", doc="True when the collector logs its work.")
    def verbose(self) -> bool:
        return bool(gc.get_debug() & gc.DEBUG_STATS)

    @operation
    def gc(self) -> None:
        """Collect garbage now; nothing is served meanwhile."""
        gc.collect()


class GarbageCollectorBean(Component):
    """One generation of Python's cyclic collector; most objects are freed without it, when nothing refers to them."""

    bean_class = "sun.management.GarbageCollectorImpl"
    bean_interfaces = (
        "java.lang.management.GarbageCollectorMXBean",
        "java.lang.management.MemoryManagerMXBean",
        "java.lang.management.PlatformManagedObject",
    )

    def __init__(self, generation: int) -> None:
        super().__init__()
        self._generation = generation

    @property
    @readable("Name", doc="The generation.")
    def label(self) -> str:
        return f"Generation {self._generation}"

    @property
    @readable("Valid", doc="Always.")
    def valid(self) -> bool:
        return True

    @property
    @readable("CollectionCount", doc="How often it has run.")
    def collections(self) -> Long:
        return int(gc.get_stats()[self._generation]["collections"])

    @property
    @readable("CollectionTime", doc="-1: Python does not measure it.")
    def collection_time(self) -> Long:
        return -1

    @property
    @readable("MemoryPoolNames", type="[Ljava.lang.String;", doc="Python has no pools.")
    def pools(self) -> list[str]:
        return []
