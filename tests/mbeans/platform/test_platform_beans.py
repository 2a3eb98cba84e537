from __future__ import annotations

from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.platform.platform_beans import platform_beans
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
