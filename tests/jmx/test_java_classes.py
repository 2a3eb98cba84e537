from __future__ import annotations

import pytest

from catalina.jmx.java_classes import is_known, java_class, lineage


def test_a_class_has_its_superclasses_and_a_null_annotation() -> None:
    names = [desc.name for desc in lineage("javax.management.InstanceNotFoundException")]
    assert names == [
        "java.lang.Throwable", "java.lang.Exception", "javax.management.JMException",
        "javax.management.OperationsException", "javax.management.InstanceNotFoundException",
    ]  # fmt: skip
    assert all(desc.annotation == [None] for desc in lineage("java.lang.Long"))


def test_a_descriptor_is_one_object() -> None:
    assert java_class("java.lang.Long") is java_class("java.lang.Long")


def test_a_class_that_nobody_is_answered_with_is_unknown() -> None:
    assert not is_known("java.net.URL")
    with pytest.raises(KeyError):
        java_class("java.net.URL")
