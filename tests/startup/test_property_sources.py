from __future__ import annotations

import pytest

from catalina.startup.property_sources import PROPERTY_SOURCE, substitution_for, unusable_sources

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


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("com.example.NoSource", "no class answers to this name: there is no package com"),
        ("catalina.attributes.Component", "expected a class with get_property"),
        ("catalina.startup.host_config.HostConfig", "expected a class with get_property"),
        ("catalina.naming.data_source_by_user.DataSourceByUser", "it cannot be made: TypeError"),
    ],
)
def test_a_source_that_is_none_is_left_out_and_said(name: str, why: str) -> None:
    properties = {PROPERTY_SOURCE: f"{name}, {ENVIRONMENT}"}
    assert substitution_for(properties)("${SHOP_PORT}") == "from environment"
    (problem,) = unusable_sources(properties)
    assert problem.startswith(f"Error loading property source [{name}]: {why}")
