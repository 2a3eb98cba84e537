"""A descriptor's words become the context's."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.authenticator.basic_authenticator import BasicAuthenticator
from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.core.standard_context import StandardContext
from catalina.descriptor.elements import (
    ErrorPage,
    FilterMap,
    SecurityCollection,
    SecurityConstraint,
    ServletDef,
    SessionConfig,
)
from catalina.descriptor.web_xml import WebXml
from catalina.errors import ConfigurationError
from catalina.lifecycle import LifecycleState
from catalina.realm.access_rules import constraints_for
from catalina.startup.web_xml_application import apply_web_xml
from tests.core.node import Node, web_xml

CONSTRAINT = (
    "<security-constraint><web-resource-collection><url-pattern>/*</url-pattern></web-resource-collection>"
    "<auth-constraint><role-name>admin</role-name></auth-constraint></security-constraint>"
)


def test_everything_is_handed_over(tmp_path: Path) -> None:
    context = StandardContext()
    web_xml = WebXml(
        display_name="Shop",
        distributable=True,
        context_parameters={"a": "b"},
        servlets={"s": ServletDef("s", "m:s")},
        servlet_mappings={"/s": "s"},
        listeners=["m:L"],
        session=SessionConfig(timeout_minutes=5, cookie_name="SID"),
        mime_mappings={"x": "text/x"},
        welcome_files=["w.html"],
        error_pages=[ErrorPage("/e", 404)],
        constraints=[SecurityConstraint()],
        roles=["admin"],
        deny_uncovered_http_methods=True,
        response_character_encoding="UTF-8",
    )
    apply_web_xml(web_xml, context)
    assert (context.display_name, context.distributable, context.parameters) == ("Shop", True, {"a": "b"})
    assert (context.servlet_mappings, list(context.wrappers)) == ({"/s": "s"}, ["s"])
    assert (context.listener_names, context.session_timeout, context.session_config.cookie_name) == (["m:L"], 5, "SID")
    assert (context.mime_mappings, context.welcome_files) == ({"x": "text/x"}, ["w.html"])
    assert context.error_pages.for_status(404) is not None
    assert (len(context.constraints), context.security_roles) == (1, ["admin"])
    assert (context.deny_uncovered_http_methods, context.response_character_encoding) == (True, "UTF-8")
    context.forget_descriptor()
    assert (context.wrappers, context.servlet_mappings, context.constraints) == ({}, {}, [])


def test_the_context_is_independent_of_the_shared_defaults() -> None:
    defaults = WebXml(mime_mappings={"x": "text/x"})
    context = StandardContext()
    apply_web_xml(defaults, context)
    context.mime_mappings["y"] = "text/y"
    assert defaults.mime_mappings == {"x": "text/x"}


@pytest.mark.parametrize(
    ("web_xml", "complaint"),
    [
        (WebXml(servlet_mappings={"/x": "nobody"}), r"unknown servlet name \[nobody\]"),
        (WebXml(filter_mappings=[FilterMap("nobody", ["/*"])]), r"unknown filter name \[nobody\]"),
    ],
)
def test_mappings_of_nothing_are_refused(web_xml: WebXml, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        apply_web_xml(web_xml, StandardContext())


def _with_get_constraint(deny: bool) -> WebXml:
    collection = SecurityCollection("", ["/*"], frozenset({"GET"}))
    return WebXml(constraints=[SecurityConstraint([collection], True, ("user",))], deny_uncovered_http_methods=deny)


def test_uncovered_methods_are_denied_where_the_descriptor_says_so() -> None:
    context = StandardContext()
    apply_web_xml(_with_get_constraint(True), context)
    for method, refused in (("GET", False), ("POST", True), ("BREW", True)):
        found = constraints_for(context.constraints, "/a", method)
        assert any(each.auth_constraint and not each.roles for each in found) is refused


def test_uncovered_methods_are_an_error_in_the_log_otherwise(caplog: pytest.LogCaptureFixture) -> None:
    context = StandardContext()
    apply_web_xml(_with_get_constraint(False), context)
    assert len(context.constraints) == 1
    assert "URL pattern [/*] only the HTTP methods [GET] are covered" in caplog.text


@pytest.mark.parametrize(
    ("modes", "cookies", "why"), [({"SSL"}, True, "TLS session"), ({"SSL", "URL"}, True, "TLS session"),
                                  ({"COOKIE"}, False, "cookies=false")]
)  # fmt: skip
def test_a_way_for_sessions_that_there_is_not_is_refused(modes: set[str], cookies: bool, why: str) -> None:
    web_xml = WebXml(session=SessionConfig(tracking_modes=frozenset(modes)))
    with pytest.raises(ConfigurationError, match=why):
        apply_web_xml(web_xml, StandardContext(cookies=cookies))


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
