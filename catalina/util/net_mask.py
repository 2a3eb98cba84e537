"""Compares addresses and networks of clients, for valves and filters: ``10.0.0.0/8``, ``::1``, ``10.0.0.1;8009``.

One address has several spellings. An IPv6 address that only wraps an IPv4 one (``::ffff:10.1.2.3``, which proxies on
dual-stack machines write) is that IPv4 address, and short forms (``1.2.3`` is 1.2.0.3) count as in
java.net.InetAddress, which Tomcat asks. Host names are never looked up: a client writes them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from catalina.attributes import AttributeRefused, comma_list
from catalina.java_pattern import compile_pattern

__all__ = ["Address", "NetMask", "address_in", "may_pass", "net_masks", "parse_address", "spellings"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: One to four numbers. A leading zero is refused, because some programs read it as octal.
_SHORT_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,9})(?:\.(?!$)|$)){1,4}")


def parse_address(text: str) -> Address:
    """Parse an address of a client or operator; an IPv4-mapped one gives the IPv4 address.

    Raises:
        ValueError: the text is no address.
    """
    if ":" not in text and text.count(".") < 3:
        return _short_address(text)
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _short_address(text: str) -> Address:
    """An address ``a.b.c``, ``a.b`` or ``a``, whose last number fills the remaining bytes."""
    if not _SHORT_IPV4.fullmatch(text):
        raise ValueError(f"{text!r} does not appear to be an IPv4 or IPv6 address")
    *heads, tail = (int(part) for part in text.split("."))
    bits = 32 - 8 * len(heads)
    if any(head > 255 for head in heads) or tail >> bits:
        raise ValueError(f"{text!r} does not appear to be an IPv4 or IPv6 address")
    number = 0
    for head in heads:
        number = number << 8 | head
    return ipaddress.IPv4Address(number << bits | tail)


def spellings(value: str) -> tuple[str, ...]:
    """The texts with which a regular expression of addresses is compared: as given, and as the IPv4 address that it
    wraps.

    Args:
        value: an address or a name, perhaps with ``;port`` behind it.
    """
    if ":" not in value:
        return (value,)
    address, semicolon, port = value.partition(";")
    try:
        mapped = getattr(ipaddress.ip_address(address), "ipv4_mapped", None)
    except ValueError:
        return (value,)
    return (value,) if mapped is None else (value, f"{mapped}{semicolon}{port}")


class NetMask:
    """A network or single address; behind a ``;`` a regular expression of the connector's ports may follow.

    Raises:
        ValueError: the text is neither.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        network, semicolon, ports = text.partition(";")
        address_text, slash, bits = network.strip().partition("/")
        address = parse_address(address_text.strip())
        # Tomcat ignores the bits behind the mask (10.1.2.3/8), and so does strict=False.
        self.network = ipaddress.ip_network(f"{address}/{bits.strip()}" if slash else str(address), strict=False)
        try:
            self.ports = compile_pattern(ports) if semicolon else None
        except re.error as error:
            raise ValueError(f"{ports!r} is no regular expression: {error}") from None

    def __repr__(self) -> str:
        return self.text

    def matches(self, address: Address, port: int | None = None) -> bool:
        """True when the address is in the network; without a port, no pattern of ports matches."""
        if address.version != self.network.version or address not in self.network:
            return False
        return self.ports is None or (port is not None and self.ports.fullmatch(str(port)) is not None)


def address_in(address: Address, allow: Sequence[NetMask], deny: Sequence[NetMask], port: int | None = None) -> bool:
    """True when a client with that address may pass: ``deny`` is checked first, then ``allow``; with neither nobody
    passes.
    """
    if any(mask.matches(address, port) for mask in deny):
        return False
    if any(mask.matches(address, port) for mask in allow):
        return True
    return bool(deny) and not allow


def may_pass(value: str, allow: re.Pattern[str] | None, deny: re.Pattern[str] | None) -> bool:
    """The rule of all valves and filters with ``allow`` and ``deny``. An expression must match the whole value.

    An address that wraps an IPv4 one (``::ffff:10.1.2.3``) is matched in both spellings: it is the same client.
    """
    forms = spellings(value)
    if deny is not None and any(map(deny.fullmatch, forms)):
        return False
    if allow is not None and any(map(allow.fullmatch, forms)):
        return True
    # With neither, nobody passes, as in Tomcat: a valve without a rule is a mistake.
    return deny is not None and allow is None


def net_masks(text: str) -> tuple[NetMask, ...]:
    """Attribute converter: a list separated by commas."""
    masks = []
    for item in comma_list(text):
        try:
            masks.append(NetMask(item))
        except ValueError as error:
            raise AttributeRefused(f"networks such as 10.0.0.0/8, ::1 ({error})") from None
    return tuple(masks)
