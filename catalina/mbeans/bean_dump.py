"""Beans as lines of text, to the byte as the Java Tomcat writes them (Tomcat: mbeans/MBeanDumper.java)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, TabularData, java_text

__all__ = ["dump_beans", "folded", "java_value_text"]

CRLF = "\r\n"
#: Characters in one piece of a line that is folded.
_WIDTH = 78
#: Tomcat leaves out attributes whose name has one of these.
_NOT_IN_A_NAME = re.compile("[=: ]")
_COMPONENTS = {"[B": "byte", "[C": "char", "[D": "double", "[F": "float", "[I": "int", "[J": "long", "[S": "short",
               "[Z": "boolean"}  # fmt: skip


def dump_beans(beans: Iterable[tuple[ObjectName, ManagedBean]]) -> Iterator[str]:
    """The text, a bean at a time: its name, its class, and each attribute that has a value."""
    for name, bean in beans:
        yield "".join(line + CRLF for line in _lines(name, bean))


def _lines(name: ObjectName, bean: ManagedBean) -> Iterator[str]:
    yield f"Name: {name}"
    info = bean.info()
    yield f"modelerType: {info.class_name}"
    for attribute in info.attributes:
        if attribute.name == "modelerType" or _NOT_IN_A_NAME.search(attribute.name):
            continue
        value = bean.value_of(attribute.name)
        if value is not None:
            yield f"{attribute.name}: {_value(value, attribute.type)}"
    yield ""


def _value(value: object, kind: str) -> str:
    if isinstance(value, TabularData):
        rows = [f"TabularData[{value.row_type.name}] of length {len(value.rows)}", *map(_item, value.rows)]
        return CRLF.join(rows)
    if isinstance(value, list | bytes):
        component = _COMPONENTS.get(kind) or kind.removeprefix("[L").removesuffix(";")
        return CRLF.join([f"Array[{component}] of length {len(value)}", *map(_item, value)])
    return folded(java_text(value))


def _item(value: object) -> str:
    return "\t" + ("NULL VALUE" if value is None else folded(java_text(value)))


def folded(text: str) -> str:
    r"""A text with line feeds as ``\n`` and a fold behind each, its lines cut into pieces; any other text
    unchanged.
    """
    if "\n" not in text:
        return text
    lines = text.split("\n")
    last = lines.pop()
    pieces = [_cut(line) + "\\n\n " for line in lines]
    return "".join(pieces) + (_cut(last) if last else "")


def _cut(line: str) -> str:
    pieces = [line[at : at + _WIDTH] for at in range(0, len(line), _WIDTH)] or [""]
    return "\n ".join(pieces)


def java_value_text(value: object) -> str:
    """A value as Java's ``toString`` gives it; an array, of which Java only tells the address, by its items."""
    if isinstance(value, CompositeData):
        return _composite_text(value)
    if isinstance(value, list | bytes):
        return f"[{', '.join(map(java_value_text, value))}]"
    return java_text(value)


def _composite_text(value: CompositeData) -> str:
    package = "javax.management.openmbean."
    items = ",".join(
        f"(itemName={name},itemType={_type_text(value.type.items[name][0])})" for name in sorted(value.type.items)
    )
    kind = f"{package}CompositeType(name={value.type.name},items=({items}))"
    return f"{package}CompositeDataSupport(compositeType={kind},contents={value})"


_BOXES = {"int": "Integer", "char": "Character"}


def _type_text(kind: object) -> str:
    if not isinstance(kind, str):
        return f"javax.management.openmbean.CompositeType(name={getattr(kind, 'name', kind)})"
    name = kind if "." in kind else f"java.lang.{_BOXES.get(kind, kind.capitalize())}"
    return f"javax.management.openmbean.SimpleType(name={name})"
