from __future__ import annotations

from catalina.mbeans.bean_info import AttributeInfo


def test_an_attribute_is_read_only_unless_it_is_said() -> None:
    assert not AttributeInfo("port", "int", "The port.").writable
    assert not AttributeInfo("port", "int", "The port.").is_getter
