"""Evaluates the proxies' statements about their client: the chain of addresses, and the trusted part of it.

RemoteIpValve and RemoteIpFilter share it (Tomcat: valves/RemoteIpValve.java).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalina.coyote.http11.host import parse_host
from catalina.java_pattern import compile_pattern
from catalina.util.net_mask import spellings

__all__ = [
    "INTERNAL_PROXIES",
    "REQUEST_FORWARDED_ATTRIBUTE",
    "Client",
    "canonical_name",
    "follow_chain",
    "forwarded_host",
    "host_field",
    "is_https",
    "split_list",
]

#: Set by RemoteIpValve on requests that came through a proxy.
REQUEST_FORWARDED_ATTRIBUTE = "org.apache.tomcat.request.forwarded"

#: Private, link-local, loopback and shared addresses, IPv4 and IPv6: Tomcat's default.
INTERNAL_PROXIES = compile_pattern(
    r"10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|169\.254\.\d{1,3}\.\d{1,3}|"
    r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}|100\.6[4-9]{1}\.\d{1,3}\.\d{1,3}|100\.[7-9]{1}\d{1}\.\d{1,3}\.\d{1,3}|"
    r"100\.1[0-1]{1}\d{1}\.\d{1,3}\.\d{1,3}|100\.12[0-7]{1}\.\d{1,3}\.\d{1,3}|172\.1[6-9]{1}\.\d{1,3}\.\d{1,3}|"
    r"172\.2[0-9]{1}\.\d{1,3}\.\d{1,3}|172\.3[0-1]{1}\.\d{1,3}\.\d{1,3}|0:0:0:0:0:0:0:1|::1|"
    r"fe[89ab]\p{XDigit}:.*|f[cd]\p{XDigit}{2}+:.*"
)


_PORT = re.compile(r":[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a request.

    Args:
        address: None when the proxies name nobody.
        proxies: the trusted proxies on the way, nearest to the client first.
        unread: the part of the chain before the client, for which nobody vouches.
    """

    address: str | None
    proxies: tuple[str, ...]
    unread: tuple[str, ...]


def split_list(values: Sequence[str]) -> list[str]:
    """The items of comma separated header values."""
    return [item for item in (part.strip() for part in ", ".join(values).split(",")) if item]


def follow_chain(
    peer: str, header_values: Sequence[str], internal: re.Pattern[str] | None, trusted: re.Pattern[str] | None
) -> Client | None:
    """Go back through the chain as long as each hop is an internal or a trusted proxy.

    Args:
        peer: the address from which the request came.
        header_values: X-Forwarded-For, each value as received.

    Returns:
        None when the peer itself is no proxy, because it may have written anything.
    """
    is_internal, is_trusted = _matcher(internal), _matcher(trusted)
    if not is_internal(peer) and not is_trusted(peer):
        return None
    chain = split_list(header_values)
    proxies = [] if is_internal(peer) else [peer]
    address = None
    while chain:
        address = chain.pop()
        if is_internal(address):
            continue  # an internal proxy, which is of no interest
        if not is_trusted(address):
            break
        proxies.insert(0, address)
    return Client(address, tuple(proxies), tuple(chain))


def _matcher(pattern: re.Pattern[str] | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda _address: False
    return lambda address: any(map(pattern.fullmatch, spellings(address)))


def is_https(header_values: Sequence[str], https_value: str) -> bool:
    """True when every proxy of the chain was reached over TLS."""
    protocols = split_list(header_values)
    return bool(protocols) and all(protocol.lower() == https_value.lower() for protocol in protocols)


def canonical_name(address: str) -> str:
    """The name of an address (DNS, may wait), the address itself when it has none."""
    try:
        return socket.gethostbyaddr(address)[0]
    except OSError:
        return address


def forwarded_host(text: str) -> str:
    """The name in a forwarded Host; a port behind it is ignored.

    Raises:
        HttpError: the text is no host.
    """
    return parse_host(_PORT.sub("", text.strip()).encode("latin-1"))[0]


def host_field(scheme: str, name: str, port: int, believed: bool) -> str | None:
    """The Host field for the proxies' statements; None when the client's own is right.

    Tomcat leaves the field alone. Python applications make their URLs from it (PEP 3333), not from name and port.

    Args:
        believed: True when a proxy has set the name or the port.
    """
    if port == (443 if scheme == "https" else 80):
        return name if believed else None
    return f"{name}:{port}"
