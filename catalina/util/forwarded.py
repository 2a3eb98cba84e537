"""What proxies say of the client they serve: the chain of addresses, and who of it is believed.

Shared by RemoteIpValve and RemoteIpFilter (Tomcat: valves/RemoteIpValve.java).
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

#: Private, link-local, loopback and shared addresses, IPv4 and IPv6, as Tomcat has them by default.
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
    """Who the request comes from.

    Args:
        address: None when the proxies name nobody.
        proxies: the trusted proxies that were passed, nearest to the client first.
        unread: what stands in the chain before the client, and nobody vouches for.
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
    """Go back through the chain as long as each hop is a proxy of ours or one we trust.

    Args:
        peer: the address the request came from.
        header_values: X-Forwarded-For, each value as received.

    Returns:
        None when the peer itself is no proxy: it may have written anything.
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
            continue  # ours, and of no interest to anybody
        if not is_trusted(address):
            break
        proxies.insert(0, address)
    return Client(address, tuple(proxies), tuple(chain))


def _matcher(pattern: re.Pattern[str] | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda _address: False
    return lambda address: any(map(pattern.fullmatch, spellings(address)))


def is_https(header_values: Sequence[str], https_value: str) -> bool:
    """Whether every proxy of the chain was spoken to by TLS."""
    protocols = split_list(header_values)
    return bool(protocols) and all(protocol.lower() == https_value.lower() for protocol in protocols)


def canonical_name(address: str) -> str:
    """The name of an address (DNS, may wait), the address itself when it has none."""
    try:
        return socket.gethostbyaddr(address)[0]
    except OSError:
        return address


def forwarded_host(text: str) -> str:
    """The name of a forwarded Host; the port behind it, in range or not, is not believed from there.

    Raises:
        HttpError: it is no host.
    """
    return parse_host(_PORT.sub("", text.strip()).encode("latin-1"))[0]


def host_field(scheme: str, name: str, port: int, believed: bool) -> str | None:
    """The Host field that fits what the proxies say; None when the client's own fits.

    Tomcat leaves the field alone. Python applications make their URLs from it (PEP 3333), not from name and port.

    Args:
        believed: whether a proxy has said the name or the port.
    """
    if port == (443 if scheme == "https" else 80):
        return name if believed else None
    return f"{name}:{port}"
