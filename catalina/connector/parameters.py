"""Query, form and cookie parameters (Tomcat: util/http/Parameters.java, Rfc6265CookieProcessor.java)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from catalina.connector.charsets import find_charset
from catalina.errors import LimitError

if TYPE_CHECKING:
    from catalina.connector.headers import Headers
    from catalina.connector.request import Request

__all__ = ["ParameterLimitError", "body_parameters", "declared_encoding", "parse_cookies", "query_parameters",
           "remembered_cookies"]  # fmt: skip

POST_TOO_LARGE, TOO_MANY = "POST_TOO_LARGE", "TOO_MANY_PARAMETERS"


class ParameterLimitError(LimitError):
    """The parameters of a request are beyond a limit.

    Args:
        reason: Tomcat's word (Parameters.FailReason): POST_TOO_LARGE or TOO_MANY_PARAMETERS.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


FORM = "application/x-www-form-urlencoded"

#: RFC 6265 section 4.1.1, as Tomcat reads it: a name is a token, a value has no control, space, comma, semicolon or
#: backslash, and may stand in quotes, which allow a comma. Bytes above 0x7F are let through (UTF-8 cookies).
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
_COOKIE_VALUE = re.compile(r'[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e\x80-\xff]*|"[\x21\x23-\x5b\x5d-\x7e\x80-\xff]*"')


#: Longer Cookie fields are parsed anew each time, so that the remembered ones stay below 2 MiB.
REMEMBERED_LENGTH = 1024


def parse_cookies(headers: Headers, limit: int, names: bool = True) -> Mapping[str, Sequence[str]]:
    """Cookie fields -> name -> values. A malformed cookie is left out, the others stay, as in Tomcat.

    Args:
        limit: the largest number of cookies, negative for no limit.
        names: True takes a cookie without ``=`` for a name with an empty value; False leaves it out.

    Raises:
        LimitError: there are more.
    """
    known = headers.memo.cookies
    if known is None or known[0] is not names:
        field = headers.cgi_fields().get("HTTP_COOKIE", "")
        read = remembered_cookies if len(field) <= REMEMBERED_LENGTH else _read_cookies
        known = headers.memo.cookies = (names, *read(field, names))
    _, count, cookies = known
    if 0 <= limit < count:
        raise LimitError(f"more than the maximum number of cookies [{limit}] in one request")
    return cookies


def _read_cookies(field: str, names: bool) -> tuple[int, Mapping[str, Sequence[str]]]:
    cookies: dict[str, list[str]] = {}
    count = 0
    for part in field.split(";"):
        name, equals, value = part.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if (equals or names) and _COOKIE_NAME.fullmatch(name) and _COOKIE_VALUE.fullmatch(value):
            count += 1
            cookies.setdefault(name, []).append(value[1:-1] if value.startswith('"') else value)
    return count, MappingProxyType({name: tuple(values) for name, values in cookies.items()})


#: A client sends the same field with every request, and parsing a hundred bytes of it costs as much as routing the
#: request.
remembered_cookies = lru_cache(maxsize=1024)(_read_cookies)


def query_parameters(request: Request) -> dict[str, list[str]]:
    """Parameters of the query string, in the connector's URIEncoding, or in the body's with useBodyEncodingForURI."""
    parameters: dict[str, list[str]] = {}
    if request.query_string:
        connector = request.connector
        encoding = connector.uri_encoding
        if connector.use_body_encoding_for_uri:
            encoding = _charset((request.content_type or "").partition(";")[2]) or encoding
        _add_pairs(request, request.query_string.encode("latin-1"), find_charset(encoding) or "utf-8", parameters)
    return parameters


def body_parameters(request: Request, parameters: dict[str, list[str]]) -> None:
    """Add the parameters of a form body; the application can read the body again."""
    content_type = request.content_type
    if not content_type or request.method not in request.connector.parse_body_methods:
        return
    if content_type.partition(";")[0].strip().lower() != FORM:
        return
    limit = request.connector.max_post_size
    if 0 <= limit < request.content_length:
        raise ParameterLimitError(f"form of {request.content_length} bytes, limit maxPostSize {limit}", POST_TOO_LARGE)
    data = request.input.read(limit + 1 if limit >= 0 else -1)
    if not data:
        return
    request.input.push_back(data)
    if 0 <= limit < len(data):
        raise ParameterLimitError(f"form of more than maxPostSize {limit} bytes", POST_TOO_LARGE)
    _add_pairs(request, data, find_charset(declared_encoding(request) or "") or "utf-8", parameters)


def declared_encoding(request: Request) -> str | None:
    """The body's charset, from a valve or filter, the content type, or the application's descriptor.

    An unknown charset (:mod:`catalina.connector.charsets`) counts as none, as in Tomcat.
    """
    parameters = (request.content_type or "").partition(";")[2]
    context = request.context
    by_descriptor = context.request_character_encoding if context is not None else None
    return request.character_encoding or _charset(parameters) or by_descriptor


def _charset(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            value = value.strip().strip('"')
            return value if find_charset(value) else None
    return None


def _add_pairs(request: Request, data: bytes, encoding: str, parameters: dict[str, list[str]]) -> None:
    limit = request.max_parameter_count
    if limit is None:
        limit = request.connector.max_parameter_count
    count = sum(map(len, parameters.values()))
    for pair in data.split(b"&"):
        if not pair:
            continue
        count += 1
        if 0 <= limit < count:
            raise ParameterLimitError(f"more than the maximum number of request parameters [{limit}]", TOO_MANY)
        name, _, value = pair.partition(b"=")
        parameters.setdefault(_decode(name, encoding), []).append(_decode(value, encoding))


def _decode(data: bytes, encoding: str) -> str:
    return unquote_to_bytes(data.replace(b"+", b" ")).decode(encoding, "replace")
