"""tests/interop/test_jmx_java.py shows how Java reads these nodes."""

from __future__ import annotations

import pytest

from catalina.jmx.java_arguments import value_of
from catalina.jmx.java_nodes import attribute_list, error_node, value_node
from catalina.mbeans.java_errors import JavaError
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java.nodes import JavaObject


@pytest.mark.parametrize(
    ("value", "kind", "class_name"),
    [
        (1, "int", "java.lang.Integer"),
        (1, "long", "java.lang.Long"),
        (2**40, "int", "java.lang.Long"),
        (True, "boolean", "java.lang.Boolean"),
        (0.5, "double", "java.lang.Double"),
        ([1], "[J", "[J"),
        (["a"], "[Ljava.lang.String;", "[Ljava.lang.String;"),
        (b"x", "[B", "[B"),
        (ObjectName("d", {"a": "b"}), "", "javax.management.ObjectName"),
    ],
)
def test_a_value_has_javas_class_and_comes_back(value: object, kind: str, class_name: str) -> None:
    node = value_node(value, kind)
    assert getattr(node, "class_name", "") == class_name
    assert value_of(node) == value


def test_a_number_that_no_long_holds_is_the_largest_there_is() -> None:
    assert value_of(value_node(2**70)) == 2**63 - 1


def test_an_attribute_list_is_a_list() -> None:
    node = attribute_list([("a", value_node(1))])
    assert isinstance(node, JavaObject)
    assert [data.desc.name for data in node.data] == ["java.util.ArrayList", "javax.management.AttributeList"]


def test_an_exception_that_clients_need_not_have_is_a_plain_one_with_its_text() -> None:
    node = error_node(JavaError("com.example.OddException", "why", JavaError("java.lang.SecurityException", "x")))
    assert isinstance(node, JavaObject)
    assert node.class_name == "java.lang.RuntimeException"
    assert str(node.get("detailMessage")) == "com.example.OddException: why"
    cause = node.get("cause")
    assert isinstance(cause, JavaObject)
    assert cause.class_name == "java.lang.SecurityException"
