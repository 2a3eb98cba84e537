from __future__ import annotations

import gc

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.platform.memory import GarbageCollectorBean, MemoryBean


def test_a_usage_keeps_the_order_that_java_demands() -> None:
    for usage in (MemoryBean().heap, MemoryBean().non_heap):
        values = usage.values
        assert 0 < values["used"] <= values["committed"]
        assert values["max"] == -1 or values["committed"] <= values["max"]


def test_the_attributes_are_those_of_a_jvm() -> None:
    info = ManagedBean(MemoryBean()).info()
    assert {one.name: one.type for one in info.attributes if one.name != "className"} == {
        "HeapMemoryUsage": "javax.management.openmbean.CompositeData",
        "NonHeapMemoryUsage": "javax.management.openmbean.CompositeData",
        "ObjectPendingFinalizationCount": "int",
        "Verbose": "boolean",
    }


def test_a_collection_counts() -> None:
    oldest = GarbageCollectorBean(2)
    before = oldest.collections
    bean = ManagedBean(MemoryBean())
    bean.invoke(bean.operation("gc", 0), [])
    assert oldest.collections == before + 1
    assert oldest.label == "Generation 2"
    assert len(gc.get_stats()) == 3
