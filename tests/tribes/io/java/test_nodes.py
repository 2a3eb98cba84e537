from __future__ import annotations

import pytest

from catalina.errors import ProtocolError
from catalina.tribes.io.java import ClassDesc, JavaObject, JavaString
from catalina.tribes.io.java.descriptors import INTEGER, describe
from catalina.tribes.io.java.nodes import BlockData, ClassData, ProxyDesc, text_of

BASE = describe("Base", 1, fields="I size")
DERIVED = describe("Derived", 1, fields="I size", super_desc=BASE)


def test_a_field_is_the_most_derived_one_unless_a_class_is_named() -> None:
    node = JavaObject(DERIVED, [ClassData(BASE, {"size": 1}), ClassData(DERIVED, {"size": 2})])
    assert node.get("size") == 2
    assert node.get("size", "Base") == 1
    assert node.get("other") is None


def test_an_annotation_belongs_to_the_class_that_wrote_it() -> None:
    node = JavaObject(DERIVED, [ClassData(BASE, {}, [BlockData(b"x")]), ClassData(DERIVED, {})])
    assert node.annotation("Base") == [b"x"]
    assert node.annotation() == []


def test_equal_nodes_are_not_the_same_node() -> None:
    assert JavaString("a") != JavaString("a")
    assert JavaObject(INTEGER) != JavaObject(INTEGER)


def test_a_node_can_be_printed_although_it_contains_itself() -> None:
    node = JavaObject(BASE)
    node.data.append(ClassData(BASE, {"self": node}))
    assert repr(node) == "JavaObject(Base)"


def test_text_is_taken_from_strings_and_null_only() -> None:
    assert text_of(JavaString("a"), "name") == "a"
    assert text_of(None, "name") is None
    with pytest.raises(ProtocolError, match="name: expected a String"):
        text_of(JavaObject(INTEGER), "name")


def test_a_proxy_class_is_named_by_its_interfaces() -> None:
    assert ProxyDesc(("A", "B")).name == "proxy of A, B"
    assert isinstance(ClassDesc("A", 1), ClassDesc)
