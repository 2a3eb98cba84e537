"""Lets CORS preflight requests, which carry no credentials, pass without login (Tomcat: AuthenticatorBase.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.core.application_filters import matches_url
from catalina.filters.origin import is_same_origin, is_valid_origin

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.core.standard_context import StandardContext

__all__ = ["may_bypass"]

CORS_FILTER = "org.apache.catalina.filters.CorsFilter"


def may_bypass(mode: str, request: Request, context: StandardContext) -> bool:
    """True when the request is a preflight that passes without login.

    Args:
        mode: ``never``, ``filter`` (if the application maps a CorsFilter) or ``always``.
    """
    if mode == "never" or request.method != "OPTIONS" or not _is_preflight(request):
        return False
    return mode == "always" or _cors_filter_is_mapped(request, context)


def _is_preflight(request: Request) -> bool:
    origin = request.headers.get("origin")
    if not origin or not is_valid_origin(origin):
        return False
    if is_same_origin(request.scheme, request.server_name, request.server_port, origin):
        return False
    return bool(request.headers.get("access-control-request-method"))


def _cors_filter_is_mapped(request: Request, context: StandardContext) -> bool:
    names = {name for name, filter_ in context.filter_definitions.items() if filter_.filter_class == CORS_FILTER}
    path = request.servlet_path + (request.path_info or "")
    return any(
        mapping.filter_name in names
        and "REQUEST" in mapping.dispatchers
        and any(matches_url(pattern, path) for pattern in mapping.url_patterns)
        for mapping in context.filter_mappings
    )
