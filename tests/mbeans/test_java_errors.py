from __future__ import annotations

import pytest

from catalina.attributes import Component
from catalina.mbeans.java_errors import java_error
from catalina.mbeans.managed_bean import ManagedBean, NoSuchOperation
from catalina.mbeans.object_name import MalformedObjectName, ObjectName
from catalina.mbeans.registry import InstanceNotFound, OperationFailed
from catalina.mbeans.values import BeanAttributeError, NotOfType


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MalformedObjectName("no"), "javax.management.MalformedObjectNameException: no"),
        (InstanceNotFound("d:a=b"), "javax.management.InstanceNotFoundException: d:a=b"),
        (BeanAttributeError("no"), "javax.management.AttributeNotFoundException: no"),
        (NotOfType("no"), "javax.management.InvalidAttributeValueException: no"),
        (
            NoSuchOperation("go", 1, "x.Y"),
            "javax.management.ReflectionException: Cannot find method [go] with this signature",
        ),
        (
            OperationFailed("go", ObjectName.parse("d:a=b"), ValueError("no")),
            "javax.management.MBeanException: Exception invoking method [go]",
        ),
        (KeyError("x"), "java.lang.RuntimeException: 'x'"),
    ],
)  # fmt: skip
def test_an_error_has_its_java_class(error: Exception, text: str) -> None:
    assert str(java_error(error)) == text


def test_an_attribute_that_is_only_read_names_the_setter_that_java_misses() -> None:
    bean = ManagedBean(Component())
    with pytest.raises(BeanAttributeError) as caught:
        bean.set("className", "x")
    assert java_error(caught.value).stack_trace().split("\n")[1] == (
        "Caused by: java.lang.NoSuchMethodException: org.apache.catalina.Component.setClassName(java.lang.String)"
    )


def test_a_value_that_an_operation_refuses_is_an_illegal_argument() -> None:
    failed = OperationFailed("go", ObjectName.parse("d:a=b"), ValueError("no"))
    failed.__cause__ = ValueError("no")
    assert java_error(failed).cause == java_error(ValueError("no"))
    assert str(java_error(ValueError("no"))) == "java.lang.IllegalArgumentException: no"
