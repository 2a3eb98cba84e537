"""Converts Python values to Java objects that JMX clients expect, as inert nodes for the stream writer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalina.jmx.java_classes import is_known, java_class, lineage
from catalina.mbeans.bean_info import AttributeInfo, BeanInfo, NotificationInfo
from catalina.mbeans.java_errors import JavaError
from catalina.mbeans.java_types import INT_MAX
from catalina.mbeans.notification_hub import Notification
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType, ItemType, TabularData, java_text
from catalina.operations import Operation, Parameter
from catalina.tribes.io.java.descriptors import WRITE_METHOD
from catalina.tribes.io.java.nodes import BlockData, ClassData, JavaArray, JavaObject, JavaString, Node

__all__ = [
    "array", "attribute_list", "bean_info_node", "error_node", "instance", "lease", "name_node", "name_set", "node_set",
    "notification_result", "value_node",
]  # fmt: skip

_I32 = struct.Struct(">i")
_LOAD = struct.Struct(">ifi")


def _object(class_name: str, fields: Mapping[str, Any], annotations: Mapping[str, list[Any]] | None = None) -> Node:
    """An object; each field goes to the class of its hierarchy that declares it.

    Args:
        annotations: class -> what its writeObject adds.
    """
    parts = []
    for desc in lineage(class_name):
        own = {field.name: fields[field.name] for field in desc.fields}
        added = (annotations or {}).get(desc.name, []) if desc.flags == WRITE_METHOD else None
        parts.append(ClassData(desc, own, added))
    return JavaObject(java_class(class_name), parts)


def text(value: str | None) -> Node:
    """A String."""
    return None if value is None else JavaString(value)


def array(class_name: str, items: Iterable[Node]) -> Node:
    """An array of objects; ``class_name`` is Java's, ``[Ljava.lang.String;``."""
    return JavaArray(java_class(class_name), list(items))


def name_node(name: ObjectName) -> Node:
    """An ObjectName."""
    return _object("javax.management.ObjectName", {}, {"javax.management.ObjectName": [JavaString(str(name))]})


# -- values


