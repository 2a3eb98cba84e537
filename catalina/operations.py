"""The operations of components at run time, each declared once, at its method, beside the component's attributes.

    class ReplicationValve(ValveBase):
        @operation
        def reset_statistics(self) -> None:
            \"\"\"Start counting anew.\"\"\"

        @property
        @readable("totalSendTime", doc="Time that replication took, in ms.")
        def total_send(self) -> Long: ...

When a method of a base class (``start``) is an operation of some subclasses only, these name it: ``bean_operations =
("start", "stop")``. The method's annotations give Java's types, the first sentence of its docstring the description.
JMX, HTTP and the command line all read this one declaration.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, overload

from catalina.attributes import xml_name

__all__ = [
    "Impact", "Long", "Operation", "Parameter", "Readable", "java_type_of", "operation", "operations_of", "readable"
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])

#: A whole number that Java calls ``long``; ``int`` is Java's ``int``.
Long: TypeAlias = int

_DECLARED = "__catalina_operation__"
_READABLE = "__catalina_readable__"

#: Annotation, as written -> Java's name of the type.
_JAVA_TYPES = {
    "None": "void",
    "bool": "boolean",
    "int": "int",
    "Long": "long",
    "float": "double",
    "str": "java.lang.String",
    "list[str]": "[Ljava.lang.String;",
    "tuple[str, ...]": "[Ljava.lang.String;",
    "list[int]": "[J",
    "bytes": "[B",
    "set[str]": "java.util.Set",
    "ObjectName": "javax.management.ObjectName",
    "list[ObjectName]": "[Ljavax.management.ObjectName;",
    "CompositeData": "javax.management.openmbean.CompositeData",
    "list[CompositeData]": "[Ljavax.management.openmbean.CompositeData;",
    "TabularData": "javax.management.openmbean.TabularData",
}


class Impact(enum.IntEnum):
    """The effect of calling an operation (javax.management.MBeanOperationInfo)."""

    INFO = 0
    ACTION = 1
    ACTION_INFO = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, Java's name of its type (``long``), and its meaning."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Args:
        name: Tomcat's name of it; several operations with different parameters may share one.
        method: the Python method.
        returns: Java's name of the result's type, ``void`` for nothing.
        lasting: see :func:`operation`.
        once: see :func:`operation`.
    """

    name: str
    method: str
    returns: str
    parameters: tuple[Parameter, ...]
    doc: str
    impact: Impact
    lasting: str = ""
    once: bool = False

    @property
    def signature(self) -> tuple[str, ...]:
        """Java's names of the parameters' types."""
        return tuple(parameter.type for parameter in self.parameters)


@dataclass(frozen=True, slots=True)
class Readable:
    """The way to show a property: Tomcat's name for it, Java's type (empty: as annotated), and its meaning."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class _Declaration:
    name: str
    impact: Impact
    docs: dict[str, str]
    lasting: str = ""
    once: bool = False


@overload
def operation(method: F) -> F: ...
@overload
def operation(
    *, name: str = "", impact: Impact = Impact.ACTION, lasting: str = "", once: bool = False, **docs: str
) -> Callable[[F], F]: ...


def operation(
    method: Any = None, *, name: str = "", impact: Impact = Impact.ACTION, lasting: str = "", once: bool = False,
    **docs: str,
) -> Any:  # fmt: skip
    """Declare a method as an operation.

    Args:
        name: Tomcat's name, if the rule (``reset_statistics`` -> ``resetStatistics``) does not give it.
        impact: INFO for an operation that changes nothing, which may be open to users who must not change anything.
        lasting: a word for what it changes in the process, so that with several workers each process does it, and a
            worker that is started later, too. The latest one counts of those with the same
            word and the same first argument: ``addAlias`` and ``removeAlias`` share a word.
        once: with several workers the keeper does it for all: it writes a file, for example.
        docs: the meaning of each parameter, by its Python name.
    """

    def declare(function: F) -> F:
        setattr(function, _DECLARED, _Declaration(name, impact, docs, lasting, once))
        return function

    return declare if method is None else declare(method)


def readable(name: str = "", type: str = "", doc: str = "") -> Callable[[F], F]:
    """Show a property under Tomcat's name and type, if its own name and annotation do not give them.

    Stands below ``@property``; a property that is marked is shown whatever its annotation.
    """

    def declare(function: F) -> F:
        setattr(function, _READABLE, Readable(name or xml_name(function.__name__), type, doc))
        return function

    return declare


def readable_of(member: property) -> Readable | None:
    """The mark of a property, None for one without."""
    found: Readable | None = getattr(member.fget, _READABLE, None)
    return found


def java_type_of(annotation: object) -> str:
    """Java's name for a Python annotation such as ``"list[str]"``; empty for one that has none."""
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        text = annotation.__name__
    else:
        text = str(annotation)
    return _JAVA_TYPES.get(text.removesuffix(" | None"), "")


def operations_of(kind: type) -> tuple[Operation, ...]:
    """The operations of a class and its bases, sorted by name; an override keeps its base's declaration."""
    found: dict[str, Operation] = {}
    for base in reversed(kind.__mro__):
        for method, member in vars(base).items():
            declaration = getattr(member, _DECLARED, None)
            if declaration is not None:
                found[method] = _described(method, member, declaration)
        for method in vars(base).get("bean_operations", ()):
            found[method] = _described(method, getattr(kind, method), _Declaration("", Impact.ACTION, {}))
    return tuple(sorted(found.values(), key=lambda one: (one.name, len(one.parameters))))


def _described(method: str, function: Callable[..., Any], declaration: _Declaration) -> Operation:
    signature = inspect.signature(function)
    parameters = []
    for name, parameter in list(signature.parameters.items())[1:]:
        kind = java_type_of(parameter.annotation)
        if not kind:
            raise TypeError(f"operation {method}: parameter {name} has the type {parameter.annotation!r}")
        parameters.append(Parameter(xml_name(name), kind, declaration.docs.get(name, "")))
    returns = java_type_of(signature.return_annotation)
    if not returns:
        raise TypeError(f"operation {method} returns {signature.return_annotation!r}, which no door can show")
    doc = inspect.getdoc(function) or ""
    return Operation(
        declaration.name or xml_name(method),
        method,
        returns,
        tuple(parameters),
        first_sentence(doc),
        declaration.impact,
        declaration.lasting,
        declaration.once,
    )


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join(doc.split("\n\n")[0].split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]
