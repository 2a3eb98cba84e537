"""Header fields of an HTTP/2 stream -> :class:`Request` (RFC 9113 section 8.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.connector.headers import Headers
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint
    from catalina.connector.request import Request
    from catalina.coyote.http2.http2_protocol import Http2Protocol

__all__ = ["fill_request", "join_cookies"]


def fill_request(
    request: Request,
    fields: list[tuple[bytes, bytes]],
    endpoint: Endpoint,
    settings: Http2Protocol,
    check_host: Callable[[str | None], None],
) -> None:
    """Set what the fields say; those with a colon are the request line.

    Args:
        check_host: raises HttpError if the TLS connection is not for this host.

    Raises:
        HttpError: 400, 431 or 501, the request cannot be taken; what is set so far is enough for its error page.
    """
    pseudo = {name: value for name, value in fields if name.startswith(b":")}
    plain = tuple((name, value) for name, value in fields if not name.startswith(b":"))
    request.headers = join_cookies(plain)
    request.method = pseudo.get(b":method", b"").decode("latin-1")
    _set_host(request, pseudo.get(b":authority", b""), endpoint, check_host)
    if 0 <= settings.max_header_count < len(plain):
        raise HttpError(431, f"more than maxHeaderCount {settings.max_header_count} header fields")
    _set_target(request, pseudo.get(b":path", b""), endpoint)
    scheme = pseudo.get(b":scheme", b"")
    if scheme != (b"https" if endpoint.connector.is_tls else b"http") and not settings.allow_scheme_mismatch:
        raise HttpError(400, f"the :scheme {scheme.decode('latin-1')!r} is not that of the connection")
    length = request.headers.get("content-length")
    request.content_length = int(length) if length is not None and length.isdecimal() else -1


def _set_target(request: Request, target: bytes, endpoint: Endpoint) -> None:
    if request.method == "CONNECT":
        raise HttpError(501, "CONNECT is not supported")
    if target == b"*" and request.method == "OPTIONS":
        request.request_uri = "*"
    elif target.startswith(b"/"):
        request.request_uri, request.query_string = endpoint.http11_rules.parser.split_target(target)
    else:
        raise HttpError(400, f"Invalid :path {target.decode('latin-1')!r}")


def _set_host(request: Request, authority: bytes, endpoint: Endpoint, check_host: Callable[[str | None], None]) -> None:
    """``:authority``, or the Host field of a request that was translated from HTTP/1.1."""
    connector = endpoint.connector
    request.server_name, request.server_port = request.local_name, request.local_port
    host, port = parse_host(authority or (request.headers.get("host") or "").encode("latin-1"))
    check_host(host)
    if authority and "host" not in request.headers:
        request.headers.add("host", authority.decode("latin-1"))
    if port < 0:
        port = (443 if request.scheme == "https" else 80) if host else request.local_port
    request.server_name = connector.proxy_name or host or request.local_name
    request.server_port = connector.proxy_port or port


def join_cookies(fields: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """Cookies may come one by one; applications expect one field (RFC 9113 section 8.2.3)."""
    cookies = [value for name, value in fields if name == b"cookie"]
    if len(cookies) < 2:
        return Headers(fields)
    return Headers((*(pair for pair in fields if pair[0] != b"cookie"), (b"cookie", b"; ".join(cookies))))
