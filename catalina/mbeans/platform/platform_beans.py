"""The beans of ``java.lang`` and of the bean server itself, under the names that every JVM has."""

from __future__ import annotations

import gc
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping

from catalina.attributes import Component
from catalina.mbeans.bean_info import NotificationInfo
from catalina.mbeans.notification_hub import DELEGATE, REGISTERED, UNREGISTERED
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType
from catalina.mbeans.platform.operating_system import OperatingSystemBean
from catalina.mbeans.platform.process_files import memory_limit, process_memory
from catalina.mbeans.platform.runtime import ClassLoadingBean, RuntimeBean
from catalina.mbeans.platform.threads import ThreadingBean
from catalina.operations import Long, operation, readable

__all__ = ["MEMORY_USAGE", "GarbageCollectorBean", "MemoryBean", "platform_beans"]
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


class DelegateBean(Component):
    """The bean server; it reports beans that come and go."""

    bean_class = "javax.management.MBeanServerDelegate"
    bean_notifications = (
        NotificationInfo(
            "javax.management.MBeanServerNotification",
            (REGISTERED, UNREGISTERED),
            "Notifications sent by the MBeanServerDelegate MBean",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._id = f"{socket.gethostname()}_{secrets.token_hex(4)}"

    @property
    @readable("MBeanServerId", doc="The MBean server agent identification")
    def server_id(self) -> str:
        return self._id

    @property
    @readable("SpecificationName", doc="The full name of the JMX specification implemented by this product.")
    def specification_name(self) -> str:
        return "Java Management Extensions"

    @property
    @readable("SpecificationVersion", doc="The version of the JMX specification implemented by this product.")
    def specification_version(self) -> str:
        return "1.4"

    @property
    @readable("SpecificationVendor", doc="The vendor of the JMX specification implemented by this product.")
    def specification_vendor(self) -> str:
        return "Oracle Corporation"

    @property
    @readable("ImplementationName", doc="The JMX implementation name (the name of this product)")
    def implementation_name(self) -> str:
        return "Catalina for Python"


def platform_beans(properties: Mapping[str, str]) -> Callable[[], Iterator[tuple[ObjectName, Component]]]:
    """A source for the registry.

    Args:
        properties: the server's.
    """
    beans: list[tuple[ObjectName, Component]] = [(DELEGATE, DelegateBean())]
    for kind, bean in (
        ("Memory", MemoryBean()),
        ("OperatingSystem", OperatingSystemBean()),
        ("Runtime", RuntimeBean(properties)),
        ("Threading", ThreadingBean()),
        ("ClassLoading", ClassLoadingBean()),
    ):
        beans.append((ObjectName("java.lang", {"type": kind}), bean))
    for generation in range(len(gc.get_stats())):
        name = ObjectName("java.lang", {"type": "GarbageCollector", "name": f"Generation {generation}"})
        beans.append((name, GarbageCollectorBean(generation)))
    return lambda: iter(beans)
