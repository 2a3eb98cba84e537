"""Finds the address of this machine that the other members can reach (address ``auto``)."""

from __future__ import annotations

import ipaddress
import logging
import socket

__all__ = ["local_address"]

log = logging.getLogger("org.apache.catalina.tribes.transport.ReceiverBase")

#: Documentation addresses (RFC 5737, RFC 3849): nothing is sent there, the kernel is only asked for the route.
_ANYWHERE = (("192.0.2.1", 9), ("2001:db8::1", 9))


def local_address(route_hint: tuple[str, int] | None) -> str:
    """The address from which ``route_hint`` is reached, else that of the default route, else loopback with a warning.

    Java resolves the host's own name, which on many systems gives 127.0.1.1, and then announces that to everybody.
    """
    hints = [route_hint] if route_hint else []
    for target in (*hints, *_ANYWHERE):
        address = source_address(target)
        if address and not ipaddress.ip_address(address).is_loopback:
            return address
    log.warning(
        "Only the loopback address is left for address=auto: members on other machines cannot reach this one. "
        "Set the address attribute of <Receiver>."
    )
    return "127.0.0.1"


def source_address(target: tuple[str, int]) -> str | None:
    """The address that the kernel would send from, None when there is no route. Nothing is sent."""
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return None if ipaddress.ip_address(address).is_unspecified else address
