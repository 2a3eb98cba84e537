from __future__ import annotations

import gc

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.platform.platform_beans import GarbageCollectorBean, MemoryBean, platform_beans
from catalina.mbeans.registry import Registry


def registry() -> Registry:
    made = Registry()
    made.add_source(platform_beans({}))
    return made


def test_the_names_are_those_of_every_jvm() -> None:
    names = {str(name) for name in registry().names()}
    assert names >= {
        "JMImplementation:type=MBeanServerDelegate", "java.lang:type=Memory", "java.lang:type=OperatingSystem",
        "java.lang:type=Runtime", "java.lang:type=Threading", "java.lang:type=ClassLoading",
    }  # fmt: skip
    assert "java.lang:type=Compilation" not in names


def test_every_value_can_be_read() -> None:
    for name, bean in registry().query(ObjectName.parse("*:*")):
        for attribute in bean.names():
            assert bean.get(attribute) is not None, f"{name} {attribute}"


def test_the_bean_server_tells_who_comes_and_goes() -> None:
    info = registry().find(ObjectName.parse("JMImplementation:type=MBeanServerDelegate")).info()
    assert info.notifications[0].types == ("JMX.mbean.registered", "JMX.mbean.unregistered")
    assert info.class_name == "javax.management.MBeanServerDelegate"


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
