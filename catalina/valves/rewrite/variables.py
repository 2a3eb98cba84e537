"""The variables ``%{NAME}`` of rewrite rules (Tomcat: valves/rewrite/ResolverImpl.java)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.webresources.resource import Resource

__all__ = ["find_resource", "resolve"]


def _moment(form: str) -> Callable[[Request], str]:
    return lambda _: time.strftime(form)


def _real_path(request: Request, path: str | None) -> str:
    if request.context is None or not path:
        return ""
    found = request.context.resources.get_resource(path)
    if found.file is not None:
        return str(found.file)
    return str(request.context.document_root) + path


def _the_request(request: Request) -> str:
    return f"{request.method} {request.request_uri} {request.protocol}"  # without the query, as in Tomcat


def _request_path(request: Request) -> str:
    path = request.servlet_path + (request.path_info or "")
    return path or request.decoded_uri.removeprefix(request.context.path if request.context is not None else "")


VARIABLES: dict[str, Callable[[Request], str | None]] = {
    "HTTP_USER_AGENT": lambda request: request.headers.get("user-agent"),
    "HTTP_REFERER": lambda request: request.headers.get("referer"),
    "HTTP_COOKIE": lambda request: request.headers.get("cookie"),
    "HTTP_FORWARDED": lambda request: request.headers.get("forwarded"),
    "HTTP_HOST": lambda request: request.server_name,
    "HTTP_PROXY_CONNECTION": lambda request: request.headers.get("proxy-connection"),
    "HTTP_ACCEPT": lambda request: request.headers.get("accept"),
    "REMOTE_ADDR": lambda request: request.remote_addr,
    "REMOTE_HOST": lambda request: request.remote_host,
    "REMOTE_PORT": lambda request: str(request.remote_port),
    "REMOTE_USER": lambda request: request.remote_user,
    "REMOTE_IDENT": lambda request: request.remote_user,
    "REQUEST_METHOD": lambda request: request.method,
    "SCRIPT_FILENAME": lambda request: _real_path(request, request.servlet_path),
    "REQUEST_PATH": _request_path,
    "CONTEXT_PATH": lambda request: request.context.path if request.context is not None else "",
    "SERVLET_PATH": lambda request: request.servlet_path,
    "PATH_INFO": lambda request: request.path_info,
    "QUERY_STRING": lambda request: request.query_string,
    "AUTH_TYPE": lambda request: request.auth_type,
    "DOCUMENT_ROOT": lambda request: _real_path(request, "/"),
    "SERVER_NAME": lambda request: request.local_name,
    "SERVER_ADDR": lambda request: request.local_addr,
    "SERVER_PORT": lambda request: str(request.local_port),
    "SERVER_PROTOCOL": lambda request: request.protocol,
    "SERVER_SOFTWARE": lambda _: "tomcat",
    "TIME_YEAR": _moment("%Y"),
    "TIME_MON": _moment("%m"),
    "TIME_DAY": _moment("%d"),
    "TIME_HOUR": _moment("%H"),
    "TIME_MIN": _moment("%M"),
    "TIME_SEC": _moment("%S"),
    "TIME_WDAY": _moment("%w"),
    "TIME": _moment("%Y%m%d%H%M%S"),
    "THE_REQUEST": _the_request,
    "REQUEST_URI": lambda request: request.request_uri,
    "REQUEST_FILENAME": lambda request: _real_path(request, request.path_info),
    "HTTPS": lambda request: "on" if request.secure else "off",
}


def resolve(name: str, request: Request) -> str:
    """The value of a variable, empty for one that is not set.

    ``ENV:name`` is a property of the server (``-Dname=value``) or the environment, ``SSL:name`` a fact about the TLS
    connection, ``HTTP:name`` a header field.
    """
    kind, colon, inner = name.partition(":")
    if not colon:
        variable = VARIABLES.get(name)
        return (variable(request) or "") if variable is not None else ""
    match kind:
        case "HTTP":
            return request.headers.get(inner.lower()) or ""
        case "ENV":
            service = request.connector.service
            server = service.server if service is not None else None
            properties = server.properties if server is not None else {}
            return properties.get(inner) or os.environ.get(inner, "")
        case "SSL":
            value = request.attributes.get(inner)
            return "" if value is None else str(value)
    return ""


def find_resource(request: Request, path: str) -> Resource | None:
    """The resource at a path of the application; None when there is none, or the request is in no application."""
    if request.context is None or not path.startswith("/"):
        return None
    try:
        return request.context.resources.get_resource(path)
    except ValueError:
        return None
