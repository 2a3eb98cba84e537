"""A component as a bean: its declared attributes, and properties that it has at run time.

There is no list of attributes beside the code (Tomcat has mbeans-descriptors.xml for that). A bean's attributes are

- what the class declares with :class:`catalina.attributes.Attribute`: to read and to set;
- its public properties and public values of simple types (numbers, texts, truth values, lists of texts): to read.

XML names are the names of beans, too: ``max_active`` is ``maxActive``; the parts of a channel begin with a capital
letter (``DropTime``), as Java's do. :mod:`catalina.operations` marks properties with another name, and methods that can
be called.

A class says how its bean differs:

- ``bean_class``: its class's name where the rule does not give it
- ``bean_hidden`` (Python names): properties that are no attributes
- ``bean_fixed`` (XML names): attributes that cannot be set while it runs
- ``bean_names`` (XML name -> name): attributes with another name
- ``bean_types`` (XML name -> Java's type): attributes with another type in Java: a text, or an array of texts
- ``bean_notifications``: the notifications that it sends
- ``bean_records``: operation -> the type of the records that it returns (``CompositeType``)
- ``bean_interfaces``: the Java interfaces that it implements
- ``bean_takes_properties``: True if further attributes can be set and read, which it keeps in ``properties``
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalina.attributes import Attribute, AttributeRefused, Component, xml_name
from catalina.errors import CatalinaError
from catalina.lifecycle import Lifecycle
from catalina.mbeans.bean_info import AttributeInfo, BeanInfo, NotificationInfo
from catalina.mbeans.java_types import hash_map_order, modeler_class, shows_class_name, whole_number_type
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.secrets import HIDDEN, looks_secret, shown
from catalina.mbeans.values import BeanAttributeError, NoSetter, NotOfType, as_text, converted, shown_value
from catalina.operations import Operation, first_sentence, java_type_of, operations_of, readable_of
from catalina.repeated_messages import RepeatedMessages

__all__ = ["BeanAttributeError", "ManagedBean", "NoSuchOperation", "tomcat_class_name"]

log = logging.getLogger("org.apache.tomcat.util.modeler.Registry")
failures = RepeatedMessages(log)

_SIMPLE = (bool, int, float, str)
#: Return annotations of properties that are read; a property that returns an object may do work to make it.
_SIMPLE_ANNOTATION = re.compile(
    r"(?:int|Long|float|str|bool|ObjectName|CompositeData|TabularData"
    r"|(?:list|tuple)\[(?:str|ObjectName|CompositeData)(?:, \.\.\.)?\])(?: \| None)?"
)
_OWN_PACKAGES = ("coyote", "tomcat", "juli", "naming")


class NoSuchOperation(CatalinaError):
    """A bean has no operation of that name with so many parameters."""

    def __init__(self, name: str, arguments: int, class_name: str, signature: Sequence[str] | None = None) -> None:
        super().__init__(f"Cannot find operation [{name}] with [{arguments}] arguments on a bean of [{class_name}]")
        self.name = name
        self.class_name = class_name
        self.signature = signature


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
        component: the managed component.
        name: the bean's name, which decides how Tomcat shows it. None for a component without a bean.
    """

    def __init__(self, component: Component, name: ObjectName | None = None) -> None:
        self.component = component
        self.name = name

    @property
    def class_name(self) -> str:
        """The managed class, by Tomcat's name."""
        return getattr(self.component, "bean_class", "") or tomcat_class_name(type(self.component))

    @property
    def modeler_class(self) -> str:
        """The class of Tomcat's that shows such a bean, as its MBeanInfo says."""
        keys = {} if self.name is None else self.name.keys
        kind = keys.get("type", keys.get("j2eeType", ""))
        return modeler_class(kind, keys.get("component", ""), self.class_name)

    def is_instance_of(self, class_name: str) -> bool:
        """True for the names of the bean's own classes, of ``java.lang.Object``, and of its interfaces."""
        interfaces = getattr(self.component, "bean_interfaces", ())
        return class_name in (self.modeler_class, self.class_name, "java.lang.Object", *interfaces)

    def names(self) -> list[str]:
        """Names of all attributes that can be read now, sorted."""
        return sorted(self._readers())

    def get(self, name: str) -> Any:
        """The value of an attribute: a number, text, truth value, list of texts, open data, or None.

        Raises:
            BeanAttributeError: there is none of that name.
            Exception: whatever the component raises.
        """
        reader = self._readers().get(name)
        if reader is None:
            if self._takes_properties and name in self.component.properties:
                return shown(name, self.component.properties[name])
            raise BeanAttributeError(f"Cannot find attribute [{name}] on resource [{self.component}]")
        return self._shown(name, reader)

    def set(self, name: str, value: object) -> None:
        """Set a declared attribute from text, as the XML would, or from a value of its type.

        Raises:
            BeanAttributeError: there is none of that name.
            NoSetter: the attribute is not declared, so it can only be read.
            NotOfType: the value does not convert.
        """
        declaration = self._setters().get(name)
        if declaration is None and self._takes_properties and name not in self.names():
            self._set_text(name, name, "" if value is None else as_text(value))
            return
        if declaration is None:
            if name not in self.names():
                raise BeanAttributeError(f"Cannot find attribute [{name}] on resource [{self.component}]")
            method = f"{self.class_name}.set{name[:1].upper()}{name[1:]}({self.type_of(name)})"
            raise NoSetter(name, self.component, method)
        if value is None:
            if declaration.kind is not str:
                raise NotOfType(f"{name} is null: expected {declaration.expected}")
            setattr(self.component, declaration.name, None)
            return
        if isinstance(value, list | tuple) and any("," in as_text(each) for each in value):
            raise NotOfType(f"{name}={value!r}: a comma separates the members, so none can have one")
        self._set_text(name, declaration.xml, as_text(value))

    def _set_text(self, name: str, xml: str, text: str) -> None:
        try:
            self.component.set_attribute(xml, text)
        except AttributeRefused as refused:
            raise NotOfType(f"{name}={shown(name, text)!r}: expected {refused.expected}") from refused

    @property
    def _takes_properties(self) -> bool:
        return bool(getattr(type(self.component), "bean_takes_properties", False))

    def items(self) -> Iterator[tuple[str, Any]]:
        """Name and value of each attribute that can be read now and is not None; one that fails is logged, and left
        out."""
        for name, reader in sorted(self._readers().items()):
            value = self.value_of(name, reader)
            if value is not None:
                yield name, value

    def value_of(self, name: str, reader: str | None = None) -> Any:
        """As :meth:`get`, but a failure is logged, and None."""
        try:
            return self.get(name) if reader is None else self._shown(name, reader)
        except BaseException as fault:  # noqa: BLE001  # any component's code; the other attributes are still shown
            failures.log(logging.WARNING, "attributes that cannot be read", "Cannot read attribute [%s] of [%s]: %r",
                         name, self.name or self.component, fault)  # fmt: skip
            return None

    # -- its description

    def info(self) -> BeanInfo:
        """Everything that can be read, set and called."""
        kind = type(self.component)
        writable = self._setters()
        readers = self._readers()
        if self._is_channel_part or not self._has_modeler:
            names = sorted(readers)
        else:
            names = hash_map_order(readers)
        attributes = tuple(self._attribute_info(name, readers.get(name, ""), writable) for name in names)
        return BeanInfo(
            self.modeler_class,
            self.class_name,
            first_sentence(kind.__doc__ or "") or self.class_name,
            attributes,
            operations_of(kind),
            getattr(kind, "bean_notifications", (_ATTRIBUTE_CHANGES,) if writable else ()),
        )

    def _attribute_info(self, name: str, reader: str, writable: Mapping[str, Attribute[Any]]) -> AttributeInfo:
        declaration = writable.get(name)
        if declaration is not None:
            doc = declaration.doc + (f" In {declaration.unit}." if declaration.unit else "")
            return AttributeInfo(name, self.type_of(name, reader), doc.strip() or name, True)
        member = _member(type(self.component), reader)
        mark = readable_of(member) if member is not None else None
        doc = (mark.doc if mark else "") or first_sentence((member.__doc__ if member else "") or "")
        return AttributeInfo(name, self.type_of(name, reader), doc or name)

    def type_of(self, name: str, reader: str = "") -> str:
        """Java's name of the type of an attribute that can be read."""
        if name == _MODELER_TYPE:
            return _STRING
        reader = reader or self._readers()[name]
        kind = type(self.component)
        member = _member(kind, reader)
        if member is not None:
            mark = readable_of(member)
            annotated = java_type_of(member.fget.__annotations__.get("return", "")) if member.fget else ""
            declared = (mark.type if mark else "") or annotated
            if declared != "int":
                return declared or _STRING
            return whole_number_type(name, self.class_name)
        return self._type_of_value(name, reader)

    def _type_of_value(self, name: str, reader: str) -> str:
        declaration = self._declarations().get(name)
        if declaration is not None and declaration.kind in _JAVA_KINDS and not self._is_text(reader):
            kind = _JAVA_KINDS[declaration.kind]
            value = getattr(self.component, reader, 0)
            return whole_number_type(name, self.class_name, value) if kind == "int" else kind
        if declaration is not None and self._is_text(reader):
            return _STRING
        value = self.value_of(name, reader)
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int):
            return whole_number_type(name, self.class_name, value)
        if isinstance(value, float):
            return "double"
        return "[Ljava.lang.String;" if isinstance(value, list) else _STRING

    # -- its operations

    def operation(self, name: str, arguments: int, signature: Sequence[str] | None = None) -> Operation:
        """The operation of that name with so many parameters, or with that signature.

        Raises:
            NoSuchOperation: there is none.
        """
        for found in operations_of(type(self.component)):
            if found.name != name:
                continue
            if len(found.parameters) == arguments and (signature is None or found.signature == tuple(signature)):
                return found
        raise NoSuchOperation(name, arguments, self.modeler_class, signature)

    def invoke(self, found: Operation, arguments: Sequence[Any]) -> Any:
        """Call an operation; arguments are values of its types, or text.

        Raises:
            NotOfType: an argument does not convert.
            Exception: whatever the component raises.
        """
        values = [
            converted(part.type, value, part.name) for part, value in zip(found.parameters, arguments, strict=True)
        ]
        return shown_value(getattr(self.component, found.method)(*values))

    def _shown(self, name: str, reader: str) -> object:
        value = shown_value(self._value(reader))
        if isinstance(value, str):
            return shown(name, value)
        return HIDDEN if value and looks_secret(name) else value

    def _value(self, reader: str) -> object:
        if self._is_text(reader):
            return _as_configured(getattr(self.component, reader))
        if reader == _STATE:
            return getattr(self.component, "state").label  # noqa: B009  # only a Lifecycle has a state
        if reader == _CLASS:
            return self.class_name
        if reader == _MODELER_TYPE:
            return self.class_name
        return getattr(self.component, reader)

    def _is_text(self, reader: str) -> bool:
        """True for a declared attribute that is no number or truth value: Java shows what the XML would say."""
        one = self._by_python_name().get(reader)
        if one is None:
            return False
        forced: dict[str, str] = getattr(self.component, "bean_types", {})
        kind = forced.get(one.xml, "")
        if kind:
            return not kind.startswith("[")
        return one.kind not in _JAVA_KINDS and not isinstance(getattr(self.component, reader), int | float)

    def _by_python_name(self) -> dict[str, Attribute[Any]]:
        return {one.name: one for one in type(self.component).attributes().values()}

    @property
    def _is_channel_part(self) -> bool:
        """Parts of a channel begin their attributes with capital letters in Java."""
        return self.name is not None and self.name.keys.get("type") == "Channel"

    @property
    def _has_modeler(self) -> bool:
        return self.name is not None and self.modeler_class != self.class_name

    def _spelt(self, name: str) -> str:
        other: dict[str, str] = getattr(self.component, "bean_names", {})
        name = other.get(name, name)
        return name[0].upper() + name[1:] if self._is_channel_part else name

    def _declarations(self) -> dict[str, Attribute[Any]]:
        """Bean name -> declaration, without aliases."""
        found = {}
        for base in reversed(type(self.component).__mro__):
            for declaration in vars(base).get("declared", {}).values():
                found[self._spelt(declaration.xml)] = declaration
        return found

    def _setters(self) -> dict[str, Attribute[Any]]:
        """Bean name -> declaration of what can be set; components say in ``bean_fixed`` what cannot be."""
        fixed: frozenset[str] = getattr(self.component, "bean_fixed", frozenset())
        return {name: one for name, one in self._declarations().items() if one.xml not in fixed}

    def _readers(self) -> dict[str, str]:
        """Bean name -> Python name."""
        component, kind = self.component, type(self.component)
        found: dict[str, str] = {}
        marked: dict[str, str] = {}
        for base in reversed(kind.__mro__):
            for declaration in vars(base).get("declared", {}).values():
                found[declaration.xml] = declaration.name
            for name, member in vars(base).items():
                if not isinstance(member, property):
                    continue
                mark = readable_of(member)
                if mark is not None:
                    marked[mark.name] = name
                elif not name.startswith("_") and _is_simple(member):
                    found.setdefault(xml_name(name), name)
        hidden = {*marked.values(), *getattr(kind, "bean_hidden", ())}
        found = {name: python for name, python in found.items() if python not in hidden}
        declared = {*found.values(), *hidden, *vars(Component)}
        for name, value in list(vars(component).items()):
            if not name.startswith("_") and name not in declared and isinstance(value, _SIMPLE):
                found.setdefault(xml_name(name), name)
        spelt = {self._spelt(name): python for name, python in found.items()} | marked
        if self.name is None or (self._has_modeler and shows_class_name(self.class_name)):
            spelt.setdefault("className", _CLASS)
        if self._has_modeler:
            spelt[_MODELER_TYPE] = _MODELER_TYPE
        if isinstance(component, Lifecycle) and not self._is_channel_part:
            spelt["stateName"] = _STATE
        return spelt


#: Stand for the state and the class, which are no attributes of a simple type.
_STATE = "<state>"
_CLASS = "<class>"
#: The managed class, as Tomcat's modeler calls it; an attribute of all beans that have a modeler.
_MODELER_TYPE = "modelerType"

_STRING = "java.lang.String"
_JAVA_KINDS: dict[Any, str] = {int: "int", bool: "boolean", float: "double", str: _STRING}

_ATTRIBUTE_CHANGES = NotificationInfo(
    "javax.management.AttributeChangeNotification", ("jmx.attribute.change",), "An attribute has been set."
)


def _as_configured(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    pattern = getattr(value, "pattern", None)
    if isinstance(pattern, str):
        return pattern
    return as_text(sorted(value) if isinstance(value, set | frozenset) else value)


def _member(kind: type, reader: str) -> property | None:
    found = getattr(kind, reader, None) if reader.isidentifier() else None
    return found if isinstance(found, property) else None


def _is_simple(member: property) -> bool:
    annotation = getattr(member.fget, "__annotations__", {}).get("return", "")
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return _SIMPLE_ANNOTATION.fullmatch(text) is not None
