from __future__ import annotations

from catalina.connector.connector import Connector
from catalina.connector.thread_pool_bean import ThreadPoolBean
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName


def bean(connector: Connector) -> ManagedBean:
    return ManagedBean(ThreadPoolBean(connector), ObjectName.parse('Catalina:type=ThreadPool,name="http-nio-8080"'))


def test_a_connector_that_does_not_run_has_its_limits_and_no_connections() -> None:
    connector = Connector(port=8080)
    connector.set_attribute("maxThreads", "7")
    values = dict(bean(connector).items())
    assert values["maxThreads"] == 7
    assert values["connectionCount"] == values["currentThreadsBusy"] == values["currentThreadCount"] == 0
    assert values["name"] == "http-nio-8080"
    assert values["sSLEnabled"] is False
    assert values["running"] is False


def test_the_types_are_tomcats() -> None:
    types = {one.name: one.type for one in bean(Connector(port=8080)).info().attributes}
    assert (types["connectionCount"], types["currentThreadsBusy"], types["maxConnections"]) == ("long", "int", "int")
    assert bean(Connector(port=8080)).info().class_name == "org.apache.catalina.mbeans.ClassNameMBean"
