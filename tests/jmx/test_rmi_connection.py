"""The rest of what a client may ask is in tests/interop/test_jmx_java.py, asked by a JVM."""

from __future__ import annotations

import pytest

from catalina.errors import ProtocolError
from catalina.jmx.java_nodes import array, name_node, text, value_node
from catalina.jmx.rmi_connection import AccessDenied, RmiConnection
from catalina.mbeans.audit import Caller
from catalina.mbeans.notification_hub import DELEGATE
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, Node
from tests.jmx.pool import POOL, pool_registry


def connection(may_change: bool = True) -> RmiConnection:
    return RmiConnection(pool_registry(), Caller("jmx", "ops", "10.0.0.7:4711"), may_change, 1, lambda _: None)


def test_a_connection_says_who_it_is() -> None:
    assert str(connection().get_connection_id()) == "rmi://10.0.0.7 ops 1"


@pytest.mark.parametrize("method", ["set_attribute", "set_attributes"])
def test_nothing_is_changed_without_the_right(method: str) -> None:
    with pytest.raises(AccessDenied):
        getattr(connection(may_change=False), method)(name_node(POOL), None, None)


def test_a_query_of_a_class_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ProtocolError):
        connection().query_names(None, value_node(1), None)


def names(*some: ObjectName) -> Node:
    return array("[Ljavax.management.ObjectName;", map(name_node, some))


def nulls(count: int) -> Node:
    return array("[Ljava.lang.String;", [None] * count)


def test_a_listener_hears_its_bean_only() -> None:
    made = connection()
    made.add_notification_listeners(names(POOL, DELEGATE), nulls(2), None)
    made._registry.set(POOL, "size", 9, made.caller)
    result = made.fetch_notifications(0, 10, 0)
    assert isinstance(result, JavaObject)
    told = result.get("targetedNotifications")
    assert isinstance(told, JavaArray)
    (one,) = told.values
    assert isinstance(one, JavaObject)
    notification = one.get("notif")
    assert isinstance(notification, JavaObject)
    assert notification.class_name == "javax.management.AttributeChangeNotification"


def test_listeners_are_counted() -> None:
    made = connection()
    many = names(*[POOL] * 1001)
    with pytest.raises(ProtocolError, match="more than 1000 listeners"):
        made.add_notification_listeners(many, nulls(1001), None)


def test_a_listener_of_no_bean_is_an_error() -> None:
    from catalina.mbeans.registry import InstanceNotFound

    with pytest.raises(InstanceNotFound):
        connection().add_notification_listeners(names(ObjectName("d", {"a": "b"})), nulls(1), None)


def test_beans_come_from_nobody_outside() -> None:
    with pytest.raises(AccessDenied):
        connection().refuse(text("x"), name_node(POOL), None)
