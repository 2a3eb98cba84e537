from __future__ import annotations

import pytest

from catalina.tomcat.util.digester.environment_property_source import EnvironmentPropertySource


def test_a_name_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "8081")
    assert EnvironmentPropertySource().get_property("SHOP_PORT") == "8081"
    assert EnvironmentPropertySource().get_property("SHOP_PORT_NOT_SET") is None
