"""Fills a :class:`Request` from the header fields of an HTTP/2 stream (RFC 9113 section 8.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from catalina.connector.headers import Headers
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError

if TYPE_CHECKING:
    from catalina.connector.http11_rules import Http11Rules
    from catalina.connector.request import Request
    from catalina.connector.stream import ClientFacts
    from catalina.coyote.http2.request_fields import RequestFields

__all__ = ["fill_request", "join_cookies"]

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+\-.]*")


def fill_request(request: Request, fields: RequestFields, rules: Http11Rules, tls: ClientFacts | None) -> None:
    """Set the request from the fields.

    Args:
        rules: the rules of the connector.
        tls: the connection's TLS, which may not be for the host of this request.

    Raises:
        HttpError: 400, 421 or 501: the request is refused; the parts set so far are enough for its error page.
    """
    request.headers = join_cookies(fields.fields)
    request.method = fields.method.decode("latin-1")
    request.content_length = fields.content_length
    _set_host(request, fields.authority, rules, tls)
    if _TOKEN.fullmatch(fields.method) is None:
        raise HttpError(400, f"Invalid :method {request.method!r}")
    if fields.path is None:
        raise HttpError(501, "CONNECT is not supported")
    if fields.scheme is not None and _SCHEME.fullmatch(fields.scheme) is None:
        raise HttpError(400, f"Invalid :scheme {fields.scheme.decode('latin-1')!r}")
    _set_target(request, fields.path, rules)


def _set_target(request: Request, target: bytes, rules: Http11Rules) -> None:
    if target == b"*" and request.method == "OPTIONS":
        request.request_uri = "*"
    elif target.startswith(b"/"):
        request.request_uri, request.query_string = rules.exchange.parser.split_target(target)
    else:
        raise HttpError(400, f"Invalid :path {target.decode('latin-1')!r}")


def _set_host(request: Request, authority: bytes, rules: Http11Rules, tls: ClientFacts | None) -> None:
    """``:authority``, or the Host field of a request that was translated from HTTP/1.1."""
    connector = rules.connector
    request.server_name, request.server_port = request.local_name, request.local_port
    host, port = parse_host(authority)
    if not host:
        raise HttpError(400, "The request names no host")
    if tls is not None:
        tls.check_host(host)
    if "host" not in request.headers:
        request.headers.add("host", authority.decode("latin-1"))
    if port < 0:
        port = (443 if request.scheme == "https" else 80) if host else request.local_port
    request.server_name = connector.proxy_name or host or request.local_name
    request.server_port = connector.proxy_port or port


def join_cookies(fields: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """Join cookies, which may come one by one, because applications expect one field (RFC 9113 section 8.2.3)."""
    cookies = [value for name, value in fields if name == b"cookie"]
    if len(cookies) < 2:
        return Headers(fields)
    return Headers((*(pair for pair in fields if pair[0] != b"cookie"), (b"cookie", b"; ".join(cookies))))
