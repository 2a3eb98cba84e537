"""The limits of a shared pool."""

from __future__ import annotations

from catalina.connector.request_executor import RequestExecutor
from catalina.core.standard_thread_executor import StandardThreadExecutor
from catalina.reactor import Reactor


def test_it_counts_the_requests_of_the_connectors_that_share_it() -> None:
    executor = StandardThreadExecutor(name="pool")
    assert (executor.active_count, executor.queue_size) == (0, 0)
    executor.request_executor = RequestExecutor(Reactor("test"))
    executor.request_executor.busy = 2
    assert (executor.active_count, executor.queue_size) == (2, 0)


def test_the_attributes_are_tomcats_with_its_defaults() -> None:
    executor = StandardThreadExecutor()
    assert (executor.max_threads, executor.min_spare_threads, executor.name_prefix) == (200, 25, "tomcat-exec-")
    assert executor.set_attribute("prestartminSpareThreads", "true")
    assert executor.set_attribute("maxThreads", "7")
    assert (executor.max_threads, executor.prestart_min_spare_threads) == (7, True)
