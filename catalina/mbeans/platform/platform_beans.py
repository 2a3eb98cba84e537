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
from catalina.mbeans.platform.memory import GarbageCollectorBean, MemoryBean
from catalina.mbeans.platform.operating_system import OperatingSystemBean
from catalina.mbeans.platform.runtime import ClassLoadingBean, RuntimeBean
from catalina.mbeans.platform.threads import ThreadingBean
from catalina.operations import readable

__all__ = ["platform_beans"]


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
