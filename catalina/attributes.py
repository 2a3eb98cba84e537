"""Attributes and child elements of components, declared once in the class body.

A declaration gives the conversion from XML, the default, the unit, the bean's attribute and the documentation::

    class McastService(Component):
        drop_time = Attribute(int, 3000, unit="ms", doc="Silence after which a member is gone.")

The XML name is ``dropTime``, the Python name ``drop_time``. A rule converts one to the other (:func:`xml_name`);
``xml=`` gives names that break it (``URIEncoding``). The digester, ``configtest``, the MBeans and the warnings read
this one declaration.

Child elements are declared beside them in ``elements``: the tag, its default class, and the function that adds the
child.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

from catalina.errors import CatalinaError
from catalina.place import Place

__all__ = ["Attribute", "AttributeRefused", "Component", "Element", "Text", "choice", "comma_list", "xml_name"]

T = TypeVar("T")


class AttributeRefused(CatalinaError):
    """A value does not convert: the caller logs a warning with ``expected`` and keeps the default."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


def _to_int(text: str) -> int:
    text = text.strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise AttributeRefused("a whole number")
    return int(text)


def _to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise AttributeRefused("a number") from None


def _to_bool(text: str) -> bool:
    """Convert as Tomcat's IntrospectionUtils does: "true" in any case is true. Anything but "false" besides is a
    mistake that deserves a warning.
    """
    match text.strip().lower():
        case "true" | "yes" | "on":
            return True
        case "false" | "no" | "off" | "0":  # Java takes every other word for false
            return False
        case _:
            raise AttributeRefused("true or false")


_CONVERTERS: dict[Any, Callable[[str], Any]] = {int: _to_int, float: _to_float, bool: _to_bool, str: str}
_EXPECTED: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def choice(*allowed: str) -> Callable[[str], str]:
    """Converter for one of a few words, compared without regard to case and kept as declared."""
    by_lower = {word.lower(): word for word in allowed}

    def convert(text: str) -> str:
        word = by_lower.get(text.strip().lower())
        if word is None:
            raise AttributeRefused("one of " + ", ".join(allowed))
        return word

    return convert


def comma_list(text: str) -> tuple[str, ...]:
    """Converter for ``a, b,c``: the items without surrounding spaces, empty ones left out."""
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def byte_size(text: str) -> int:
    """Converter for a number of bytes, or one with K, M or G behind it: ``512M``."""
    found = re.fullmatch(r"(\d{1,15})\s*([KMG]?)B?", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise AttributeRefused("a whole number, or one with K, M or G behind it")
    return int(found[1]) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}[found[2].upper()]


