"""Networks as RemoteCIDRValve and RemoteCIDRFilter name them: ``10.0.0.0/8``, ``::1``, ``10.0.0.1;8009``."""

from __future__ import annotations

import ipaddress
import re

from catalina.attributes import AttributeRefused, comma_list
from catalina.java_pattern import compile_pattern

__all__ = ["Address", "NetMask", "net_masks"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NetMask:
    """A network or single address, after a ``;`` a regular expression of the connector's ports.

    Raises:
        ValueError: it is neither.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        network, semicolon, ports = text.partition(";")
        # Tomcat ignores the bits behind the mask (10.1.2.3/8), and so does strict=False.
        self.network = ipaddress.ip_network(network.strip(), strict=False)
        try:
            self.ports = compile_pattern(ports) if semicolon else None
        except re.error as error:
            raise ValueError(f"{ports!r} is no regular expression: {error}") from None

    def __repr__(self) -> str:
        return self.text

    def matches(self, address: Address, port: int | None = None) -> bool:
        """Whether the address is in the network; without a port, no pattern of ports matches."""
        if address.version != self.network.version or address not in self.network:
            return False
        return self.ports is None or (port is not None and self.ports.fullmatch(str(port)) is not None)


def net_masks(text: str) -> tuple[NetMask, ...]:
    """Attribute converter: a list separated by commas."""
    masks = []
    for item in comma_list(text):
        try:
            masks.append(NetMask(item))
        except ValueError as error:
            raise AttributeRefused(f"networks such as 10.0.0.0/8, ::1 ({error})") from None
    return tuple(masks)
