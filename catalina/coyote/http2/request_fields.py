"""Checks the fields of a request or its trailers in HTTP/2.

RFC 9113 section 8; Tomcat: Stream.java.

Malformed fields reset their stream. Well-formed fields that are still no valid request get an answer, as in HTTP/1.1,
but not from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalina.coyote.http2.http2_error import Http2Error, StreamException
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError

__all__ = ["RequestFields", "check_trailers", "request_fields"]

Field = tuple[bytes, bytes]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_LENGTH = re.compile(rb"[0-9]{1,19}")
#: Fields that belong to a connection of HTTP/1.1 (section 8.2.2).
OF_CONNECTION = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
PSEUDO = frozenset((b":method", b":scheme", b":path", b":authority"))


@dataclass(frozen=True, slots=True)
class RequestFields:
    """A well-formed request.

    Args:
        method, scheme, path: as sent; scheme and path are None with CONNECT.
        authority: the value of ``:authority`` or of the Host field.
        fields: the fields, without those that begin with a colon.
        content_length: -1 without one.
    """

    method: bytes
    scheme: bytes | None
    path: bytes | None
    authority: bytes
    fields: tuple[Field, ...]
    content_length: int


def request_fields(number: int, fields: list[Field], scheme: bytes | None) -> RequestFields:
    """Check a request's fields.

    Args:
        number: the number of the stream.
        scheme: the connection's scheme; None accepts any.

    Raises:
        StreamException: PROTOCOL_ERROR.
    """
    pseudo: dict[bytes, bytes] = {}
    plain: list[Field] = []
    for name, value in fields:
        if name[:1] != b":":
            plain.append((name, value))
        elif name not in PSEUDO or name in pseudo or plain:
            raise _malformed(number, f"the field {name!r} is unknown, twice or behind others")
        else:
            pseudo[name] = value
    _check_fields(number, plain)
    for name, value in pseudo.items():
        if _VALUE.fullmatch(value) is None:
            raise _malformed(number, f"the value {value!r} of {name!r}")
    authority = _authority(number, pseudo.get(b":authority"), [value for name, value in plain if name == b"host"])
    method = pseudo.get(b":method")
    if method is None:
        raise _malformed(number, "no :method")
    if method == b"CONNECT":
        if b":scheme" in pseudo or b":path" in pseudo:
            raise _malformed(number, "CONNECT with :scheme or :path")
    else:
        if not pseudo.get(b":path") or b":scheme" not in pseudo:
            raise _malformed(number, "no :path or no :scheme")
        if scheme is not None and (pseudo[b":scheme"] == b"https") is not (scheme == b"https"):
            raise _malformed(number, f"the :scheme {pseudo[b':scheme']!r}, the connection's is {scheme!r}")
    length = _content_length(number, plain)
    return RequestFields(method, pseudo.get(b":scheme"), pseudo.get(b":path"), authority, tuple(plain), length)


def check_trailers(number: int, fields: list[Field]) -> None:
    """Check the fields behind a body.

    Raises:
        StreamException: PROTOCOL_ERROR.
    """
    for name, _ in fields:
        if name[:1] == b":":
            raise _malformed(number, f"{name!r} in trailers")
    _check_fields(number, fields)


def _check_fields(number: int, fields: list[Field]) -> None:
    for name, value in fields:
        if _NAME.fullmatch(name) is None:
            raise _malformed(number, f"the field name {name!r}")
        if _VALUE.fullmatch(value) is None:
            raise _malformed(number, f"the value {value!r} of {name!r}")
        if name in OF_CONNECTION or (name == b"te" and value != b"trailers"):
            raise _malformed(number, f"the field {name!r}, which has no place in HTTP/2")


def _authority(number: int, authority: bytes | None, hosts: list[bytes]) -> bytes:
    if len(hosts) > 1 or (authority is not None and hosts and hosts[0] != authority):
        raise _malformed(number, f"the hosts {authority!r} and {hosts!r}")
    if authority is None:
        if not hosts:
            raise _malformed(number, "neither :authority nor Host")
        return hosts[0]
    if not authority:
        raise _malformed(number, "an empty :authority")
    try:
        parse_host(authority)
    except HttpError as exc:
        raise _malformed(number, str(exc)) from None
    return authority


def _content_length(number: int, fields: list[Field]) -> int:
    values = [value for name, value in fields if name == b"content-length"]
    if not values:
        return -1
    if len(values) > 1 or _LENGTH.fullmatch(values[0]) is None:
        raise _malformed(number, f"the Content-Length {values!r}")
    return int(values[0])


def _malformed(number: int, text: str) -> StreamException:
    return StreamException(number, Http2Error.PROTOCOL_ERROR, text)