def xml_name(python_name: str) -> str:
    """``drop_time`` -> ``dropTime``."""
    head, *rest = python_name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Attribute(Generic[T]):
    """One attribute of a component, declared as a member of its class.

    A component's class replaces the declaration by the default: the interpreter finds a plain value several times
    faster than one behind a descriptor, and every request reads some fifty of them.

    Args:
        kind: ``int``, ``bool``, ``float``, ``str`` or a function from text that raises :class:`AttributeRefused`.
        default: the value when the XML does not give one; Tomcat's own default.
        unit: ``ms``, ``bytes``, ``seconds`` ...; empty for an attribute without a unit.
        doc: its effect, and the cost of raising or lowering it.
        inert: the reason why it has no effect here, such as ``there are no tag libraries``; empty for one that works.
            It is declared so that existing files are understood, and the digester logs the reason when a file sets it.
        xml: the XML name, if the rule does not give it.
        aliases: older XML names of the same attribute.
    """

    @overload
    def __init__(
        self: Attribute[T],
        kind: Callable[[str], T],
        default: T,
        *,
        unit: str = ...,
        doc: str = ...,
        inert: str = ...,
        xml: str | None = ...,
        aliases: tuple[str, ...] = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Attribute[T | None],
        kind: Callable[[str], T],
        default: None,
        *,
        unit: str = ...,
        doc: str = ...,
        inert: str = ...,
        xml: str | None = ...,
        aliases: tuple[str, ...] = ...,
    ) -> None: ...

    def __init__(
        self,
        kind: Any,
        default: Any,
        *,
        unit: str = "",
        doc: str = "",
        inert: str = "",
        xml: str | None = None,
        aliases: tuple[str, ...] = (),
    ) -> None:
        self.convert: Callable[[str], T] = _CONVERTERS.get(kind, kind)
        self.kind = kind
        self.default: T = default
        self.unit = unit
        self.doc = doc
        self.inert = inert
        self.xml = xml or ""
        self.aliases = aliases
        self.name = ""

    def __set_name__(self, owner: type[Component], name: str) -> None:
        self.name = name
        self.xml = self.xml or xml_name(name)

    @overload
    def __get__(self, instance: None, owner: type) -> Attribute[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Attribute[T] | T:
        return self if instance is None else self.default

    @property
    def expected(self) -> str:
        """The words with which a warning names the expected value, such as ``a whole number of ms``."""
        text = _EXPECTED.get(self.kind, "another value")
        return f"{text} of {self.unit}" if self.unit else text


@dataclass(frozen=True, slots=True)
class Element:
    """A child element that is a component of its own.

    Args:
        add: called with the parent and the finished child (attributes set, its own children added).
        default: className when the XML names none; None means the attribute className is required.
        role: the class that the child must have, for the error when a className is something else; None allows any.
        guards: an unknown className stops the start, because what is missing may guard access.
    """

    add: Callable[[Any, Any], None]
    default: str | None = None
    role: type | None = None
    guards: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A child element that is only its text, such as ``<Alias>www.example.org</Alias>``."""

    add: Callable[[Any, str], None]


class Component:
    """Base of everything that an XML element can create.

    A subclass declares :class:`Attribute` members and ``elements``. Values may be given to the constructor by Python
    name: ``McastService(drop_time=5000)``.
    """

    #: Tag -> the way to make and add the child. Inherited: the declarations of all base classes count.
    elements: ClassVar[Mapping[str, Element | Text]] = {}
    #: True for components that keep undeclared attributes (``<Resource>``): they go to ``properties``.
    keeps_unknown_attributes: ClassVar[bool] = False

    #: True for components that keep strangers out: such a component at a place where nothing uses it stops the start.
    keeps_strangers_out: ClassVar[bool] = False
    #: Top-level packages beyond the standard ones that the class always needs (catalina.extras).
    packages: ClassVar[tuple[str, ...]] = ()

    #: The attributes that this very class declares, by Python name.
    declared: ClassVar[dict[str, Attribute[Any]]] = {}

    #: The place of the element in its file, None for a component made in Python.
    place: Place | None = None
    #: The className in the XML, empty for a component made in Python.
    written_class_name: str = ""

    def __init__(self, **values: Any) -> None:
        self.properties: dict[str, str] = {}
        #: Python names of the attributes that the configuration set, even to their default.
        self.given: set[str] = set()
        if values:
            self.give(**values)

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.declared = {name: member for name, member in vars(cls).items() if isinstance(member, Attribute)}
        for name, declaration in cls.declared.items():
            setattr(cls, name, declaration.default)

    @classmethod
    def attributes(cls) -> dict[str, Attribute[Any]]:
        """XML name -> declaration, with aliases and the declarations of the base classes."""
        found = cls.__dict__.get("_attributes_by_xml")
        if found is None:
            found = {}
            for base in reversed(cls.__mro__):
                for member in vars(base).get("declared", vars(base)).values():
                    if isinstance(member, Attribute):
                        for name in (*member.aliases, member.xml):
                            found[name] = member
            cls._attributes_by_xml = found
        return dict(found)

    _attributes_by_xml: ClassVar[dict[str, Attribute[Any]]]

    @classmethod
    def child_elements(cls) -> dict[str, Element | Text]:
        """Tag -> declaration, with those of the base classes."""
        found: dict[str, Element | Text] = {}
        for base in reversed(cls.__mro__):
            found.update(vars(base).get("elements", {}))
        return found

    def give(self, **values: Any) -> None:
        """Set attributes by Python name, as the configuration would: they count as given.

        Raises:
            TypeError: the component declares no such attribute.
        """
        names = {declaration.name for declaration in self.attributes().values()}
        for name, value in values.items():
            if name not in names:
                raise TypeError(f"{type(self).__name__} has no attribute {name}")
            setattr(self, name, value)
            self.given.add(name)

    def needed_packages(self) -> tuple[str, ...]:
        """The packages that the component needs in this configuration; more than ``packages`` when an attribute
        decides.
        """
        return self.packages

    def useful_packages(self) -> Mapping[str, str]:
        """Packages that the component can do without -> the feature that is then missing."""
        return {}

    def configuration_remarks(self) -> Iterator[str]:
        """Warnings of the start that follow from the configuration alone, so that ``configtest`` can give them
        earlier.
        """
        return iter(())

    def settle_attributes(self) -> None:
        """Give the instance a value of its own for each attribute, so that reading it is a single dictionary look-up.

        Components that every request passes call this when they start; ``given`` still tells what was configured.
        """
        values = vars(self)
        for declaration in self.attributes().values():
            values.setdefault(declaration.name, declaration.default)

    def inert_reason(self, name: str) -> str:
        """The reason why the attribute with the XML name ``name`` has no effect; empty for one that works or has its
        default.
        """
        declaration = self.attributes().get(name)
        if declaration is None or getattr(self, declaration.name) == declaration.default:
            return ""
        return declaration.inert

    def set_attribute(self, name: str, text: str) -> bool:
        """Set the attribute with the XML name ``name`` from text.

        Returns:
            False when the component has no such attribute.

        Raises:
            AttributeRefused: the text does not convert; the value stays as it was.
        """
        declaration = self.attributes().get(name)
        if declaration is None:
            if self.keeps_unknown_attributes:
                self.properties[name] = text
                return True
            return False
        try:
            value = declaration.convert(text)
        except AttributeRefused as refused:
            raise AttributeRefused(
                declaration.expected if declaration.kind in _EXPECTED else refused.expected
            ) from None
        setattr(self, declaration.name, value)
        self.given.add(declaration.name)
        return True