def value_node(value: object, kind: str = "") -> Node:
    """A value of a bean.

    Args:
        kind: Java's name of its type; it chooses between the sizes of numbers. Empty: by the value.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return _object("java.lang.Boolean", {"value": value})
    if isinstance(value, int):
        return _number(value, kind)
    if isinstance(value, float):
        return _object("java.lang.Double", {"value": value})
    if isinstance(value, bytes):
        return JavaArray(java_class("[B"), value)
    if isinstance(value, ObjectName):
        return name_node(value)
    if isinstance(value, CompositeData):
        return _composite(value)
    if isinstance(value, TabularData):
        return _tabular(value)
    if isinstance(value, list):
        return _list(value, kind)
    return JavaString(str(value))


def _number(value: int, kind: str) -> Node:
    fits = -INT_MAX - 1 <= value <= INT_MAX
    if kind not in ("long", "java.lang.Long") and fits:
        return _object("java.lang.Integer", {"value": value})
    low, high = -(2**63), 2**63 - 1
    return _object("java.lang.Long", {"value": min(max(value, low), high)})


def _list(value: list[Any], kind: str) -> Node:
    if kind == "[J":
        return JavaArray(java_class("[J"), struct.pack(f">{len(value)}q", *value))
    if kind in ("[Ljavax.management.ObjectName;", "[Ljavax.management.openmbean.CompositeData;"):
        return array(kind, [value_node(item) for item in value])
    if kind == "java.util.Set":
        return node_set([value_node(item) for item in value])
    return array("[Ljava.lang.String;", [None if item is None else JavaString(java_text(item)) for item in value])


def node_set(items: Sequence[Node]) -> Node:
    """A Set."""
    head = BlockData(_LOAD.pack(2 * len(items) + 16, 0.75, len(items)))
    return _object("java.util.HashSet", {}, {"java.util.HashSet": [head, *items]})


def name_set(names: Iterable[ObjectName]) -> Node:
    """A Set of ObjectNames."""
    return node_set([name_node(name) for name in names])


def _array_list(items: Sequence[Node], class_name: str = "java.util.ArrayList") -> Node:
    head = BlockData(_I32.pack(len(items)))
    return _object(class_name, {"size": len(items)}, {"java.util.ArrayList": [head, *items]})


def _tree_map(pairs: Mapping[str, Node]) -> Node:
    entries: list[Any] = [BlockData(_I32.pack(len(pairs)))]
    for key in sorted(pairs):
        entries += [JavaString(key), pairs[key]]
    return _object("java.util.TreeMap", {"comparator": None}, {"java.util.TreeMap": entries})


# -- open types

_COMPOSITE = "javax.management.openmbean.CompositeData"
_BOXES = {"boolean": "Boolean", "int": "Integer", "long": "Long", "double": "Double"}


def _open_type(class_name: str, java_name: str, type_name: str, description: str, **more: Any) -> Node:
    fields = {"className": JavaString(java_name), "typeName": JavaString(type_name)}
    return _object(
        f"javax.management.openmbean.{class_name}", {**fields, "description": JavaString(description), **more}
    )


def _type_node(kind: ItemType) -> Node:
    if isinstance(kind, CompositeType):
        return _composite_type(kind)
    if isinstance(kind, list):
        name = f"[L{_COMPOSITE};"
        element = _composite_type(kind[0])
        words = f"1-dimension array of {_COMPOSITE}"
        return _open_type("ArrayType", name, name, words, dimension=1, primitiveArray=False, elementType=element)
    name = f"java.lang.{_BOXES[kind]}" if kind in _BOXES else kind
    return _open_type("SimpleType", name, name, name)


def _composite_type(kind: CompositeType) -> Node:
    return _open_type(
        "CompositeType", _COMPOSITE, kind.name, kind.description or kind.name,
        nameToDescription=_tree_map({name: JavaString(item[1] or name) for name, item in kind.items.items()}),
        nameToType=_tree_map({name: _type_node(item[0]) for name, item in kind.items.items()}),
    )  # fmt: skip


def _composite(value: CompositeData, kind: Node = None) -> Node:
    contents = {name: _item(value.values.get(name), item[0]) for name, item in value.type.items.items()}
    return _object(
        "javax.management.openmbean.CompositeDataSupport",
        {"compositeType": kind or _composite_type(value.type), "contents": _tree_map(contents)},
    )


def _item(value: Any, kind: ItemType) -> Node:
    if isinstance(kind, str):
        return value_node(value, kind)
    if isinstance(kind, list):
        return None if value is None else array(f"[L{_COMPOSITE};", [value_node(item) for item in value])
    return value_node(value)


def _tabular(value: TabularData) -> Node:
    row_type = _composite_type(value.row_type)
    kind = _open_type(
        "TabularType", "javax.management.openmbean.TabularData", value.name, value.description,
        indexNames=_array_list([JavaString(name) for name in value.index]), rowType=row_type,
    )  # fmt: skip
    size = 16
    while size * 3 // 4 < len(value.rows):
        size *= 2
    entries: list[Any] = [BlockData(_I32.pack(size) + _I32.pack(len(value.rows)))]
    for row in value.rows:
        key = [_item(row.values.get(name), value.row_type.items[name][0]) for name in value.index]
        entries += [_array_list(key), _composite(row, row_type)]
    rows = _object(
        "java.util.HashMap", {"loadFactor": 0.75, "threshold": size * 3 // 4}, {"java.util.HashMap": entries}
    )
    return _object("javax.management.openmbean.TabularDataSupport", {"dataMap": rows, "tabularType": kind})


# -- beans


def instance(name: ObjectName, class_name: str) -> Node:
    """An ObjectInstance."""
    return _object("javax.management.ObjectInstance", {"className": JavaString(class_name), "name": name_node(name)})


def attribute_list(pairs: Iterable[tuple[str, Node]]) -> Node:
    """An AttributeList."""
    items = [_object("javax.management.Attribute", {"name": JavaString(name), "value": value}) for name, value in pairs]
    return _array_list(items, "javax.management.AttributeList")


def _feature(class_name: str, name: str, description: str, **fields: Any) -> Node:
    named = {"name": JavaString(name), "description": JavaString(description), **fields}
    return _object(f"javax.management.{class_name}", named)


def _attribute(info: AttributeInfo) -> Node:
    return _feature(
        "MBeanAttributeInfo", info.name, info.description, isRead=True, isWrite=info.writable,
        attributeType=JavaString(info.type), **{"is": info.is_getter},
    )  # fmt: skip


def _parameter(info: Parameter) -> Node:
    return _feature("MBeanParameterInfo", info.name, info.doc or info.name, type=JavaString(info.type))


def _operation(info: Operation) -> Node:
    signature = array("[Ljavax.management.MBeanParameterInfo;", map(_parameter, info.parameters))
    return _feature(
        "MBeanOperationInfo", info.name, info.doc or info.name, impact=int(info.impact), signature=signature,
        type=JavaString(info.returns),
    )  # fmt: skip


def _told(info: NotificationInfo) -> Node:
    types = array("[Ljava.lang.String;", map(JavaString, info.types))
    return _feature("MBeanNotificationInfo", info.class_name, info.description, types=types)


def bean_info_node(info: BeanInfo) -> Node:
    """An MBeanInfo."""
    return _object(
        "javax.management.MBeanInfo",
        {
            "attributes": array("[Ljavax.management.MBeanAttributeInfo;", map(_attribute, info.attributes)),
            "className": JavaString(info.class_name),
            "constructors": array("[Ljavax.management.MBeanConstructorInfo;", []),
            "description": JavaString(info.description),
            "notifications": array("[Ljavax.management.MBeanNotificationInfo;", map(_told, info.notifications)),
            "operations": array("[Ljavax.management.MBeanOperationInfo;", map(_operation, info.operations)),
        },
    )


# -- notifications


def _notification(one: Notification) -> Node:
    fields = {
        "sequenceNumber": one.number,
        "timeStamp": one.time_ms,
        "message": JavaString(one.message),
        "source": name_node(one.source),
        "type": JavaString(one.type),
        "userData": None,
    }
    if one.bean is not None:
        return _object("javax.management.MBeanServerNotification", {**fields, "objectName": name_node(one.bean)})
    change = one.change
    if change is None:
        return _object("javax.management.Notification", fields)
    more = {
        "attributeName": JavaString(change.name),
        "attributeType": JavaString(change.type),
        "newValue": value_node(change.new, change.type),
        "oldValue": value_node(change.old, change.type),
    }
    return _object("javax.management.AttributeChangeNotification", {**fields, **more})


def notification_result(earliest: int, following: int, found: Iterable[tuple[int, Notification]]) -> Node:
    """A NotificationResult: each notification with the number of the listener that wants it."""
    targeted = [
        _object(
            "javax.management.remote.TargetedNotification",
            {"id": value_node(listener), "notif": _notification(one)},
        )
        for listener, one in found
    ]
    return _object(
        "javax.management.remote.NotificationResult",
        {
            "earliestSequenceNumber": earliest,
            "nextSequenceNumber": following,
            "targetedNotifications": array("[Ljavax.management.remote.TargetedNotification;", targeted),
        },
    )


# -- errors and RMI


def error_node(error: JavaError) -> Node:
    """A Throwable; for a class that clients may lack, a RuntimeException with its text."""
    cause = None if error.cause is None else error_node(error.cause)
    name, message = error.class_name, error.message
    if not is_known(name) or lineage(name)[0].name != "java.lang.Throwable":
        name, message = "java.lang.RuntimeException", str(error)
    fields = {"cause": cause, "detailMessage": JavaString(message), "stackTrace": None, "suppressedExceptions": None}
    # MBeanException and ReflectionException keep their cause in a field of their own, RemoteException, too.
    return _object(name, {**fields, "exception": cause, "detail": cause})


def lease(milliseconds: int) -> Node:
    """A Lease of RMI's collector."""
    return _object("java.rmi.dgc.Lease", {"value": milliseconds, "vmid": None})
