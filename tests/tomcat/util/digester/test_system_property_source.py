from __future__ import annotations

from catalina.tomcat.util.digester.system_property_source import SystemPropertySource


def test_properties_are_looked_up_when_they_are_asked_for() -> None:
    properties: dict[str, str] = {}
    source = SystemPropertySource(properties)
    assert source.get_property("a") is None
    properties["a"] = "1"
    assert source.get_property("a") == "1"
