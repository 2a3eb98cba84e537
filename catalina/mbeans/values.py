"""Converts values between components and clients: the values that a bean shows, and arguments of Java's types."""

from __future__ import annotations

import re

from catalina.errors import CatalinaError
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, TabularData, java_text

__all__ = ["BeanAttributeError", "NoSetter", "NotOfType", "as_text", "converted", "shown_value"]

_STRING = "java.lang.String"
_SHOWN = (bool, int, float, str, bytes, ObjectName, CompositeData, TabularData)
_IN_LISTS = (int, ObjectName, CompositeData)

_INTEGERS = {"byte": 8, "short": 16, "int": 32, "long": 64}


class BeanAttributeError(CatalinaError):
    """There is no such attribute."""


class NoSetter(BeanAttributeError):
    """An attribute cannot be set.

    Args:
        name: of the attribute.
        resource: the component, for the text.
        method: the method that Java would have called, with class and parameters.
    """

    def __init__(self, name: str, resource: object, method: str) -> None:
        super().__init__(f"Cannot find setter method [set{name[:1].upper()}{name[1:]}] on resource [{resource}]")
        self.method = method


class NotOfType(BeanAttributeError):
    """A value is none of the type of an attribute or parameter."""


def converted(kind: str, value: object, name: str) -> object:
    """An argument as a value of a Java type.

    Args:
        kind: Java's name of the type.
        value: a value of that type, or its text.
        name: of the parameter, for the error.

    Raises:
        NotOfType: the value is not of that type.
    """
    if kind == _STRING:
        return value if value is None else as_text(value)
    if kind == "boolean":
        return as_text(value).strip().lower() == "true"
    text = as_text(value).strip()
    if kind in _INTEGERS and re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        if -(1 << _INTEGERS[kind] - 1) <= int(text) < 1 << _INTEGERS[kind] - 1:
            return int(text)
    elif kind in ("double", "float"):
        try:
            return float(text)
        except ValueError:
            pass
    elif isinstance(value, list | tuple) and kind.startswith("["):
        return list(value)
    raise NotOfType(f"{name}={text!r}: expected a value of the type {kind}")


def shown_value(value: object) -> object:
    """A value as a bean shows it; a value of an unknown kind is shown by its text."""
    if value is None or isinstance(value, _SHOWN):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [item if item is None or isinstance(item, _IN_LISTS) else java_text(item) for item in value]
    pattern = getattr(value, "pattern", None)
    return pattern if isinstance(pattern, str) else str(value)


def as_text(value: object) -> str:
    """A value in the notation of server.xml."""
    return ",".join(map(java_text, value)) if isinstance(value, list | tuple) else java_text(value)
