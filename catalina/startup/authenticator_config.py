"""Gives an application the authenticator that its login-config asks for (Tomcat: ContextConfig.authenticatorConfig)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.descriptor.elements import LoginConfig
from catalina.digester.class_names import find_class
from catalina.errors import ConfigurationError

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["add_authenticator"]

#: auth-method -> class (Tomcat: startup/Authenticators.properties).
AUTHENTICATORS = {
    "BASIC": "org.apache.catalina.authenticator.BasicAuthenticator",
    "CLIENT-CERT": "org.apache.catalina.authenticator.SSLAuthenticator",
    "DIGEST": "org.apache.catalina.authenticator.DigestAuthenticator",
    "FORM": "org.apache.catalina.authenticator.FormAuthenticator",
    "NONE": "org.apache.catalina.authenticator.NonLoginAuthenticator",
    "SPNEGO": "org.apache.catalina.authenticator.SpnegoAuthenticator",
}


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
