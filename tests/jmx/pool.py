"""A bean with an attribute of each type, and a server of it without a container."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catalina.attributes import Attribute, Component
from catalina.jmx.rmi_objects import Login, RmiObjects
from catalina.jmx.rmi_transport import RmiTransport
from catalina.juli.logging_bean import LoggingBean
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType
from catalina.mbeans.platform.platform_beans import platform_beans
from catalina.mbeans.registry import Registry
from catalina.operations import Impact, Long, operation, readable

__all__ = ["POOL", "Pool", "pool_registry", "query_beans", "serving"]

POOL = ObjectName.parse('d:type=Pool,name="a,b"')
USAGE = CompositeType("java.lang.management.MemoryUsage", "", {"used": ("long", ""), "init": ("long", "")})


class Pool(Component):
    """A pool. A pool of things."""

    size = Attribute(int, 3, unit="things", doc="How many.")
    label = Attribute(str, None, doc="A text.")

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    def __str__(self) -> str:
        return "Pool"

    @property
    def big(self) -> Long:
        return 2**40

    @property
    def load(self) -> float:
        return 0.25

    @property
    def open(self) -> bool:
        return True

    @property
    def names(self) -> list[str]:
        return ["a", "b"]

    @property
    @readable("ids", type="[J")
    def thread_ids(self) -> list[int]:
        return [1, 2**40]

    @property
    def where(self) -> ObjectName:
        return ObjectName("d", {"a": "b"})

    @property
    def usage(self) -> CompositeData:
        return CompositeData(USAGE, {"used": 5, "init": 0})

    @property
    def broken(self) -> int:
        raise RuntimeError("no")

    @operation(first="the first")
    def add(self, first: int, second: Long) -> Long:
        """Add them. Both."""
        return first + second

    @operation
    def drop(self) -> None:
        """Drop."""

    @operation(impact=Impact.INFO)
    def fail(self) -> None:
        """Fail."""
        raise RuntimeError("out of order")

    @operation
    def come(self) -> None:
        """Register another bean."""
        self._registry.register(ObjectName("d", {"type": "Came"}), Component())


def pool_registry() -> Registry:
    """The pool, the interpreter's beans, and the loggers'."""
    registry = Registry()
    registry.register(POOL, Pool(registry))
    registry.add_source(platform_beans({"catalina.base": "/srv"}))
    logging.getLogger("org.apache.catalina.test.JmxDriver")
    registry.register(ObjectName("java.util.logging", {"type": "Logging"}), LoggingBean())
    return registry


class Values(Component):
    """A bean with any attributes."""

    def __init__(self, **values: object) -> None:
        super().__init__()
        vars(self).update(values)


def query_beans() -> Registry:
    """The beans that JmxDriver.java has in its own JVM, for its queries."""
    registry = Registry()
    for name, values in {
        "q:type=Host,name=one": Values(size=3, other=3, big=2**40, load=0.25, open=True, label="alpha"),
        "q:type=Host,name=two": Values(size=7, other=8, load=2.5, open=False, label="al*pha[x]"),
        "q:type=B": Values(size="7"),
        "q:type=C": Values(),
    }.items():
        registry.register(ObjectName.parse(name), values)
    return registry


@contextmanager
def serving(login: Login | None = None, registry: Registry | None = None, **transport: Any) -> Iterator[RmiTransport]:
    """The pool's beans, or others, on a free port of the loopback."""
    made = RmiTransport(RmiObjects(registry or pool_registry(), login), "127.0.0.1", **transport)
    made.start(0, 0)
    try:
        yield made
    finally:
        made.stop()
