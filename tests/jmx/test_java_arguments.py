from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.jmx.java_arguments import LIMITS, attribute_of, filter_of, name_of, texts_of, unmarshalled, value_of
from catalina.jmx.java_nodes import name_node, text, value_node
from catalina.mbeans.notification_hub import AttributeChange, Notification
from catalina.mbeans.object_name import MalformedObjectName, ObjectName
from catalina.tribes.io.java import ObjectInputStream
from catalina.tribes.io.java.descriptors import WRITE_METHOD, describe
from catalina.tribes.io.java.nodes import ClassData, JavaObject, JavaString, Node, Primitive


def strange() -> Node:
    kind = describe("com.example.Gadget", 1, WRITE_METHOD)
    return JavaObject(kind, [ClassData(kind, {}, [JavaString("x")])])


def test_names_and_texts_are_read() -> None:
    assert name_of(name_node(ObjectName("d", {"a": "b"}))) == ObjectName("d", {"a": "b"})
    assert name_of(None) is None
    assert texts_of(value_node(["a", "b"])) == ["a", "b"]
    assert texts_of(None) == []


@pytest.mark.parametrize("read", [name_of, texts_of, value_of, attribute_of, filter_of, unmarshalled])
def test_an_object_of_another_class_is_refused(read: object) -> None:
    with pytest.raises(ProtocolError):
        read(strange())  # type: ignore[operator]  # a function


@pytest.mark.parametrize("read", [name_of, texts_of, attribute_of, unmarshalled])
def test_a_text_where_an_object_belongs_is_refused(read: object) -> None:
    with pytest.raises(ProtocolError):
        read(text("x"))  # type: ignore[operator]  # a function


READERS = (name_of, texts_of, value_of, attribute_of, filter_of, unmarshalled)


@given(st.binary(max_size=200))
def test_any_bytes_are_arguments_or_the_documented_error(data: bytes) -> None:
    try:
        node = ObjectInputStream(b"\xac\xed\0\5" + data, LIMITS).read_node()
    except ProtocolError:
        return
    for read in READERS:
        with contextlib.suppress(ProtocolError, MalformedObjectName):
            read(node)


def a_list(kind: str, items: list[Node]) -> Node:
    desc = describe(kind, 1, WRITE_METHOD)
    return JavaObject(desc, [ClassData(desc, {}, list(items))])


def a_filter(kind: str, **fields: Node) -> Node:
    desc = describe(f"javax.management.{kind}", 1)
    return JavaObject(desc, [ClassData(desc, dict(fields))])


CAME, OTHER = ObjectName("d", {"type": "Came"}), ObjectName("d", {"type": "Other"})
REGISTRATIONS = "relation.MBeanServerNotificationFilter"


def registered(name: ObjectName) -> Notification:
    return Notification(1, "JMX.mbean.registered", ObjectName("JMImplementation", {"type": "x"}), 0, "", bean=name)


@pytest.mark.parametrize(
    ("selected", "deselected", "came", "other"),
    [
        ([CAME], None, True, False),
        ([], None, False, False),
        (None, [CAME], False, True),
        (None, [], True, True),
        (None, None, False, False),
        ([CAME], [CAME], True, False),
    ],
)
def test_a_filter_of_registrations_lets_its_names_through(
    selected: list[ObjectName] | None, deselected: list[ObjectName] | None, came: bool, other: bool
) -> None:
    def names(given: list[ObjectName] | None) -> Node:
        return None if given is None else a_list("java.util.ArrayList", [name_node(each) for each in given])

    support = describe("javax.management.NotificationFilterSupport", 1)
    desc = describe(f"javax.management.{REGISTRATIONS}", 1, super_desc=support)
    types = a_list("java.util.ArrayList", [text("JMX.mbean.registered")])
    own: dict[str, Primitive | Node] = {"selectedNames": names(selected), "deselectedNames": names(deselected)}
    node = JavaObject(desc, [ClassData(support, {"enabledTypes": types}), ClassData(desc, own)])
    found = filter_of(node)
    assert (found.lets_through(registered(CAME)), found.lets_through(registered(OTHER))) == (came, other)


def test_a_filter_of_changes_lets_its_attributes_through() -> None:
    node = a_filter(
        "AttributeChangeNotificationFilter", enabledAttributes=a_list("java.util.ArrayList", [text("size")])
    )
    change = Notification(1, "jmx.attribute.change", CAME, 0, "", change=AttributeChange("size", "int", 1, 2))
    other = Notification(1, "jmx.attribute.change", CAME, 0, "", change=AttributeChange("label", "int", 1, 2))
    found = filter_of(node)
    assert [found.lets_through(each) for each in (change, other, registered(CAME))] == [True, False, False]
