"""The session id in URLs, for clients that keep no cookies (Tomcat: Response.encodeRedirectURL, isEncodeable)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["encode_redirect_url"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def encode_redirect_url(request: Request, url: str) -> str:
    """The URL with ``;jsessionid=...`` behind its path, if the client would lose its session otherwise.

    That is the case when the request has a session whose id did not come in a cookie, the application allows ids in
    URLs, and the URL (absolute, or relative to the request) belongs to the application.
    """
    context = request.context
    if context is None or request.requested_session_id_from_cookie or url.startswith("#"):
        return url
    config = context.session_cookie
    session = request.get_session(False) if config.url_tracking else None
    if session is None or not _is_of_application(request, context.path, url):
        return url
    mark = f";{config.uri_parameter}={session.id}"
    if mark in url:
        return url
    path, question, query = url.partition("?")
    path, pound, anchor = path.partition("#")
    # An id alone would not be a path.
    return f"{path}{mark if path else ''}{pound}{anchor}{question}{query}"


def _is_of_application(request: Request, context_path: str, url: str) -> bool:
    try:
        parts = urlsplit(urljoin(request.request_url, url))
        port = parts.port
    except ValueError:
        return False
    if (parts.scheme, parts.hostname) != (request.scheme, _host_name(request.server_name)):
        return False
    default = _DEFAULT_PORTS.get(parts.scheme, -1)
    if (port or default) != (request.server_port if request.server_port > 0 else default):
        return False
    path = parts.path.partition(";")[0]
    return path == context_path or path.startswith((request.context_path + "/", context_path + "/"))


def _host_name(server_name: str) -> str | None:
    """The host name in the form of :func:`urlsplit`: lower case, without the brackets of an IPv6 address."""
    return SplitResult("http", server_name, "", "", "").hostname
