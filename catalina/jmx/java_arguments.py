"""Converts the arguments of a client's call to Python values. Only a closed list of classes is accepted."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from catalina.errors import ProtocolError
from catalina.mbeans.notification_hub import Notification
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java import ObjectInputStream
from catalina.tribes.io.java.grammar import Limits
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, JavaString, Node

__all__ = [
    "LIMITS",
    "NotificationFilter",
    "array_items",
    "attribute_of",
    "attributes_of",
    "filter_of",
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
_CHANGES = "javax.management.AttributeChangeNotificationFilter"
_REGISTRATIONS = "javax.management.relation.MBeanServerNotificationFilter"
_FILTERS = (_CHANGES, _REGISTRATIONS, "javax.management.NotificationFilterSupport")


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """The notifications that a listener wants. None does not restrict them.

    Args:
        types: beginnings of their types.
        selected, deselected: beans of the delegate's notifications; a bean has to be selected, if there is a choice,
            and must not be deselected.
        attributes: names, of changed attributes.
    """

    types: tuple[str, ...] | None = None
    selected: frozenset[ObjectName] | None = None
    deselected: frozenset[ObjectName] | None = None
    attributes: frozenset[str] | None = None

    def lets_through(self, one: Notification) -> bool:
        """True for a notification that the listener wants."""
        if self.types is not None and not one.type.startswith(self.types):
            return False
        if self.selected is not None and one.bean not in self.selected:
            return False
        if self.deselected is not None and one.bean in self.deselected:
            return False
        return self.attributes is None or (one.change is not None and one.change.name in self.attributes)


def unmarshalled(node: Node, limits: Limits = LIMITS) -> Node:
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
    return ObjectInputStream(data.values, limits).read_node()


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


def filter_of(node: Node) -> NotificationFilter:
    """A listener's filter; null lets everything through.

    Raises:
        ProtocolError: it is of a class that is not understood: a filter that is passed over would let everything
            through.
        MalformedObjectName: a name in it is none.
    """
    if node is None:
        return NotificationFilter()
    kind = node.class_name if isinstance(node, JavaObject) else ""
    if not isinstance(node, JavaObject) or kind not in _FILTERS:
        raise ProtocolError(f"a filter of the class {getattr(node, 'class_name', node)} means nothing here")
    if kind == _CHANGES:
        return NotificationFilter(attributes=frozenset(_texts(node.get("enabledAttributes"))))
    types = tuple(_texts(node.get("enabledTypes", "javax.management.NotificationFilterSupport")))
    if kind != _REGISTRATIONS:
        return NotificationFilter(types)
    selected, deselected = _names(node.get("selectedNames")), _names(node.get("deselectedNames"))
    # With a list of selected names only these come; without one all come that are not deselected, and without both
    # lists none.
    if selected is None:
        return NotificationFilter(types, None, deselected) if deselected is not None else NotificationFilter(())
    return NotificationFilter(types, selected)


def _texts(node: object) -> list[str]:
    if not isinstance(node, JavaObject):
        raise ProtocolError(f"expected a list of Strings in the filter, got {node!r}")
    found = []
    for item in _items(node):
        if not isinstance(item, JavaString):
            raise ProtocolError(f"expected a String in the filter, got {item!r}")
        found.append(item.value)
    return found


def _names(node: object) -> frozenset[ObjectName] | None:
    if node is None:
        return None
    if not isinstance(node, JavaObject):
        raise ProtocolError(f"expected a list of names in the filter, got {node!r}")
    names = (name_of(item) for item in _items(node))
    return frozenset(name for name in names if name is not None)


def array_items(node: object) -> list[Node]:
    """The elements of an array of objects.

    Raises:
        ProtocolError: it is something else.
    """
    values = node.values if isinstance(node, JavaArray) else None
    if not isinstance(values, list):
        raise ProtocolError(f"expected an array of objects, got {node!r}")
    return values


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
