"""The Host field (RFC 9110 section 7.2; Tomcat: util/http/parser/Host.java)."""

from __future__ import annotations

import ipaddress
import re

from catalina.coyote.http_error import HttpError

__all__ = ["parse_host"]

_LABEL = rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(rb"(?:%s(?:\.%s)*\.?|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?" % (_LABEL, _LABEL))

#: Clients choose names; when the table is full it starts anew.
CACHED_HOSTS = 256
_parsed: dict[bytes, tuple[str, int]] = {}


def parse_host(value: bytes) -> tuple[str, int]:
    """Name and port, -1 without one. An IPv6 address keeps its brackets; an empty field gives an empty name.

    Raises:
        HttpError: 400, the field is invalid.
    """
    known = _parsed.get(value)
    if known is None:
        known = _parse(value)
        if len(_parsed) >= CACHED_HOSTS:
            _parsed.clear()
        _parsed[value] = known
    return known


def _parse(value: bytes) -> tuple[str, int]:
    if not value:
        return "", -1
    match = _NAME.fullmatch(value)
    if match is None:
        raise HttpError(400, f"The host [{value.decode('latin-1')!r}] is not valid")
    address, port = match[1], match[2]
    if address is not None:
        _check_ipv6(address)
    if port and int(port) > 65535:
        raise HttpError(400, f"The port of the host [{value.decode('latin-1')}] is over 65535")
    name = value if port is None else value[: -len(port) - 1]
    return name.decode("ascii"), int(port) if port else -1


def _check_ipv6(address: bytes) -> None:
    try:
        ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:
        raise HttpError(400, f"The host [[{address.decode('ascii')}]] is no IPv6 address") from None
