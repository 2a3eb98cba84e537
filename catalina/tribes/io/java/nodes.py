"""The elements of a Java object stream as inert values: any class can be read, none is ever loaded.

When the same node stands in a tree twice, the second was a reference in the stream and becomes one again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from catalina.errors import ProtocolError
from catalina.tribes.io.java.grammar import SC_SERIALIZABLE

__all__ = [
    "BlockData",
    "ClassData",
    "ClassDesc",
    "Field",
    "JavaArray",
    "JavaClass",
    "JavaEnum",
    "JavaObject",
    "JavaString",
    "Node",
    "ProxyDesc",
]


class BlockData(bytes):
    """One piece of primitive data inside an annotation, as it was cut on the wire."""

    __slots__ = ()


@dataclass(eq=False, slots=True)
class JavaString:
    """A java.lang.String. It is a node, so that two equal strings and one string with two references stay different."""

    value: str

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a class descriptor.

    Args:
        kind: ``B C D F I J S Z`` for primitives, ``L`` or ``[`` for objects.
        name: the field's name.
        signature: the type of an object field, such as ``Ljava/lang/String;``; None for primitives.
    """

    kind: str
    name: str
    signature: JavaString | None = None


@dataclass(eq=False, slots=True)
class ClassDesc:
    """A class descriptor."""

    name: str
    suid: int
    flags: int = 0
    fields: tuple[Field, ...] = ()
    super_desc: ClassDesc | ProxyDesc | None = None
    annotation: list[Node | BlockData] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"ClassDesc({self.name})"


@dataclass(eq=False, slots=True)
class ProxyDesc:
    """The descriptor of a dynamic proxy class; we never make a value of such a class."""

    interfaces: tuple[str, ...]
    super_desc: ClassDesc | ProxyDesc | None = None
    annotation: list[Node | BlockData] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name that Java gives such a class in its messages."""
        return "proxy of " + ", ".join(self.interfaces)

    @property
    def flags(self) -> int:
        """The flags: Serializable, nothing more."""
        return SC_SERIALIZABLE

    @property
    def fields(self) -> tuple[Field, ...]:
        """Empty: a proxy class has no fields of its own."""
        return ()


@dataclass(eq=False, slots=True)
class ClassData:
    """The part of an object that one class of its hierarchy wrote.

    Args:
        desc: the class.
        fields: its fields by name: int, float, bool, str of one character (``C``) or a node.
        annotation: nodes and :class:`BlockData` from its writeObject or writeExternal; None if it has neither.
    """

    desc: ClassDesc | ProxyDesc
    fields: dict[str, Primitive | Node]
    annotation: list[Node | BlockData] | None = None


@dataclass(eq=False, slots=True)
class JavaObject:
    """An object: its descriptor and the data of each class, topmost superclass first."""

    desc: ClassDesc | ProxyDesc
    data: list[ClassData] = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """The name of the object's class."""
        return self.desc.name

    def get(self, name: str, class_name: str = "") -> Primitive | Node:
        """The field ``name`` of the named class, or of the most derived class that has one; None when there is none."""
        for part in reversed(self.data):
            if name in part.fields and class_name in ("", part.desc.name):
                return part.fields[name]
        return None

    def annotation(self, class_name: str = "") -> list[Node | BlockData]:
        """The annotation that the named class (by default the object's own) wrote; empty when it wrote none."""
        for part in reversed(self.data):
            if class_name in ("", part.desc.name):
                return part.annotation or []
        return []

    def __repr__(self) -> str:
        return f"JavaObject({self.desc.name})"


@dataclass(eq=False, slots=True)
class JavaArray:
    """An array. Its elements are raw big-endian bytes for primitives, and a list of nodes for objects."""

    desc: ClassDesc
    values: bytes | list[Node]

    @property
    def class_name(self) -> str:
        """The class of the array, such as ``[B`` or ``[Ljava.lang.Object;``."""
        return self.desc.name

    def __repr__(self) -> str:
        return f"JavaArray({self.desc.name})"


@dataclass(eq=False, slots=True)
class JavaEnum:
    """A constant of an enum."""

    desc: ClassDesc
    constant: JavaString

    @property
    def class_name(self) -> str:
        """The name of the enum."""
        return self.desc.name


@dataclass(eq=False, slots=True)
class JavaClass:
    """A java.lang.Class object. It is only the name of a class, never the class."""

    desc: ClassDesc | ProxyDesc

    @property
    def class_name(self) -> str:
        """Always java.lang.Class."""
        return "java.lang.Class"


Primitive: TypeAlias = int | float | bool | str
Node: TypeAlias = JavaString | JavaObject | JavaArray | JavaEnum | JavaClass | ClassDesc | ProxyDesc | None


def text_of(node: object, what: str) -> str | None:
    """The text of a String node, None for null.

    Raises:
        ProtocolError: the node is something else.
    """
    if node is None or isinstance(node, JavaString):
        return node.value if node else None
    raise ProtocolError(f"{what}: expected a String, got {node!r}")
