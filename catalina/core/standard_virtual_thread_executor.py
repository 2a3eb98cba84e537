"""``<Executor>`` of virtual threads (Tomcat: core/StandardVirtualThreadExecutor.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.core.standard_thread_executor import StandardThreadExecutor

__all__ = ["StandardVirtualThreadExecutor"]


class StandardVirtualThreadExecutor(StandardThreadExecutor):
    """Python has one kind of thread, so this is an executor like the other, with different thread names."""

    name_prefix = Attribute(str, "tomcat-virt-", doc="The prefix of the threads' names.")
