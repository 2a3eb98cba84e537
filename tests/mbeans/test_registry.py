from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from catalina.attributes import Attribute, Component
from catalina.mbeans.audit import Caller
from catalina.mbeans.notification_hub import AttributeChange
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, OperationFailed, Registry
from catalina.mbeans.values import BeanAttributeError
from catalina.operations import Impact, operation


def name(text: str) -> ObjectName:
    return ObjectName.parse(text)


def test_a_registered_bean_is_found_by_its_name_in_any_order() -> None:
    registry, component = Registry(), Component()
    registry.register(name("d:a=1,b=2"), component)
    assert registry.find(name("d:b=2,a=1")).component is component


def test_a_bean_that_is_gone_is_not_found() -> None:
    registry = Registry()
    registry.register(name("d:a=1"), Component())
    registry.unregister(name("d:a=1"))
    with pytest.raises(InstanceNotFound, match="d:a=1"):
        registry.find(name("d:a=1"))


def test_a_source_is_asked_each_time() -> None:
    registry, there = Registry(), [(name("d:a=1"), Component())]
    registry.add_source(lambda: there)
    assert len(registry.query(name("d:*"))) == 1
    there.clear()
    assert registry.query(name("d:*")) == []


def test_a_removed_source_is_not_asked() -> None:
    def source() -> list[tuple[ObjectName, Component]]:
        return [(name("d:a=1"), Component())]

    registry = Registry()
    registry.add_source(source)
    registry.remove_source(source)
    assert registry.query(name("*:*")) == []


def test_a_name_that_occurs_twice_is_listed_once() -> None:
    registry, first = Registry(), Component()
    registry.register(name("d:a=1"), first)
    registry.add_source(lambda: [(name("d:a=1"), Component())])
    ((_, bean),) = registry.query(name("d:*"))
    assert bean.component is first


class Pool(Component):
    capacity = Attribute(int, 3, doc="Connections.")

    @operation
    def drop(self, count: int) -> int:
        """Drop some."""
        if count > 5:
            raise RuntimeError("too many")
        return self.capacity - count

    @operation(impact=Impact.INFO)
    def count(self) -> int:
        """How many."""
        return self.capacity


OPS = Caller("test", "ops", "10.0.0.7")


def pool_registry() -> Registry:
    registry = Registry()
    registry.register(name("d:type=Pool"), Pool())
    return registry


def test_a_change_is_made_told_and_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry = pool_registry()
    registry.set(name("d:type=Pool"), "capacity", "7", OPS)
    assert registry.find(name("d:type=Pool")).get("capacity") == 7
    assert "[ops] at [10.0.0.7] over [test] set [capacity] of [d:type=Pool] from [3] to [7]" in caplog.text
    (told,) = registry.notifications.fetch(0, 10, 0)[2]
    assert told.change == AttributeChange("capacity", "int", 3, 7)
    assert told.source == name("d:type=Pool")


def test_a_change_that_fails_is_written_down_and_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    registry = pool_registry()
    with pytest.raises(BeanAttributeError):
        registry.set(name("d:type=Pool"), "capacity", "many", OPS)
    assert "failed: capacity='many'" in caplog.text
    assert registry.notifications.next_number == 0


def test_an_operation_is_called_and_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry = pool_registry()
    assert registry.invoke(name("d:type=Pool"), "drop", ["2"], OPS) == 1
    assert "over [test] invoke [drop] of [d:type=Pool] to [['2']]" in caplog.text


def test_an_operation_that_changes_nothing_leaves_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert pool_registry().invoke(name("d:type=Pool"), "count", [], OPS) == 3
    assert caplog.text == ""


def test_whatever_an_operation_raises_is_one_error() -> None:
    with pytest.raises(OperationFailed, match="drop of d:type=Pool failed: RuntimeError"):
        pool_registry().invoke(name("d:type=Pool"), "drop", ["9"], OPS)


def test_a_source_that_fails_does_not_spoil_a_query(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterator[tuple[ObjectName, Component]]:
        yield name("d:a=1"), Component()
        raise RuntimeError("broken")

    registry = Registry()
    registry.add_source(broken)
    registry.add_source(lambda: [(name("d:a=2"), Component())])
    assert [str(found) for found, _ in registry.query(name("d:*"))] == ["d:a=1", "d:a=2"]
    assert "Some beans cannot be listed" in caplog.text
