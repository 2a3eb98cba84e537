"""``<Executor>`` of virtual threads (Tomcat: core/StandardVirtualThreadExecutor.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.core.standard_thread_executor import StandardThreadExecutor

__all__ = ["StandardVirtualThreadExecutor"]


class StandardVirtualThreadExecutor(StandardThreadExecutor):
    """Python has one kind of thread: an executor like the other, under names that tell it from that."""

    name_prefix = Attribute(str, "tomcat-virt-", doc="What the threads' names begin with.")
