"""JMX's open types: records and tables whose description travels with them (javax.management.openmbean)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["CompositeData", "CompositeType", "ItemType", "TabularData"]


@dataclass(frozen=True, slots=True)
class CompositeType:
    """The type of a record.

    Args:
        name: Java's name of it, ``java.lang.management.MemoryUsage``.
        description: for people.
        items: name -> (type, description). A type is Java's name of it, a record's, or a list with one of these for
            an array.
    """

    name: str
    description: str
    items: Mapping[str, tuple[ItemType, str]]


ItemType: TypeAlias = "str | CompositeType | list[CompositeType]"


@dataclass(frozen=True, slots=True)
class CompositeData:
    """One record: a value for each item of its type."""

    type: CompositeType
    values: Mapping[str, Any]

    def __str__(self) -> str:
        """As Tomcat's jmxproxy shows it; Java sorts the items."""
        inside = ", ".join(f"{name}={java_text(self.values.get(name))}" for name in sorted(self.type.items))
        return "{" + inside + "}"


@dataclass(frozen=True, slots=True)
class TabularData:
    """A table of records of one type.

    Args:
        name, description: of the table's own type.
        index: the items that make a row's key.
    """

    name: str
    description: str
    row_type: CompositeType
    index: tuple[str, ...]
    rows: tuple[CompositeData, ...]


def java_text(value: object) -> str:
    """A value as Java's ``String.valueOf`` writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, float) else str(value)


def java_double(value: float) -> str:
    """A double as Java's ``Double.toString`` writes it: ``1.0E10``, ``1.0E-5``, ``NaN``, ``Infinity``."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(value, "f") if "e" in repr(value) else repr(value)
        return text if "." in text else text + ".0"
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        digits = format(value, ".17e")
        for precision in range(17):
            digits = format(value, f".{precision}e")
            if float(digits) == value:
                break
        mantissa, _, exponent = digits.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"
