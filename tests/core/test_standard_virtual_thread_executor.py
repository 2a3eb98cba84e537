from __future__ import annotations

from catalina.core.standard_thread_executor import StandardThreadExecutor
from catalina.core.standard_virtual_thread_executor import StandardVirtualThreadExecutor
from catalina.digester.class_names import find_class


def test_it_is_an_executor_whose_threads_have_another_name() -> None:
    found = find_class("org.apache.catalina.core.StandardVirtualThreadExecutor")
    assert found is StandardVirtualThreadExecutor
    assert issubclass(found, StandardThreadExecutor)
    assert found().name_prefix == "tomcat-virt-"
    assert StandardThreadExecutor().name_prefix == "tomcat-exec-"
