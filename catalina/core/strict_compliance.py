"""``-Dorg.apache.catalina.STRICT_SERVLET_COMPLIANCE=true``: defaults that follow the letter of the Servlet
specification.

Attributes that a file sets stay (Tomcat: Globals.STRICT_SERVLET_COMPLIANCE and its users; docs: config/systemprops).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from catalina.attributes import Component, xml_name

__all__ = ["CONTEXT_DEFAULTS", "MANAGER_DEFAULTS", "PROPERTY", "apply_strict_compliance", "say_strict_compliance"]

log = logging.getLogger("org.apache.catalina.core.StandardServer")

PROPERTY = "org.apache.catalina.STRICT_SERVLET_COMPLIANCE"
CONTEXT_DEFAULTS: dict[str, Any] = {
    "always_access_session": True,
    "context_get_resource_requires_slash": True,
    "resource_only_servlets": "",
    "use_relative_redirects": False,
}
MANAGER_DEFAULTS: dict[str, Any] = {"session_activity_check": True, "session_last_access_at_start": True}


def is_strict(properties: Mapping[str, str]) -> bool:
    """True when the property is set to true."""
    return properties.get(PROPERTY, "").strip().lower() == "true"


def apply_strict_compliance(component: object, properties: Mapping[str, str], defaults: Mapping[str, Any]) -> None:
    """Give a component the stricter defaults, if the property is set; attributes that a file has set stay."""
    if is_strict(properties):
        given = component.given if isinstance(component, Component) else set()
        for name, value in defaults.items():
            if name not in given and hasattr(component, name):
                setattr(component, name, value)


def say_strict_compliance(properties: Mapping[str, str]) -> None:
    """Log one line at the start of the server."""
    if is_strict(properties):
        names = ", ".join(xml_name(name) for name in (*CONTEXT_DEFAULTS, *MANAGER_DEFAULTS))
        log.info(
            "%s=true: other defaults for %s; what it says of JSP, XML validation and request wrappers is inert",
            PROPERTY,
            names,
        )
