"""The open types of a bean's attributes and operations, as ``list`` gives them with ``openTypes=true`` (protocol 8.2).

As with a JVM, only the beans that Java calls MXBeans have them; those of Tomcat's own have none.
"""

from __future__ import annotations

from typing import Any

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.open_data import CompositeData, CompositeType, ItemType, TabularData
from catalina.operations import Operation

__all__ = ["is_open", "open_type_of_attribute", "open_type_of_java", "open_type_of_result"]

_COMPOSITE, _TABULAR = "javax.management.openmbean.CompositeData", "javax.management.openmbean.TabularData"
_BOXES = {"boolean": "Boolean", "int": "Integer", "long": "Long", "double": "Double", "void": "Void"}
#: Letter of an array of primitives -> the primitive.
_PRIMITIVES = {"J": "long", "I": "int", "B": "byte", "Z": "boolean", "D": "double"}


def is_open(bean: ManagedBean) -> bool:
    """True for one whose types are all open."""
    return any(name.endswith("MXBean") for name in getattr(bean.component, "bean_interfaces", ()))


def open_type_of_attribute(bean: ManagedBean, name: str, java_type: str) -> object:
    """The open type of an attribute; None for a record or a table that has no value now, whose type is not known."""
    if java_type not in (_COMPOSITE, _TABULAR, f"[L{_COMPOSITE};"):
        return open_type_of_java(java_type)
    value = bean.value_of(name)
    if isinstance(value, CompositeData):
        return _item(value.type)
    if isinstance(value, TabularData):
        return {
            "type": value.name,
            "class": _TABULAR,
            "desc": value.description,
            "kind": "tabular",
            "index": list(value.index),
            "rowType": _item(value.row_type),
        }
    return None


def open_type_of_result(bean: ManagedBean, operation: Operation) -> object:
    """The open type of what an operation returns; None for a record whose type is not declared."""
    if operation.returns in (_COMPOSITE, f"[L{_COMPOSITE};"):
        declared = getattr(bean.component, "bean_records", {}).get(operation.name)
        if declared is None:
            return None
        return _item([declared] if operation.returns.startswith("[") else declared)
    return open_type_of_java(operation.returns)


def open_type_of_java(name: str) -> object:
    """The open type of a type that is no record, by Java's name: ``int``, ``[J``, ``[Ljava.lang.String;``."""
    if not name.startswith("["):
        return f"java.lang.{_BOXES[name]}" if name in _BOXES else name
    primitive = _PRIMITIVES.get(name[1:])
    inside = primitive or name[2:-1]
    return _array(name, name, inside, open_type_of_java(inside), primitive is not None)


def _array(kind: str, java_class: str, inside: str, element: object, is_primitive: bool = False) -> dict[str, Any]:
    return {
        "type": kind,
        "class": java_class,
        "desc": f"1-dimension array of {inside}",
        "kind": "array",
        "primitive": is_primitive,
        "dimension": 1,
        "elemType": element,
    }


def _item(kind: ItemType) -> object:
    if isinstance(kind, str):
        return open_type_of_java(kind)
    if isinstance(kind, CompositeType):
        return {
            "type": kind.name,
            "class": _COMPOSITE,
            "desc": kind.description or kind.name,
            "kind": "composite",
            "items": {name: _item(item) for name, (item, _) in kind.items.items()},
        }
    return _array(f"[L{kind[0].name};", f"[L{_COMPOSITE};", _COMPOSITE, _item(kind[0]))
