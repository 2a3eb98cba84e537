"""The authenticator that an application gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.authenticator.basic_authenticator import BasicAuthenticator
from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.core.standard_context import StandardContext
from catalina.lifecycle import LifecycleState
from tests.core.node import Node, web_xml

CONSTRAINT = (
    "<security-constraint><web-resource-collection><url-pattern>/*</url-pattern></web-resource-collection>"
    "<auth-constraint><role-name>admin</role-name></auth-constraint></security-constraint>"
)


def login(method: str) -> str:
    return f"<login-config><auth-method>{method}</auth-method></login-config>"


def authenticators(context: StandardContext) -> list[str]:
    return [type(valve).__name__ for valve in context.pipeline.valves if isinstance(valve, AuthenticatorBase)]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("BASIC", "BasicAuthenticator"),
        ("basic", "BasicAuthenticator"),
        ("DIGEST", "DigestAuthenticator"),
        ("FORM", "FormAuthenticator"),
        ("CLIENT-CERT", "SSLAuthenticator"),
        ("NONE", "NonLoginAuthenticator"),
    ],
)
def test_the_auth_method_names_it(tmp_path: Path, method: str, name: str) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(CONSTRAINT + login(method))})
    with node:
        assert authenticators(context) == [name]
        context.reload()
        assert authenticators(context) == [name]


def test_constraints_without_login_are_still_guarded(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"WEB-INF/web.xml": web_xml(CONSTRAINT), "a.txt": "a"})
    with node:
        assert node.ask("/shop/a.txt").status == 403


def test_an_application_with_nothing_to_guard_has_none(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"a.txt": "a"})
    with node:
        assert authenticators(context) == []


def test_single_sign_on_needs_one_everywhere(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.host.add_valve(SingleSignOn())
    context = node.add("shop", {"a.txt": "a"})
    with node:
        assert authenticators(context) == ["NonLoginAuthenticator"]


def test_an_authenticator_of_the_context_is_kept(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(CONSTRAINT + login("FORM"))})
    context.add_valve(BasicAuthenticator())
    with node:
        assert authenticators(context) == ["BasicAuthenticator"]


def test_an_unknown_method_keeps_the_application_from_running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"WEB-INF/web.xml": web_xml(CONSTRAINT + login("MAGIC"))})
    with node:
        assert context.state is LifecycleState.FAILED
    assert "Cannot configure an authenticator for method [MAGIC]" in caplog.text
