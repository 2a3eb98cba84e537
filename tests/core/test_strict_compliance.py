"""The defaults of STRICT_SERVLET_COMPLIANCE."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.strict_compliance import (
    CONTEXT_DEFAULTS,
    MANAGER_DEFAULTS,
    PROPERTY,
    apply_strict_compliance,
    say_strict_compliance,
)
from catalina.session.standard_manager import StandardManager
from tests.core.node import Node
from tests.support.narrowing import of_type


@pytest.mark.parametrize(("value", "strict"), [("true", True), ("TRUE", True), ("false", False), ("", False)])
def test_the_defaults_are_others_when_the_property_says_so(value: str, strict: bool) -> None:
    context, manager = StandardContext(), StandardManager()
    apply_strict_compliance(context, {PROPERTY: value}, CONTEXT_DEFAULTS)
    apply_strict_compliance(manager, {PROPERTY: value}, MANAGER_DEFAULTS)
    assert (context.use_relative_redirects, context.always_access_session) == (not strict, strict)
    assert context.context_get_resource_requires_slash is strict
    assert context.resource_only_servlets == ("" if strict else "jsp")
    assert (manager.session_activity_check, manager.session_last_access_at_start) == (strict, strict)


def test_what_the_file_says_stays() -> None:
    context = StandardContext(use_relative_redirects=True)
    apply_strict_compliance(context, {PROPERTY: "true"}, CONTEXT_DEFAULTS)
    assert context.use_relative_redirects
    assert context.always_access_session


def test_a_server_with_the_property_says_it_once_and_redirects_absolutely(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    node = Node(tmp_path)
    node.server.properties[PROPERTY] = "true"
    context = node.add("shop", {"sub/a.txt": "a"})
    with node:
        assert (node.ask("/shop/sub").get("Location") or "").startswith("http://")
        assert of_type(StandardManager, context.manager).session_activity_check
    assert caplog.text.count(PROPERTY) == 1
    assert "useRelativeRedirects" in caplog.text


def test_nothing_is_said_without_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    say_strict_compliance({})
    assert caplog.text == ""
