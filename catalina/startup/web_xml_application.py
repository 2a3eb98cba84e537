"""Applies a merged web.xml to a context (Tomcat: ContextConfig.configureContext)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.descriptor.elements import LoginConfig, SecurityCollection, SecurityConstraint
from catalina.descriptor.web_xml import WebXml
from catalina.digester.class_names import find_class
from catalina.errors import ConfigurationError
from catalina.realm.access_rules import uncovered_methods

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["add_authenticator", "apply_web_xml"]

log = logging.getLogger("org.apache.catalina.core.StandardContext")

#: The log lines, by whether all methods except the named ones are open.
_UNCOVERED = (
    "%s: For security constraints with URL pattern [%s] the HTTP methods [%s] are uncovered.",
    "%s: For security constraints with URL pattern [%s] only the HTTP methods [%s] are covered. "
    "All other methods are uncovered.",
)
_DENIED = (
    "%s: Adding security constraints with URL pattern [%s] to deny access with the uncovered HTTP methods [%s]",
    "%s: Adding security constraints with URL pattern [%s] to deny access with the uncovered HTTP methods "
    "that are not one of the following [%s]",
)
#: auth-method -> class (Tomcat: startup/Authenticators.properties).
AUTHENTICATORS = {
    "BASIC": "org.apache.catalina.authenticator.BasicAuthenticator",
    "CLIENT-CERT": "org.apache.catalina.authenticator.SSLAuthenticator",
    "DIGEST": "org.apache.catalina.authenticator.DigestAuthenticator",
    "FORM": "org.apache.catalina.authenticator.FormAuthenticator",
    "NONE": "org.apache.catalina.authenticator.NonLoginAuthenticator",
    "SPNEGO": "org.apache.catalina.authenticator.SpnegoAuthenticator",
}


def apply_web_xml(web_xml: WebXml, context: StandardContext) -> None:
    """Set everything that the descriptor declares.

    Raises:
        ConfigurationError: a mapping names an undefined servlet or filter; the text gives its place.
    """
    context.display_name = web_xml.display_name
    context.distributable = web_xml.distributable
    context.deny_uncovered_http_methods = web_xml.deny_uncovered_http_methods
    context.parameters = dict(web_xml.context_parameters)
    context.listener_names = list(web_xml.listeners)
    context.mime_mappings = dict(web_xml.mime_mappings)
    context.welcome_files = list(web_xml.welcome_files)
    context.locale_encodings = dict(web_xml.locale_encodings)
    context.request_character_encoding = web_xml.request_character_encoding
    context.response_character_encoding = web_xml.response_character_encoding
    context.constraints = [*web_xml.constraints, *_deny_uncovered(web_xml, context)]
    context.login_config = web_xml.login
    context.security_roles = list(web_xml.roles)
    _check_tracking_modes(web_xml, context)
    context.session_config = web_xml.session
    if web_xml.session.timeout_minutes is not None:
        context.session_timeout = web_xml.session.timeout_minutes
    for page in web_xml.error_pages:
        context.error_pages.add(page)
    context.naming.set_descriptor(web_xml.env_entries, web_xml.resource_refs)
    _apply_servlets(web_xml, context)
    _apply_filters(web_xml, context)


def _check_tracking_modes(web_xml: WebXml, context: StandardContext) -> None:
    """Refuse tracking modes that do not exist here, because no client would keep a session
    (ApplicationContext.java).
    """
    modes = web_xml.session.tracking_modes
    why = None
    if "SSL" in modes:
        why = "the TLS session cannot be the session here; use COOKIE"
    elif "COOKIE" in modes and not context.cookies:
        why = "the Context says cookies=false"
    if why is not None:
        text = f"The session tracking mode [{', '.join(sorted(modes))}] requested for context [{context.name or '/'}]"
        raise ConfigurationError(f"{text} is not supported: {why}")


def _deny_uncovered(web_xml: WebXml, context: StandardContext) -> list[SecurityConstraint]:
    """Add constraints that refuse methods without a constraint of their own, if the descriptor asks for them; otherwise
    log them.
    """
    constraints = []
    for uncovered in uncovered_methods(web_xml.constraints):
        context_name, pattern, methods = context.name or "/", uncovered.pattern, " ".join(uncovered.methods)
        if not web_xml.deny_uncovered_http_methods:
            log.error(_UNCOVERED[uncovered.all_but], context_name, pattern, methods)
            continue
        log.info(_DENIED[uncovered.all_but], context_name, pattern, methods)
        names = "omitted_methods" if uncovered.all_but else "methods"
        collection = SecurityCollection("deny-uncovered-http-methods", [pattern])
        setattr(collection, names, frozenset(uncovered.methods))
        constraints.append(SecurityConstraint([collection], auth_constraint=True))
    return constraints


def _apply_servlets(web_xml: WebXml, context: StandardContext) -> None:
    for servlet in web_xml.servlets.values():
        context.add_servlet(servlet)
    for pattern, name in web_xml.servlet_mappings.items():
        if name not in web_xml.servlets:
            text = f"Servlet mapping specifies an unknown servlet name [{name}]"
            raise ConfigurationError(text, web_xml.mapping_places.get(pattern))
        context.add_servlet_mapping(pattern, name)


def _apply_filters(web_xml: WebXml, context: StandardContext) -> None:
    context.filter_definitions = dict(web_xml.filters)
    for mapping in web_xml.filter_mappings:
        if mapping.filter_name not in web_xml.filters:
            text = f"Filter mapping specifies an unknown filter name [{mapping.filter_name}]"
            raise ConfigurationError(text, mapping.place)
    context.filter_mappings = list(web_xml.filter_mappings)


def add_authenticator(context: StandardContext) -> None:
    """Add the valve unless the Context has an authenticator of its own.

    An application without login-config and constraints needs none.

    Raises:
        ConfigurationError: there is no authenticator for the auth-method; the application must not run without one.
    """
    if context.login_config is None:
        context.login_config = LoginConfig("NONE")
        if not context.constraints and not context.preemptive_authentication and not _single_sign_on(context):
            return
    if any(isinstance(valve, AuthenticatorBase) for valve in context.pipeline.valves):
        return
    method = context.login_config.auth_method or "NONE"
    found = find_class(AUTHENTICATORS.get(method.upper(), method))
    if found is None or not issubclass(found, AuthenticatorBase):
        raise ConfigurationError(f"Cannot configure an authenticator for method [{method}]", context.login_config.place)
    valve = found()
    context.configured_authenticator = valve
    context.pipeline.add_valve(valve)


def _single_sign_on(context: StandardContext) -> bool:
    """True when a valve above identifies the user for the application."""
    # imported here, because that module imports the authenticators
    from catalina.authenticator.single_sign_on import SingleSignOn

    parent = context.parent
    while parent is not None:
        if any(isinstance(valve, SingleSignOn) for valve in parent.pipeline.valves):
            return True
        parent = parent.parent
    return False
