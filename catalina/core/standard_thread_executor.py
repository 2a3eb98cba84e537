"""``<Executor>``: a thread pool that connectors share by name (Tomcat: core/StandardThreadExecutor.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.lifecycle import Lifecycle

if TYPE_CHECKING:
    from catalina.connector.request_executor import RequestExecutor

__all__ = ["StandardThreadExecutor"]


class StandardThreadExecutor(Lifecycle):
    """The limits of a pool; a connector with ``executor="<name>"`` runs its requests within them.

    All connectors of a node share one loop, whose runner hands its role to another thread when a request is slow. So a
    pool has no threads of its own. It limits the use of the loop's threads (``maxThreads``, ``maxQueueSize``), and sets
    how many are kept (the largest number of all pools counts) and how they are named (by the first pool; requests that
    a pool runs beside the loop get that pool's name).
    """

    name = Attribute(str, "", doc="The name to which a connector's executor attribute refers; unique in the service.")
    thread_priority = Attribute(int, 5, inert="Python threads have no priority")
    daemon = Attribute(bool, True, inert="the loop's threads never keep the process alive")
    name_prefix = Attribute(str, "tomcat-exec-", doc="Start of the threads' names.")
    max_threads = Attribute(int, 200, doc="Requests that may run at the same time. More costs memory per thread.")
    min_spare_threads = Attribute(int, 25, doc="Idle threads that are kept. Threads are made when they are needed.")
    max_idle_time = Attribute(int, 60_000, unit="ms", doc="After this an idle surplus thread ends.")
    max_queue_size = Attribute(int, 2_147_483_647, doc="Requests that may wait for a thread; one more is refused.")
    prestart_min_spare_threads = Attribute(
        bool, False, xml="prestartminSpareThreads", inert="threads start when they are needed"
    )
    thread_renewal_delay = Attribute(
        int, 1000, unit="ms", inert="it works around class loader leaks, which Python does not have"
    )

    #: The first connector that names the pool makes it; the others share it.
    request_executor: RequestExecutor | None = None

    @property
    def active_count(self) -> int:
        """Requests that run in other threads than the loop's runner."""
        return 0 if self.request_executor is None else self.request_executor.busy

    @property
    def queue_size(self) -> int:
        """Requests that wait for a thread."""
        return 0 if self.request_executor is None else self.request_executor.waiting

    def __str__(self) -> str:
        return f"StandardThreadExecutor[{self.name}]"
