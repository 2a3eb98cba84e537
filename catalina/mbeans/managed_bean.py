"""A component as a bean: its declared attributes, and what it tells about itself at run time.

There is no list of attributes beside the code (Tomcat has mbeans-descriptors.xml for that). A bean's attributes are

- what the class declares with :class:`catalina.attributes.Attribute`: to read and to set;
- its public properties and public values of simple types (numbers, texts, truth values, lists of texts): to read.

XML names are the names of beans, too: ``max_active`` is ``maxActive``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from catalina.attributes import AttributeRefused, Component, xml_name
from catalina.errors import CatalinaError
from catalina.lifecycle import Lifecycle
from catalina.mbeans.secrets import HIDDEN, looks_secret, shown

__all__ = ["BeanAttributeError", "ManagedBean", "tomcat_class_name"]

_SIMPLE = (bool, int, float, str)
#: Return annotations of properties that are read; a property that returns an object may do work to make it.
_SIMPLE_ANNOTATION = re.compile(r"(?:(?:int|float|str|bool)|(?:list|tuple)\[str(?:, \.\.\.)?\])(?: \| None)?")
_OWN_PACKAGES = ("coyote", "tomcat", "juli", "naming")


class BeanAttributeError(CatalinaError):
    """There is no such attribute, or it cannot be set."""


def tomcat_class_name(kind: type) -> str:
    """The className that an operator would write: ``org.apache.catalina.core.StandardServer``."""
    package = kind.__module__.rpartition(".")[0]
    if package != "catalina" and not package.startswith("catalina."):
        return f"{kind.__module__}.{kind.__qualname__}"
    inside = package.removeprefix("catalina.")
    own = inside.split(".")[0] in _OWN_PACKAGES
    return f"org.apache.{inside if own else package}.{kind.__name__}"


class ManagedBean:
    """A view of one component.

    Args:
        component: what is managed.
    """

    def __init__(self, component: Component) -> None:
        self.component = component

    @property
    def class_name(self) -> str:
        """The managed class, by Tomcat's name."""
        return tomcat_class_name(type(self.component))

    def names(self) -> list[str]:
        """Names of all attributes that can be read now, sorted."""
        return sorted(self._readers())

    def get(self, name: str) -> Any:
        """The value of an attribute: a number, text, truth value, list of texts, or None.

        Raises:
            BeanAttributeError: there is none of that name.
        """
        python_name = self._readers().get(name)
        if python_name is None:
            raise BeanAttributeError(f"Cannot find attribute [{name}] on resource [{self.component}]")
        return self._shown(name, python_name)

    def set(self, name: str, text: str) -> None:
        """Set a declared attribute from text, as the XML would.

        Raises:
            BeanAttributeError: it is not declared, or the text does not convert.
        """
        if name not in type(self.component).attributes():
            raise BeanAttributeError(f"Cannot find setter method [{name}] on resource [{self.component}]")
        try:
            self.component.set_attribute(name, text)
        except AttributeRefused as refused:
            raise BeanAttributeError(f"{name}={text!r}: expected {refused.expected}") from refused

    def items(self) -> Iterator[tuple[str, Any]]:
        """Name and value of each attribute that can be read now and is not None."""
        for name, python_name in sorted(self._readers().items()):
            value = self._shown(name, python_name)
            if value is not None:
                yield name, value

    def _shown(self, name: str, python_name: str) -> Any:
        value = _simple(self._value(python_name))
        if isinstance(value, str):
            return shown(name, value)
        return HIDDEN if value and looks_secret(name) else value

    def _value(self, python_name: str) -> Any:
        if python_name == _STATE:
            return getattr(self.component, "state").label  # noqa: B009  # only a Lifecycle has a state
        if python_name == _CLASS:
            return self.class_name
        return getattr(self.component, python_name)

    def _readers(self) -> dict[str, str]:
        """Bean name -> Python name."""
        kind = type(self.component)
        found = {"className": _CLASS}
        if isinstance(self.component, Lifecycle):
            found["stateName"] = _STATE
        for base in reversed(kind.__mro__):
            for declaration in vars(base).get("declared", {}).values():
                found[declaration.xml] = declaration.name
            for name, member in vars(base).items():
                if isinstance(member, property) and not name.startswith("_") and _is_simple(member):
                    found.setdefault(xml_name(name), name)
        declared = set(found.values()) | set(vars(Component))
        for name, value in list(vars(self.component).items()):
            if not name.startswith("_") and name not in declared and isinstance(value, _SIMPLE):
                found.setdefault(xml_name(name), name)
        return found


#: Stand for the state and the class, which are no attributes of a simple type.
_STATE = "<state>"
_CLASS = "<class>"


def _is_simple(member: property) -> bool:
    annotation = getattr(member.fget, "__annotations__", {}).get("return", "")
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return _SIMPLE_ANNOTATION.fullmatch(text) is not None


def _simple(value: Any) -> Any:
    """Values that a bean shows; what is none of them is shown by its text."""
    if value is None or isinstance(value, _SIMPLE):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [str(item) for item in value]
    pattern = getattr(value, "pattern", None)
    return pattern if isinstance(pattern, str) else str(value)
