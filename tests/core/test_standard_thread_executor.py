"""The limits of a shared pool."""

from __future__ import annotations

from catalina.core.standard_thread_executor import StandardThreadExecutor


def test_the_attributes_are_tomcats_with_its_defaults() -> None:
    executor = StandardThreadExecutor()
    assert (executor.max_threads, executor.min_spare_threads, executor.name_prefix) == (200, 25, "tomcat-exec-")
    assert executor.set_attribute("prestartminSpareThreads", "true")
    assert executor.set_attribute("maxThreads", "7")
    assert (executor.max_threads, executor.prestart_min_spare_threads) == (7, True)
