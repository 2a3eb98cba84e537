"""Converts the arguments of a client's call to Python values. Only a closed list of classes is accepted."""

from __future__ import annotations

import struct
from typing import Any

from catalina.errors import ProtocolError
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java import ObjectInputStream
from catalina.tribes.io.java.grammar import Limits
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, JavaString, Node

__all__ = [
    "LIMITS",
    "attribute_of",
    "attributes_of",
    "enabled_types",
    "name_of",
    "texts_of",
    "unmarshalled",
    "value_of",
]

#: Far more than a client's arguments need.
LIMITS = Limits(depth=20, superclasses=8, expansion=2**20)

_BOXES = frozenset(
    f"java.lang.{name}" for name in ("Boolean", "Byte", "Double", "Float", "Integer", "Long", "Short", "Character")
)
_NAME = "javax.management.ObjectName"
_ATTRIBUTE = "javax.management.Attribute"
_LISTS = ("java.util.ArrayList", "javax.management.AttributeList")
_NUMBERS = {"[J": ("q", 8), "[I": ("i", 4), "[D": ("d", 8), "[F": ("f", 4), "[S": ("h", 2), "[Z": ("?", 1)}
_VECTOR = "java.util.Vector"


def unmarshalled(node: Node) -> Node:
    """The content of a java.rmi.MarshalledObject; None for null.

    Raises:
        ProtocolError: the argument is something else, or its content is no stream.
    """
    if node is None:
        return None
    data = node.get("objBytes") if isinstance(node, JavaObject) and _is(node, "java.rmi.MarshalledObject") else node
    if data is None:
        return None
    if not isinstance(data, JavaArray) or not isinstance(data.values, bytes):
        raise ProtocolError(f"expected a MarshalledObject, got {node!r}")
    return ObjectInputStream(data.values, LIMITS).read_node()


def name_of(node: Node) -> ObjectName | None:
    """An ObjectName, None for null.

    Raises:
        ProtocolError: it is something else.
        MalformedObjectName: its text is no name.
    """
    if node is None:
        return None
    parts = node.annotation(_NAME) if isinstance(node, JavaObject) and _is(node, _NAME) else []
    if len(parts) != 1 or not isinstance(parts[0], JavaString):
        raise ProtocolError(f"expected an ObjectName, got {node!r}")
    return ObjectName.parse(parts[0].value)


def texts_of(node: Node) -> list[str]:
    """An array of Strings; nothing for null.

    Raises:
        ProtocolError: it is something else.
    """
    if node is None:
        return []
    if not isinstance(node, JavaArray) or isinstance(node.values, bytes):
        raise ProtocolError(f"expected an array of Strings, got {node!r}")
    found = []
    for item in node.values:
        if not isinstance(item, JavaString):
            raise ProtocolError(f"expected a String in the array, got {item!r}")
        found.append(item.value)
    return found


def value_of(node: Node) -> object:
    """A String, a box, an ObjectName, or an array or list of them.

    Raises:
        ProtocolError: it is of another class.
    """
    if node is None:
        return None
    if isinstance(node, JavaString):
        return node.value
    if isinstance(node, JavaArray):
        return _array(node)
    if isinstance(node, JavaObject):
        if node.class_name in _BOXES:
            return node.get("value")
        if node.class_name == _NAME:
            return name_of(node)
        if node.class_name in _LISTS:
            return [value_of(item) for item in _items(node)]
    raise ProtocolError(f"a value of the class {getattr(node, 'class_name', node)} means nothing here")


def attribute_of(node: Node) -> tuple[str, Any]:
    """Name and value of a javax.management.Attribute.

    Raises:
        ProtocolError: it is something else.
    """
    name = node.get("name") if isinstance(node, JavaObject) and _is(node, _ATTRIBUTE) else None
    if not isinstance(name, JavaString) or not isinstance(node, JavaObject):
        raise ProtocolError(f"expected an Attribute, got {node!r}")
    value = node.get("value")
    if isinstance(value, bool | int | float | str):
        raise ProtocolError("expected an object as the value of an Attribute")
    return name.value, value_of(value)


def attributes_of(node: Node) -> list[tuple[str, Any]]:
    """The pairs of an AttributeList.

    Raises:
        ProtocolError: it is something else.
    """
    if not isinstance(node, JavaObject) or node.class_name not in _LISTS:
        raise ProtocolError(f"expected an AttributeList, got {node!r}")
    return [attribute_of(item) for item in _items(node)]


def enabled_types(node: Node) -> tuple[str, ...] | None:
    """The beginnings of types that a listener's filter lets through; None for all.

    Raises:
        ProtocolError: the filter is of a class that is not understood: a filter that is passed over would let
            everything through.
    """
    if node is None:
        return None
    known = (
        "javax.management.NotificationFilterSupport",
        "javax.management.relation.MBeanServerNotificationFilter",
    )
    if not isinstance(node, JavaObject) or node.class_name not in known:
        raise ProtocolError(f"a filter of the class {getattr(node, 'class_name', node)} means nothing here")
    types = node.get("enabledTypes", "javax.management.NotificationFilterSupport")
    if not isinstance(types, JavaObject):
        raise ProtocolError(f"expected a list of types in the filter, got {types!r}")
    found = []
    for item in _items(types):
        if not isinstance(item, JavaString):
            raise ProtocolError(f"expected a String in the filter, got {item!r}")
        found.append(item.value)
    return tuple(found)


def _is(node: JavaObject, class_name: str) -> bool:
    return node.class_name == class_name


def _items(node: JavaObject) -> list[Node]:
    if node.class_name == _VECTOR:
        data, size = node.get("elementData"), node.get("elementCount")
        if isinstance(data, JavaArray) and isinstance(data.values, list) and isinstance(size, int):
            return data.values[: max(0, size)]
        raise ProtocolError("expected the elements of a Vector")
    found: list[Node] = []
    for item in node.annotation("java.util.ArrayList"):
        if not isinstance(item, bytes):
            found.append(item)
    return found


def _array(node: JavaArray) -> object:
    if not isinstance(node.values, bytes):
        return [value_of(item) for item in node.values]
    if node.class_name == "[B":
        return node.values
    code, size = _NUMBERS.get(node.class_name, ("", 0))
    if not code:
        raise ProtocolError(f"an array of the class {node.class_name} means nothing here")
    return list(struct.unpack(f">{len(node.values) // size}{code}", node.values))
