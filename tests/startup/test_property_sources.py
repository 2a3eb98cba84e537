from __future__ import annotations

import pytest

from catalina.errors import ConfigurationError
from catalina.startup.property_sources import PROPERTY_SOURCE, substitution_for

ENVIRONMENT = "org.apache.tomcat.util.digester.EnvironmentPropertySource"
SYSTEM = "org.apache.tomcat.util.digester.SystemPropertySource"


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "from environment")


def test_the_environment_is_not_looked_at_unless_configured() -> None:
    assert substitution_for({})("${SHOP_PORT:-none}") == "none"


def test_a_configured_source_is_asked_before_the_properties() -> None:
    substitution = substitution_for({PROPERTY_SOURCE: ENVIRONMENT, "SHOP_PORT": "from property", "a": "1"})
    assert substitution("${SHOP_PORT} ${a}") == "from environment 1"


def test_the_properties_may_be_named_in_front() -> None:
    substitution = substitution_for({PROPERTY_SOURCE: f"{SYSTEM}, {ENVIRONMENT}", "SHOP_PORT": "from property"})
    assert substitution("${SHOP_PORT}") == "from property"
    assert len(substitution.sources) == 2


@pytest.mark.parametrize("name", ["com.example.NoSource", "catalina.attributes.Component"])
def test_a_source_that_is_none_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"names '{name}', expected a class with get_property"):
        substitution_for({PROPERTY_SOURCE: name})
