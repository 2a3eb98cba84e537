from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.jmx.java_arguments import LIMITS, attribute_of, enabled_types, name_of, texts_of, unmarshalled, value_of
from catalina.jmx.java_nodes import name_node, text, value_node
from catalina.mbeans.object_name import MalformedObjectName, ObjectName
from catalina.tribes.io.java import ObjectInputStream
from catalina.tribes.io.java.descriptors import WRITE_METHOD, describe
from catalina.tribes.io.java.nodes import ClassData, JavaObject, JavaString, Node


def strange() -> Node:
    kind = describe("com.example.Gadget", 1, WRITE_METHOD)
    return JavaObject(kind, [ClassData(kind, {}, [JavaString("x")])])


def test_names_and_texts_are_read() -> None:
    assert name_of(name_node(ObjectName("d", {"a": "b"}))) == ObjectName("d", {"a": "b"})
    assert name_of(None) is None
    assert texts_of(value_node(["a", "b"])) == ["a", "b"]
    assert texts_of(None) == []


@pytest.mark.parametrize("read", [name_of, texts_of, value_of, attribute_of, enabled_types, unmarshalled])
def test_an_object_of_another_class_is_refused(read: object) -> None:
    with pytest.raises(ProtocolError):
        read(strange())  # type: ignore[operator]  # a function


@pytest.mark.parametrize("read", [name_of, texts_of, attribute_of, unmarshalled])
def test_a_text_where_an_object_belongs_is_refused(read: object) -> None:
    with pytest.raises(ProtocolError):
        read(text("x"))  # type: ignore[operator]  # a function


READERS = (name_of, texts_of, value_of, attribute_of, enabled_types, unmarshalled)


@given(st.binary(max_size=200))
def test_any_bytes_are_arguments_or_the_documented_error(data: bytes) -> None:
    try:
        node = ObjectInputStream(b"\xac\xed\0\5" + data, LIMITS).read_node()
    except ProtocolError:
        return
    for read in READERS:
        with contextlib.suppress(ProtocolError, MalformedObjectName):
            read(node)
