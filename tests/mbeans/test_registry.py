from __future__ import annotations

import pytest

from catalina.attributes import Component
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry


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
