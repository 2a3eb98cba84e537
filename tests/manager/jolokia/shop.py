"""The bean of tests/interop/JolokiaAgent.java, as one of ours."""

from __future__ import annotations

from typing import ClassVar

from catalina.attributes import Attribute, Component, comma_list
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType, TabularData
from catalina.mbeans.registry import Registry
from catalina.operations import Impact, Long, operation, readable

_ROW = CompositeType("row", "row", {"key": ("java.lang.String", "key"), "value": ("java.lang.Integer", "value")})
MEMORY = CompositeType("usage", "usage", {"used": ("long", "used"), "max": ("long", "max")})


class Shop(Component):
    """A bean with attributes of many types."""

    bean_types: ClassVar[dict[str, str]] = {"tags": "[Ljava.lang.String;"}

    count = Attribute(int, 3, doc="How many.")
    title = Attribute(str, "corner", doc="What it is called.")
    tags = Attribute(comma_list, comma_list("red,blue"), doc="Words.")
    password = Attribute(str, "hunter2", doc="Nobody's business.")

    @property
    def big(self) -> Long:
        """A number that JavaScript cannot count to."""
        return 1 << 60

    @property
    def open(self) -> bool:
        """True while it is open."""
        return True

    @property
    def names(self) -> list[str]:
        """Some."""
        return ["a", "b", "c"]

    @property
    @readable("table", doc="A map.")
    def _table(self) -> TabularData:
        rows = tuple(CompositeData(_ROW, {"key": key, "value": value}) for key, value in (("x", 1), ("y", 2)))
        return TabularData("map", "map", _ROW, ("key",), rows)

    @property
    @readable("usage", doc="A record.")
    def _usage(self) -> CompositeData:
        return CompositeData(MEMORY, {"used": 5, "max": 1 << 60})

    @property
    def nothing(self) -> str | None:
        """None."""
        return None

    @property
    def share(self) -> float:
        """Half."""
        return 0.5

    @operation(impact=Impact.INFO)
    def add(self, first: int, second: int) -> int:
        """The sum."""
        return first + second

    @operation(impact=Impact.INFO)
    def greet(self, who: str) -> str:
        """A greeting."""
        return f"hello {who}"

    @operation
    def touch(self) -> None:
        """Nothing."""

    @operation(impact=Impact.INFO)
    def all(self) -> list[str]:
        """The names."""
        return self.names

    @operation
    def fail(self) -> int:
        """Never."""
        raise RuntimeError("closed")


class Broken(Component):
    """A bean of which one attribute cannot be read."""

    @property
    def good(self) -> int:
        """Can be read."""
        return 1

    @property
    def bad(self) -> int:
        """Cannot."""
        raise RuntimeError("broken")


def shops() -> Registry:
    """Two of them."""
    registry = Registry()
    for name in ("one", "two"):
        registry.register(ObjectName("shop", {"type": "Shop", "name": name}), Shop())
    return registry
